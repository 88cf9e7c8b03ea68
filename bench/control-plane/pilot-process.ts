// The process under measurement: a pilot that is loaded, edited and asked for its state over the process
// channel.
import { parseDocuments } from '../../src/config/index.ts';
import { Pilot } from '../../src/control-plane/index.ts';
import { type ConfigUpdate, FileSource } from '../../src/sources/index.ts';
import { documents, type EditKind, editedDocument, streamOf } from './configuration.ts';
import {
  type EditFigures,
  type FromPilot,
  type LoadFigures,
  monotonicMs,
  type PilotState,
  type ToPilot,
} from './messages.ts';

let pushed = 0;
let applied = 0;
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
      return {
        kind: 'loaded',
        ...(message.folder === undefined ? await load(message.services) : await follow(message.folder)),
      };
    case 'edit':
      return { kind: 'edited', ...edit(message.edit, message.n) };
    case 'state':
      return { kind: 'state', ...state() };
  }
}

async function load(services: number): Promise<LoadFigures> {
  const text = streamOf(documents(services).values());
  const start = monotonicMs();
  const update = updateOf(text);
  const parsed = monotonicMs();
  pilot.apply(update);
  const applied = monotonicMs();
  const server = await pilot.serve('127.0.0.1:0');
  return { parseMs: parsed - start, applyMs: applied - parsed, address: server.address };
}

async function follow(folder: string): Promise<LoadFigures> {
  const source = new FileSource({ paths: [folder] });
  const start = monotonicMs();
  const first = source.load();
  const parsed = monotonicMs();
  if (first.issues.length > 0) throw new Error(JSON.stringify(first.issues[0]));
  pilot.apply(first);
  const end = monotonicMs();
  source.watch((update) => {
    pilot.apply(update);
    applied++;
  });
  const server = await pilot.serve('127.0.0.1:0');
  return { parseMs: parsed - start, applyMs: end - parsed, address: server.address };
}

/** The text is parsed before the clock starts: the source does that. */
function edit(kind: EditKind, n: number): EditFigures {
  const update = updateOf(editedDocument(kind, n).text);
  const startMs = monotonicMs();
  pilot.apply(update);
  applied++;
  return { startMs, applyMs: monotonicMs() - startMs };
}

function state(): PilotState {
  const { user, system } = process.cpuUsage();
  const { rss, heapUsed } = process.memoryUsage();
  return {
    cpuMs: (user + system) / 1000,
    residentMb: rss / 2 ** 20,
    heapMb: heapUsed / 2 ** 20,
    unsettled: pilot.unsettled.length,
    applied,
    pushed,
    recomputed: Object.fromEntries(pilot.engine.statistics().recomputed),
  };
}

function updateOf(text: string): ConfigUpdate {
  const { resources, issues } = parseDocuments(text, 'bench.yaml');
  if (issues.length > 0) throw new Error(JSON.stringify(issues[0]));
  return { changed: resources as ConfigUpdate['changed'], removed: [], issues: [] };
}

function tell(message: FromPilot): void {
  process.send?.(message);
}
