// This checkout beside another one, in turn, as ratios: what the machine does to one it does to the other.
// node_modules/.bin/node bench/compare.ts CHECKOUT [--rounds N] [--only route-match,control-plane,proxy]
import { spawnSync } from 'node:child_process';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';

const { values: flags, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: 'string', default: '5' },
    only: { type: 'string', default: 'route-match,control-plane,proxy' },
  },
});
const [other] = positionals;
if (other === undefined) throw new Error('which checkout is this one to be compared with?');
const here = join(import.meta.dirname, '..');
const before = resolve(other);
const rounds = Number(flags.rounds);

/** What a run measured, by name; more is worse unless its name ends with `/s`. */
type Figures = Readonly<Record<string, number>>;

for (const name of flags.only.split(',')) {
  if (name === 'proxy') proxies();
  else inTurn(name, name === 'route-match' ? routeMatch : controlPlane);
}

function inTurn(name: string, run: (checkout: string) => Figures): void {
  const samples = { now: [] as Figures[], before: [] as Figures[] };
  for (let round = 0; round < rounds; round++) {
    // Who goes first changes, since the second finds the machine warm.
    const order = round % 2 === 0 ? (['before', 'now'] as const) : (['now', 'before'] as const);
    for (const side of order) samples[side].push(run(side === 'now' ? here : before));
  }
  const names = Object.keys(samples.now[0] ?? {});
  const median = (side: 'now' | 'before', figure: string): number =>
    middle(samples[side].map((sample) => sample[figure] ?? Number.NaN));
  print(
    name,
    names.map((figure) => ({ figure, now: median('now', figure), before: median('before', figure) })),
  );
}

function routeMatch(checkout: string): Figures {
  return JSON.parse(output(checkout, 'bench/route-match.ts', [])) as Figures;
}

function controlPlane(checkout: string): Figures {
  const size = ['--services', '1000', '--proxies', '10', '--mode', 'delta', '--edits', '40'];
  const { runs } = JSON.parse(output(checkout, 'bench/control-plane.ts', size)) as {
    readonly runs: readonly {
      readonly parseMs: number;
      readonly applyMs: number;
      readonly residentMb: number;
      readonly edits: readonly { readonly edit: string; readonly p50Ms: number; readonly cpuMs: number }[];
    }[];
  };
  const [run] = runs;
  if (!run) throw new Error(`${checkout}: nothing was measured`);
  return {
    'load ms': run.parseMs + run.applyMs,
    'resident MB': run.residentMb,
    ...Object.fromEntries(
      run.edits.flatMap(({ edit, p50Ms, cpuMs }) => [
        [`${edit} p50 ms`, p50Ms],
        [`${edit} CPU ms`, cpuMs],
      ]),
    ),
  };
}

/** One run of the benchmark has both: its rounds are interleaved already. */
function proxies(): void {
  const { rows } = JSON.parse(
    output(here, 'bench/proxy.ts', ['--before', before, '--rounds', String(rounds)]),
  ) as {
    readonly rows: readonly {
      readonly name: string;
      readonly requestsPerSecond: number;
      readonly p50Ms: number;
      readonly residentMb: number;
    }[];
  };
  const [now, old] = ['embedded', 'before'].map((name) => rows.find((row) => row.name === name));
  if (!now || !old) throw new Error('one of the two was not measured');
  print('proxy', [
    { figure: 'requests/s', now: now.requestsPerSecond, before: old.requestsPerSecond },
    { figure: 'p50 ms', now: now.p50Ms, before: old.p50Ms },
    { figure: 'resident MB', now: now.residentMb, before: old.residentMb },
  ]);
}

function output(checkout: string, program: string, args: readonly string[]): string {
  const run = spawnSync(process.execPath, [join(checkout, program), ...args, '--output', 'json'], {
    cwd: checkout,
    encoding: 'utf8',
    maxBuffer: 1 << 24,
  });
  if (run.status !== 0) throw new Error(`${join(checkout, program)}: ${run.stderr}`);
  return run.stdout;
}

function middle(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
}

interface Row {
  readonly figure: string;
  readonly now: number;
  readonly before: number;
}

function print(title: string, rows: readonly Row[]): void {
  process.stdout.write(`${title.padEnd(44)} ${'before'.padStart(10)} ${'now'.padStart(10)}   now/before\n`);
  for (const { figure, now, before: old } of rows)
    process.stdout.write(
      `  ${figure.padEnd(42)} ${old.toFixed(2).padStart(10)} ${now.toFixed(2).padStart(10)} ${(now / old).toFixed(3).padStart(12)}\n`,
    );
}
