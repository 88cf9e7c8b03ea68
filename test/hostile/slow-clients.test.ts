// Clients that are slow or say nothing, against limits that are set short: both proxies cut them off with the
// same answer.
import { strict as assert } from 'node:assert';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import type { Json } from './bootstrap.ts';
import { unexplained } from './explained.ts';
import { frame, frameType, preface } from './h2-frames.ts';
import { type Kind, kinds } from './proxy-process.ts';
import { statuses } from './raw-client.ts';
import type { Handler } from './raw-upstream.ts';
import { type Lane, LanedProxy } from './side-by-side.ts';

interface Row {
  readonly name: string;
  /** Fields of the connection manager. */
  readonly manager: Json;
  readonly first: string;
  /** Sent again and again. */
  readonly drip?: string;
}

interface Outcome {
  readonly statuses: readonly number[];
  readonly ended: boolean;
}

const head = 'GET / HTTP/1.1\r\nHost: a\r\n';
const post = 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n';
const limit = '0.5s';
const common = (fields: Json): Json => ({ common_http_protocol_options: fields });
const manyFields = `${head}${Array.from({ length: 50 }, (_, i) => `x${i}: y\r\n`).join('')}\r\n`;

const rows: readonly Row[] = [
  {
    name: 'headers timeout, head drips',
    manager: { request_headers_timeout: limit },
    first: head,
    drip: 'x: y\r\n',
  },
  { name: 'headers timeout, head stops', manager: { request_headers_timeout: limit }, first: head },
  { name: 'stream idle, head stops', manager: { stream_idle_timeout: limit }, first: head },
  { name: 'stream idle, body stops', manager: { stream_idle_timeout: limit }, first: post },
  { name: 'stream idle, body drips', manager: { stream_idle_timeout: limit }, first: post, drip: 'x' },
  { name: 'stream idle, no response', manager: { stream_idle_timeout: limit }, first: `${head}\r\n` },
  { name: 'request timeout, head drips', manager: { request_timeout: limit }, first: head, drip: 'x: y\r\n' },
  { name: 'request timeout, body drips', manager: { request_timeout: limit }, first: post, drip: 'x' },
  { name: 'request timeout, no response', manager: { request_timeout: limit }, first: `${head}\r\n` },
  { name: 'idle, no bytes', manager: common({ idle_timeout: limit }), first: '' },
  { name: 'idle, head drips', manager: common({ idle_timeout: limit }), first: head, drip: 'x: y\r\n' },
  { name: 'idle, body drips', manager: common({ idle_timeout: limit }), first: post, drip: 'x' },
  { name: 'idle, half a preface', manager: common({ idle_timeout: limit }), first: 'PRI * HTTP/2' },
  {
    name: 'idle, a preface',
    manager: common({ idle_timeout: limit }),
    first: `${preface.toString('latin1')}${frame(frameType.settings, 0, 0).toString('latin1')}`,
  },
  {
    name: 'stream duration, body drips',
    manager: common({ max_stream_duration: limit }),
    first: post,
    drip: 'x',
  },
  {
    name: 'stream duration, no response',
    manager: common({ max_stream_duration: limit }),
    first: `${head}\r\n`,
  },
  { name: 'connection duration, no bytes', manager: common({ max_connection_duration: limit }), first: '' },
  {
    name: 'connection duration, body drips',
    manager: common({ max_connection_duration: limit }),
    first: post,
    drip: 'x',
  },
  { name: 'too many fields', manager: common({ max_headers_count: 10 }), first: manyFields },
  {
    name: 'as many fields as allowed',
    manager: common({ max_headers_count: 60, idle_timeout: limit }),
    first: manyFields,
  },
  {
    name: 'head too large',
    manager: { max_request_headers_kb: 8 },
    first: `${head}x: ${'y'.repeat(20_000)}\r\n\r\n`,
  },
  {
    name: 'head too large, never complete',
    manager: { max_request_headers_kb: 8 },
    first: `${head}x: ${'y'.repeat(20_000)}`,
  },
];

/** Long enough for both: Envoy leaves a second between its last byte and the end. */
const patienceMs = 3500;

async function outcomeOf({ port }: Lane, row: Row): Promise<Outcome> {
  const socket = connect(port, '127.0.0.1', () => socket.write(row.first, 'latin1'));
  let text = '';
  socket.on('data', (chunk: Buffer) => {
    text += chunk.toString('latin1');
  });
  socket.on('error', () => undefined);
  const drip =
    row.drip === undefined
      ? undefined
      : setInterval(() => socket.writable && socket.write(row.drip ?? ''), 100);
  const ended = await Promise.race([over(socket), delay(patienceMs, false, { ref: false })]);
  clearInterval(drip);
  socket.destroy();
  return { statuses: statuses(text), ended };
}

function over(socket: Socket): Promise<true> {
  return Promise.race([once(socket, 'end'), once(socket, 'close')]).then(
    () => true,
    () => true,
  );
}

/** Takes everything and never answers. */
const silent = (): Handler => () => undefined;

async function outcomes(kind: Kind): Promise<readonly Outcome[]> {
  const laned = await LanedProxy.start(kind, {
    lanes: rows.length,
    handler: silent,
    listener: (name) => ({ manager: rows[Number(name.slice(2))]?.manager ?? {} }),
  });
  try {
    const all = await Promise.all(rows.map((row, index) => outcomeOf(laned.lanes[index] as Lane, row)));
    assert.ok(laned.proxy.alive, laned.proxy.log);
    return all;
  } finally {
    await laned.stop();
  }
}

describe('slow clients', () => {
  test('are cut off as by Envoy', async () => {
    const [embedded = [], envoy = []] = await Promise.all(kinds.map(outcomes));
    const compared = rows.map((row, index) => ({ row, embedded: embedded[index], envoy: envoy[index] }));
    assert.deepEqual(
      unexplained(compared, {
        'Envoy takes half a preface for a request under way; a connection that says no more is idle here': [
          'idle, half a preface',
          'idle, a preface',
        ],
      }),
      [],
    );
  });
});

describe('connections with half a head', () => {
  test('thousands of them leave the proxy answering, and what they held is let go', async () => {
    const laned = await LanedProxy.start('embedded', { handler: silent });
    const [lane] = laned.lanes;
    assert.ok(lane);
    const { proxy } = laned;
    try {
      const before = proxy.facts.descriptors;
      const sockets: Socket[] = [];
      for (let i = 0; i < 3000; i++) {
        const socket = connect(lane.port, '127.0.0.1');
        socket.on('error', () => undefined);
        socket.write('GET /slow HTTP/1.1\r\nHost: a\r\nx: ');
        sockets.push(socket);
        if (i % 100 === 99) await once(socket, 'connect');
      }
      const memory = proxy.facts.memory;
      const asking = connect(lane.port, '127.0.0.1', () =>
        asking.write('GET /admin HTTP/1.1\r\nHost: a\r\n\r\n'),
      );
      const [answer] = await once(asking, 'data');
      assert.match(String(answer), /^HTTP\/1.1 403/);
      asking.destroy();
      assert.ok(memory < 400, `${memory} MB`);
      for (const socket of sockets) socket.destroy();
      const until = performance.now() + 5000;
      while (proxy.facts.descriptors > before + 5 && performance.now() < until) await delay(50);
      assert.ok(
        proxy.facts.descriptors <= before + 5,
        `${before} descriptors before, ${proxy.facts.descriptors} after`,
      );
    } finally {
      await laned.stop();
    }
  });
});
