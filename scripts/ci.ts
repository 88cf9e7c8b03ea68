// `npm test`: the check, the conformance baselines of both engines, and the tests with whole programs. Ends
// with `N passed, N failed`.
import { spawnSync } from 'node:child_process';
import { engines, installedEnvoy } from '../conformance/runner/engine.ts';
import { missingPackages } from '../conformance/runner/environment.ts';
import { check } from './check.ts';
import { type Counts, conclude, node, run, type Step, sum, tests } from './steps.ts';

/** Tests with whole programs, by what they are about. */
const programs = {
  'real xDS clients': 'test/{xds,nack}/**/*.test.ts',
  'end to end': 'test/e2e/**/*.test.ts',
  'hostile peers': 'test/{hostile,soak}/**/*.test.ts',
};
const isCi = !['', '0', 'false', undefined].includes(process.env['CI']);
const isRoot = process.getuid?.() === 0;

installTools();
const all: Counts[] = [await check()];
// One after the other: these look at the clock.
for (const engine of engines) {
  const why = reasonToSkip(engine);
  if (why === undefined) all.push(await run(conformance(engine)));
  else skipped(`conformance on ${engine}`, why);
}
for (const [name, pattern] of Object.entries(programs)) all.push(await run(tests(name, pattern)));
conclude(sum(all));

function conformance(engine: (typeof engines)[number]): Step {
  const program = 'conformance/runner/main.ts';
  return {
    name: `conformance, ${engine}`,
    command: [node, program, '--engine', engine],
    count: (output) => countCases(output, engine),
  };
}

/** In CI nothing is skipped: what cannot be run there fails. */
function reasonToSkip(engine: (typeof engines)[number]): string | undefined {
  if (isCi) return undefined;
  if (!isRoot) return 'it needs network namespaces, and so root';
  if (missingPackages().length > 0) return `it needs ${missingPackages().join(' and ')}`;
  if (engine === 'envoy' && !installedEnvoy())
    return 'Envoy is not there; `npm run conformance -- --engine envoy` installs it';
  return undefined;
}

function countCases(output: string, engine: string): Counts | undefined {
  const found = new RegExp(`^${engine}: (\\d+) passed, (\\d+) failed`, 'm').exec(output);
  return found ? { passed: Number(found[1]), failed: Number(found[2]) } : undefined;
}

function installTools(): void {
  const missing = process.platform === 'linux' && isRoot && isCi ? missingPackages() : [];
  if (missing.length === 0) return;
  process.stdout.write(`installing ${missing.join(', ')} with apt-get, for network namespaces\n`);
  for (const args of [
    ['update', '-qq'],
    ['install', '-y', '-qq', '--no-install-recommends', ...missing],
  ])
    spawnSync('apt-get', args, {
      stdio: ['ignore', 'ignore', 'inherit'],
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    });
}

function skipped(name: string, why: string): void {
  process.stdout.write(`\n*** SKIPPED: ${name}. Reason: ${why}. ***\n\n`);
}
