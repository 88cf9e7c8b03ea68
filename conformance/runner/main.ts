// `npm run conformance`: runs the cases on an engine and compares the outcome with the engine's baseline.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command, InvalidArgumentError, Option } from 'commander';
import { judge, type Run, readBaseline, updated, writeBaseline } from './baseline.ts';
import type { Case } from './case.ts';
import { Certificates } from './certificates.ts';
import { type EngineName, engines, prepareEngine } from './engine.ts';
import {
  baselineFolder,
  CannotRun,
  casesFolder,
  recordedFolder,
  requireNetworkNamespaces,
} from './environment.ts';
import { CaseError, loadCases } from './load-cases.ts';
import { isPassed, jsonReport, textReport } from './report.ts';
import { type Result, runAll } from './schedule.ts';
import { type Source, Worker } from './worker.ts';

interface Flags {
  readonly engine: EngineName;
  readonly xds: 'pilot' | 'recorded';
  readonly cli?: boolean;
  readonly jobs: number;
  readonly updateBaseline?: boolean;
  readonly list?: boolean;
  readonly verbose?: boolean;
  readonly dump?: string;
  readonly output: 'text' | 'json';
}

const exitCodes = { passed: 0, failed: 1, usage: 2, cannotRun: 3 } as const;
/** Cases mostly wait; more at once than this and timing suffers on two cores. */
const defaultJobs = 4;
/** These always go through the command line, so that it is tested as well. */
const commandLineFolder = 'seed';

const program = new Command('conformance')
  .description('Run the conformance cases in network namespaces, on the embedded proxy or on a real Envoy')
  .argument('[filter...]', 'only cases whose FOLDER/NAME contains one of these')
  .addOption(new Option('--engine <name>', 'the proxy').choices(engines).default('embedded'))
  .addOption(
    new Option('--xds <source>', 'the pilot, or what another control plane sent')
      .choices(['pilot', 'recorded'])
      .default('pilot'),
  )
  .option('--cli', 'start the pilot as a process of its own for every case')
  .option('--jobs <n>', 'how many cases at once', positive, defaultJobs)
  .option('--update-baseline', 'write down which cases pass')
  .option('--list', 'only list the cases')
  .option('--verbose', 'all differences, and what the proxy logged')
  .option('--dump <file>', "the proxy's config_dump after the last case")
  .addOption(new Option('--output <format>', 'form of the report').choices(['text', 'json']).default('text'))
  .addHelpText(
    'after',
    '\nExit codes: 0 as the baseline says; 1 a case fails that should not; 2 wrong use or a wrong case file; 3 it could not be run here',
  )
  .exitOverride((error) => process.exit(error.exitCode === 0 ? exitCodes.passed : exitCodes.usage))
  .action(async (filters: string[], flags: Flags) => {
    process.exitCode = await conformance(filters, flags);
  });

try {
  await program.parseAsync();
} catch (error) {
  if (!(error instanceof CaseError) && !(error instanceof CannotRun)) throw error;
  process.stderr.write(
    `conformance: ${error.message}\n${error instanceof CannotRun ? 'NOTHING WAS RUN.\n' : ''}`,
  );
  process.exitCode = error instanceof CaseError ? exitCodes.usage : exitCodes.cannotRun;
}
process.exit();

async function conformance(filters: readonly string[], flags: Flags): Promise<number> {
  const all = loadCases(casesFolder);
  const selected = all.filter(
    ({ name }) => filters.length === 0 || filters.some((filter) => name.includes(filter)),
  );
  if (selected.length === 0) {
    process.stderr.write(`no case has ${filters.join(' or ')} in its name; --list shows them all\n`);
    return exitCodes.usage;
  }
  if (flags.list) {
    for (const { name, about } of selected) process.stdout.write(`${name}: ${about}\n`);
    return exitCodes.passed;
  }
  const runnable = (flags.xds === 'recorded' ? selected.filter(hasRecording).map(withoutOurs) : selected).map(
    (one) => onEngine(one, flags.engine),
  );
  const start = performance.now();
  const results = await runOn(runnable, flags);
  const seconds = (performance.now() - start) / 1000;
  return conclude({ all, selected, results, isWhole: filters.length === 0, seconds, flags });
}

async function runOn(cases: readonly Case[], flags: Flags): Promise<readonly Result[]> {
  requireNetworkNamespaces();
  const engine = prepareEngine(flags.engine);
  const certificates = await Certificates.create();
  const workers: Worker[] = [];
  const close = (): void => {
    for (const worker of workers.splice(0)) worker.close();
  };
  process.once('exit', close);
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.once(signal, () => process.exit(exitCodes.cannotRun));
  for (let index = 0; index < Math.min(flags.jobs, cases.length); index++) {
    const name = `m${process.pid.toString(36)}${index}`;
    const options = {
      name,
      engine,
      certificates,
      isVerbose: flags.verbose === true,
      isDumped: flags.dump !== undefined,
    };
    workers.push(new Worker(options));
  }
  const results = await runAll(cases, {
    workers,
    sourceOf: (one) => sourceOf(one, flags),
    onResult: (result) => progress(result, flags),
  });
  close();
  return results;
}

function sourceOf(one: Case, { xds, cli }: Flags): Source {
  if (xds === 'recorded') return { kind: 'recorded', json: readFileSync(recordingOf(one), 'utf8') };
  return { kind: cli || one.folder === commandLineFolder ? 'command' : 'pilot' };
}

function recordingOf(one: Case): string {
  return join(recordedFolder, `${one.name}.json`);
}

function hasRecording(one: Case): boolean {
  if (!existsSync(recordedFolder))
    throw new CannotRun('the recorded resources of another control plane are not beside this checkout');
  return existsSync(recordingOf(one));
}

function onEngine(one: Case, engine: Flags['engine']): Case {
  if (engine !== 'embedded') return one;
  return {
    ...one,
    requests: one.requests.map(({ oursEmbedded, ...request }) =>
      oursEmbedded ? { ...request, ours: oursEmbedded } : request,
    ),
  };
}

/**
 * What the reference sent brings about what was recorded, also where the product's own pilot differs on
 * purpose.
 */
function withoutOurs(one: Case): Case {
  return { ...one, requests: one.requests.map(({ ours: _, ...request }) => request) };
}

function progress(result: Result, flags: Flags): void {
  if (flags.verbose)
    process.stderr.write(`${isPassed(result) ? 'pass' : 'FAIL'} ${result.case.name} (${result.ms} ms)\n`);
}

interface Ending {
  readonly all: readonly Case[];
  readonly selected: readonly Case[];
  readonly results: readonly Result[];
  readonly isWhole: boolean;
  readonly seconds: number;
  readonly flags: Flags;
}

function conclude({ all, selected, results, isWhole, seconds, flags }: Ending): number {
  const engine = flags.xds === 'recorded' ? `${flags.engine}-recorded` : flags.engine;
  const file = join(baselineFolder, `${engine}.json`);
  const run = runOf(all, selected, results);
  if (flags.updateBaseline) writeBaseline(file, updated(readBaseline(file) ?? [], run));
  const baseline = readBaseline(file);
  const verdict = judge(baseline ?? [], run);
  // A part of the cases, or a source that has no baseline, is a look and not a check of what should be in it.
  const isChecked = isWhole && flags.xds === 'pilot';
  const shown = { ...verdict, added: isChecked ? verdict.added : [], gone: isChecked ? verdict.gone : [] };
  const skipped = selected
    .filter(({ name }) => !run.passed.has(name) && !run.failed.has(name))
    .map(({ name }) => name);
  const report = {
    engine,
    selected,
    results,
    skipped,
    verdict: shown,
    seconds,
    isVerbose: flags.verbose === true,
  };
  process.stdout.write(`${flags.output === 'json' ? jsonReport(report) : textReport(report)}\n`);
  const dump = results.at(-1)?.dump;
  if (flags.dump !== undefined && dump !== undefined) writeFileSync(flags.dump, dump);
  if (results.length === 0) return exitCodes.cannotRun;
  const isAsListed = Object.values(shown).every((names) => names.length === 0);
  // Without a baseline that allows for it, every failure counts.
  const mustAllPass = baseline === undefined || !isWhole;
  return isAsListed && !(mustAllPass && run.failed.size > 0) ? exitCodes.passed : exitCodes.failed;
}

function runOf(all: readonly Case[], selected: readonly Case[], results: readonly Result[]): Run {
  const names = (list: readonly Case[]): ReadonlySet<string> => new Set(list.map(({ name }) => name));
  return {
    known: names(all),
    selected: names(selected),
    passed: names(results.filter(isPassed).map((result) => result.case)),
    failed: names(results.filter((result) => !isPassed(result)).map((result) => result.case)),
  };
}

function positive(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1)
    throw new InvalidArgumentError('give a whole number of 1 or more');
  return value;
}
