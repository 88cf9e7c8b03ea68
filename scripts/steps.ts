// Runs the commands that make up a check, and sums up what they found.
import { spawn } from 'node:child_process';
import { join, resolve } from 'node:path';

export interface Step {
  readonly name: string;
  readonly command: readonly [string, ...string[]];
  /** Reads the number of tests out of the output; without it the step itself counts as one. */
  readonly count?: (output: string) => Counts | undefined;
}

export interface Counts {
  readonly passed: number;
  readonly failed: number;
  /** Failed as their baseline says they do. */
  readonly known?: number;
}

export const checkout = resolve(import.meta.dirname, '..');
export const node = process.execPath;

export function binary(name: string): string {
  return join(checkout, 'node_modules/.bin', name);
}

/** `node --test` over the patterns. */
export function tests(name: string, ...patterns: readonly string[]): Step {
  return { name, command: [node, '--test', '--test-reporter=spec', ...patterns], count: countTests };
}

/** The same in one process: most of a small test is the start of Node and the loading of what it tests. */
export function testsTogether(name: string, ...patterns: readonly string[]): Step {
  const step = tests(name, ...patterns);
  const [program, test, ...rest] = step.command;
  return { ...step, command: [program, test ?? '--test', '--test-isolation=none', ...rest] };
}

/** Runs the steps at the same time, and prints the whole output of those that fail. */
export async function together(steps: readonly Step[]): Promise<Counts> {
  return sum(await Promise.all(steps.map(run)));
}

export async function run({ name, command: [program, ...args], count }: Step): Promise<Counts> {
  const start = performance.now();
  const { output, code } = await outputOf(program, args);
  const isGood = code === 0;
  const found = count?.(output);
  const counts = judged(found, isGood);
  if (!isGood) process.stdout.write(output);
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  process.stdout.write(`${isGood ? 'ok  ' : 'FAIL'} ${name.padEnd(24)} ${textOf(counts)}  ${seconds} s\n`);
  return counts;
}

export function sum(all: readonly Counts[]): Counts {
  const total = (part: keyof Counts): number =>
    all.reduce((before, counts) => before + (counts[part] ?? 0), 0);
  return { passed: total('passed'), failed: total('failed'), known: total('known') };
}

/** Prints the last line and sets the exit code. */
export function conclude(counts: Counts): void {
  const { passed, failed, known = 0 } = counts;
  if (known > 0) process.stdout.write(`${known} more failed as conformance/baseline says they do\n`);
  process.stdout.write(`${passed} passed, ${failed} failed\n`);
  process.exitCode = failed > 0 ? 1 : 0;
}

function judged(found: Counts | undefined, isGood: boolean): Counts {
  if (found === undefined) return { passed: isGood ? 1 : 0, failed: isGood ? 0 : 1 };
  if (isGood) return { passed: found.passed, failed: 0, known: found.failed };
  // A step that ended badly has failed, whatever it counted.
  return { ...found, failed: Math.max(1, found.failed) };
}

function textOf({ passed, failed, known = 0 }: Counts): string {
  return `${passed} passed, ${failed} failed${known > 0 ? `, ${known} known to fail` : ''}`;
}

function outputOf(
  program: string,
  args: readonly string[],
): Promise<{ readonly output: string; readonly code: number | null }> {
  return new Promise((finish) => {
    const child = spawn(program, args, { cwd: checkout, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (bytes: Buffer) => {
        output += bytes.toString();
      });
    child.on('error', (error) => finish({ output: `${error.message}\n`, code: null }));
    child.on('close', (code) => finish({ output, code }));
  });
}

function countTests(output: string): Counts | undefined {
  const read = (word: string): number | undefined => {
    const found = new RegExp(`^\\S+ ${word} (\\d+)$`, 'm').exec(output);
    return found ? Number(found[1]) : undefined;
  };
  const [passed, failed] = [read('pass'), read('fail')];
  return passed === undefined || failed === undefined || passed + failed === 0
    ? undefined
    : { passed, failed };
}
