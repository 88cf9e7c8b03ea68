// The process under measurement: a pilot that is loaded, edited and asked for its state over the process channel.
import { parseDocuments } from '../../src/config/index.ts';
import { Pilot } from '../../src/control-plane/index.ts';
import type { ConfigUpdate } from '../../src/sources/index.ts';
import { configurationText, type EditKind, editText } from './configuration.ts';
import { type EditFigures, type FromPilot, type LoadFigures, monotonicMs, type PilotState, type ToPilot } from './messages.ts';

let pushed = 0;
const pilot = new Pilot({
  onEvent: (event) => {
    if (event.kind === 'pushed') pushed += event.resources;
  },
});

process.on('disconnect', () => process.exit());
process.on('message', (message: ToPilot) => void answer(message).then(tell));

async function answer(message: ToPilot): Promise<FromPilot> {
  switch (message.kind) {
    case 'load':
      return { kind: 'loaded', ...(await load(message.services)) };
    case 'edit':
      return { kind: 'edited', ...edit(message.edit, message.n) };
    case 'state':
      return { kind: 'state', ...state() };
  }
}

async function load(services: number): Promise<LoadFigures> {
  const text = configurationText(services);
  const start = monotonicMs();
  const update = updateOf(text);
  const parsed = monotonicMs();
  pilot.apply(update);
  const applied = monotonicMs();
  const server = await pilot.serve('127.0.0.1:0');
  return { parseMs: parsed - start, applyMs: applied - parsed, address: server.address };
}

/** The text is parsed before the clock starts: the source does that. */
function edit(kind: EditKind, n: number): EditFigures {
  const update = updateOf(editText(kind, n));
  const before = pilot.engine.statistics().recomputed;
  pushed = 0;
  const startMs = monotonicMs();
  pilot.apply(update);
  const applyMs = monotonicMs() - startMs;
  const byName: Record<string, number> = {};
  for (const [name, count] of pilot.engine.statistics().recomputed) {
    const more = count - (before.get(name) ?? 0);
    if (more > 0) byName[name] = more;
  }
  return { startMs, applyMs, recomputed: Object.values(byName).reduce((sum, count) => sum + count, 0), byName, pushed };
}

function state(): PilotState {
  const { user, system } = process.cpuUsage();
  const { rss, heapUsed } = process.memoryUsage();
  return { cpuMs: (user + system) / 1000, residentMb: rss / 2 ** 20, heapMb: heapUsed / 2 ** 20, unsettled: pilot.unsettled.length };
}

function updateOf(text: string): ConfigUpdate {
  const { resources, issues } = parseDocuments(text, 'bench.yaml');
  if (issues.length > 0) throw new Error(JSON.stringify(issues[0]));
  return { changed: resources as ConfigUpdate['changed'], removed: [], issues: [] };
}

function tell(message: FromPilot): void {
  process.send?.(message);
}
