// Circuit breakers beside Envoy: each priority has its own, what is let go is given back, and the counters
// say which limit it was.
import { strict as assert } from 'node:assert';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { test } from 'node:test';
import { reasonToSkipWithoutEnvoy } from '../real-software.ts';
import { type Json, routeTo } from './bootstrap.ts';
import { type Kind, kinds } from './proxy-process.ts';
import { statuses } from './raw-client.ts';
import { LanedProxy } from './side-by-side.ts';

const thresholds = [
  { priority: 'DEFAULT', max_requests: 2 },
  { priority: 'HIGH', max_requests: 1 },
];
const listener = (name: string): { readonly routes: readonly Json[] } => ({
  routes: [routeTo(name, { priority: 'HIGH' }, { prefix: '/high' }), routeTo(name)],
});

/** A request that its host never answers: its status, or 0 while it waits there. */
class Held {
  readonly #socket: Socket;
  readonly status: Promise<number>;

  constructor(port: number, path: string, arrived: Promise<number>) {
    this.#socket = connect(port, '127.0.0.1');
    this.#socket.write(`GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`);
    const refused = once(this.#socket, 'data').then(([bytes]) => statuses(String(bytes))[0] ?? -1);
    this.status = Promise.race([refused, arrived]);
  }

  letGo(): void {
    this.#socket.destroy();
  }
}

async function outcome(kind: Kind): Promise<Json> {
  let next: () => void = () => undefined;
  let left: () => void = () => undefined;
  const handler =
    () =>
    ({ socket }: { readonly socket: Socket }): void => {
      socket.once('data', () => next());
      for (const end of ['end', 'close']) socket.once(end, () => left());
    };
  const laned = await LanedProxy.start(kind, {
    handler,
    listener,
    cluster: { circuit_breakers: { thresholds } },
  });
  const hold = async (path: string): Promise<[Held, number]> => {
    const arrived = new Promise<number>((resolve) => {
      next = () => resolve(0);
    });
    const held = new Held(laned.lanes[0]?.port ?? 0, path, arrived);
    return [held, await held.status];
  };
  try {
    const first = [
      await hold('/high'),
      await hold('/high'),
      await hold('/'),
      await hold('/'),
      await hold('/'),
    ];
    const gone = new Promise<void>((resolve) => {
      left = resolve;
    });
    first[0]?.[0].letGo();
    await gone;
    const second = [await hold('/'), await hold('/high'), await hold('/high')];
    const counters = await laned.proxy.statistics();
    for (const [held] of [...first, ...second]) held.letGo();
    return {
      first: first.map(([, status]) => status),
      second: second.map(([, status]) => status),
      active: counters.get('cluster.up0.upstream_rq_active_overflow'),
      pending: counters.get('cluster.up0.upstream_rq_pending_overflow'),
    };
  } finally {
    await laned.stop();
  }
}

test('circuit breakers of two priorities', { skip: reasonToSkipWithoutEnvoy() }, async () => {
  const right = { first: [0, 503, 0, 0, 503], second: [503, 0, 503], active: 4, pending: 0 };
  for (const kind of kinds) assert.deepEqual(await outcome(kind), right, kind);
});
