// How fast an edit reaches a fleet of proxies, and what it costs the pilot. Pilot and proxies are processes
// of their own, on a core each. With --from files, the clock starts when a document's file is written: each
// document in a file of its own (own), or all in one (one).
// node_modules/.bin/node bench/control-plane.ts [--from apply|own|one] [--services 100,1000] [--proxies
// 10,100] [--mode sotw,delta] [--edits N] [--output json]
import { loadavg } from 'node:os';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { type EditKind, editKinds } from './control-plane/configuration.ts';
import { ConfigurationFolder, type Layout } from './control-plane/configuration-folder.ts';
import type {
  EditFigures,
  FromFleet,
  FromPilot,
  LoadFigures,
  Mode,
  PilotState,
  ToFleet,
  ToPilot,
} from './control-plane/messages.ts';
import { canPin, Program } from './control-plane/program.ts';

const { values: flags } = parseArgs({
  options: {
    from: { type: 'string', default: 'apply' },
    services: { type: 'string' },
    proxies: { type: 'string' },
    mode: { type: 'string', default: 'sotw,delta' },
    edits: { type: 'string', default: '24' },
    output: { type: 'string', default: 'text' },
    profile: { type: 'boolean', default: false },
  },
});

interface Size {
  readonly services: number;
  readonly proxies: number;
}

interface EditRow {
  readonly edit: EditKind;
  readonly p50Ms: number;
  readonly p90Ms: number;
  readonly p99Ms: number;
  readonly applyMs: number;
  readonly cpuMs: number;
  readonly bytes: number;
  readonly pushed: number;
  readonly recomputed: number;
  readonly byName: Readonly<Record<string, number>>;
}

interface Run extends Size, LoadFigures {
  readonly mode: Mode;
  readonly connectMs: number;
  /** Runnable processes, averaged over a minute, when it ended; above two, others shared the cores. */
  readonly machineLoad: number;
  readonly residentMb: number;
  readonly heapMb: number;
  readonly edits: readonly EditRow[];
}

const quickSizes: readonly Size[] = [
  { services: 100, proxies: 10 },
  { services: 100, proxies: 100 },
  { services: 1000, proxies: 10 },
  { services: 1000, proxies: 100 },
];
const warmUpEdits = 60;
const patienceMs = 60_000;
const restMs = 60;
await main();

async function main(): Promise<void> {
  const runs: Run[] = [];
  for (const size of sizes())
    for (const mode of flags.mode.split(',') as Mode[]) {
      const run = await measure(size, mode);
      runs.push(run);
      if (flags.output !== 'json') print(run, runs.length === 1);
    }
  if (flags.output === 'json')
    process.stdout.write(`${JSON.stringify({ edits: Number(flags.edits), pinned: canPin, runs })}\n`);
}

function sizes(): readonly Size[] {
  if (!flags.services && !flags.proxies) return quickSizes;
  const numbers = (text: string | undefined): number[] => (text ?? '100').split(',').map(Number);
  return numbers(flags.services).flatMap((services) =>
    numbers(flags.proxies).map((proxies) => ({ services, proxies })),
  );
}

async function measure(size: Size, mode: Mode): Promise<Run> {
  const pilot = new Program<ToPilot, FromPilot>('pilot-process.ts', { core: '0', profile: flags.profile });
  const fleet = new Program<ToFleet, FromFleet>('fleet-process.ts', { core: '1', profile: false });
  const files =
    flags.from === 'apply' ? undefined : new ConfigurationFolder(flags.from as Layout, size.services);
  try {
    const load = await pilot.ask(
      { kind: 'load', services: size.services, ...(files ? { folder: files.path } : {}) },
      'loaded',
    );
    const start = performance.now();
    await fleet.ask({ kind: 'connect', address: load.address, proxies: size.proxies, mode }, 'connected');
    const connectMs = performance.now() - start;
    const { residentMb, heapMb } = await settledState(pilot);
    const edits: EditRow[] = [];
    for (const edit of editKinds) edits.push(await measureEdits({ pilot, fleet, files }, edit));
    return { ...size, ...load, mode, connectMs, machineLoad: loadavg()[0] ?? 0, residentMb, heapMb, edits };
  } finally {
    await Promise.all([pilot.stop(), fleet.stop()]);
    files?.remove();
  }
}

interface Sample {
  readonly ms: number;
  readonly cpuMs: number;
  readonly bytes: number;
  readonly applyMs: number;
  readonly pushed: number;
  readonly byName: Readonly<Record<string, number>>;
}

interface Stage {
  readonly pilot: Program<ToPilot, FromPilot>;
  readonly fleet: Program<ToFleet, FromFleet>;
  readonly files: ConfigurationFolder | undefined;
}

async function measureEdits({ pilot, fleet, files }: Stage, edit: EditKind): Promise<EditRow> {
  const samples: Sample[] = [];
  for (let n = 0; n < warmUpEdits + Number(flags.edits); n++) {
    const before = await settledState(pilot);
    await fleet.ask({ kind: 'arm' }, 'armed');
    const received = edit === 'label' ? undefined : fleet.next('received');
    const figures: EditFigures = files
      ? { startMs: files.edit(edit, n), applyMs: 0 }
      : await pilot.ask({ kind: 'edit', edit, n }, 'edited');
    const lastMs = (await received)?.lastMs ?? figures.startMs + figures.applyMs;
    const after = await settledState(pilot, before.applied + 1);
    const { bytes } = await fleet.ask({ kind: 'disarm' }, 'disarmed');
    if (n >= warmUpEdits)
      samples.push({
        ms: lastMs - figures.startMs,
        cpuMs: after.cpuMs - before.cpuMs,
        bytes,
        applyMs: figures.applyMs,
        pushed: after.pushed - before.pushed,
        byName: differences(before.recomputed, after.recomputed),
      });
    // The next edit finds the files at rest, as a person's does.
    if (files) await pause(restMs);
  }
  const last = samples.at(-1);
  if (!last) throw new Error('--edits must be at least 1');
  const times = samples.map(({ ms }) => ms);
  return {
    edit,
    p50Ms: quantile(times, 0.5),
    p90Ms: quantile(times, 0.9),
    p99Ms: quantile(times, 0.99),
    applyMs: quantile(
      samples.map(({ applyMs }) => applyMs),
      0.5,
    ),
    cpuMs: quantile(
      samples.map(({ cpuMs }) => cpuMs),
      0.5,
    ),
    bytes: last.bytes,
    pushed: last.pushed,
    recomputed: Object.values(last.byName).reduce((sum, count) => sum + count, 0),
    byName: last.byName,
  };
}

function differences(
  before: Readonly<Record<string, number>>,
  after: Readonly<Record<string, number>>,
): Readonly<Record<string, number>> {
  const more = Object.entries(after).map(([name, count]) => [name, count - (before[name] ?? 0)] as const);
  return Object.fromEntries(more.filter(([, count]) => count > 0));
}

/** The state once so many updates are in force and every proxy has answered. */
async function settledState(pilot: Program<ToPilot, FromPilot>, applied = 0): Promise<PilotState> {
  const deadline = performance.now() + patienceMs;
  while (performance.now() < deadline) {
    const state = await pilot.ask({ kind: 'state' }, 'state');
    if (state.unsettled === 0 && state.applied >= applied) return state;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  throw new Error('the proxies do not settle');
}

/** With few samples, the highest quantiles are the slowest sample. */
function quantile(values: readonly number[], q: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil(q * sorted.length) - 1)] ?? 0;
}

function print(run: Run, withHead: boolean): void {
  if (withHead)
    process.stdout.write(
      'mode   services  proxies  edit      p50 ms   p90 ms   p99 ms  apply ms   cpu ms      bytes  pushed  recomputed  | load ms  resident MB  machine load\n',
    );
  for (const row of run.edits) {
    const cells = [
      run.mode.padEnd(6),
      String(run.services).padStart(8),
      String(run.proxies).padStart(8),
      ` ${row.edit.padEnd(8)}`,
      row.p50Ms.toFixed(2).padStart(7),
      row.p90Ms.toFixed(2).padStart(8),
      row.p99Ms.toFixed(2).padStart(8),
      row.applyMs.toFixed(2).padStart(9),
      row.cpuMs.toFixed(1).padStart(8),
      String(row.bytes).padStart(10),
      String(row.pushed).padStart(7),
      String(row.recomputed).padStart(11),
      ` | ${(run.parseMs + run.applyMs).toFixed(0).padStart(7)}`,
      run.residentMb.toFixed(0).padStart(12),
      run.machineLoad.toFixed(1).padStart(13),
    ];
    process.stdout.write(`${cells.join(' ')}\n`);
  }
}
