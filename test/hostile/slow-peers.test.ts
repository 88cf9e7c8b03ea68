// One side sends as fast as it can, the other does not read: what the proxy holds of it stays small.
import { strict as assert } from 'node:assert';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { bootstrap, cluster, type ListenerParts, routeTo, typed } from './bootstrap.ts';
import { freePorts } from './free-ports.ts';
import { H2Client } from './h2-client.ts';
import { block, endHeaders, endStream, frame, frameType, requestBlock, setting } from './h2-frames.ts';
import { ProxyProcess } from './proxy-process.ts';
import { type Handler, onEachHead, RawUpstream } from './raw-upstream.ts';

/**
 * How long is sent, and what memory may grow by: buffers of a few MB, and what the heap gains while it is in
 * use.
 */
const durationMs = 1000;
const allowedMb = 90;
/** The same traffic without limits fills hundreds of MB in that time. */
const limit = 600 << 20;

/** Sends while the other side takes it; returns how much that was. */
async function pour(socket: Socket, chunk: Buffer): Promise<number> {
  const end = performance.now() + durationMs;
  let sent = 0;
  while (performance.now() < end && sent < limit && !socket.destroyed) {
    sent += chunk.length;
    if (!socket.write(chunk))
      await Promise.race([once(socket, 'drain').catch(() => undefined), delay(end - performance.now())]);
    else await new Promise(setImmediate);
  }
  return sent;
}

const post = 'POST / HTTP/1.1\r\nHost: a\r\n';
const get = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
const upgrade = 'GET /ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n';
const switching = 'HTTP/1.1 101 X\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n';
const bytes = Buffer.alloc(1 << 16, 'x');
const chunk = Buffer.concat([Buffer.from('10000\r\n'), bytes, Buffer.from('\r\n')]);
const endless = 'Content-Length: 9000000000\r\n\r\n';

/** Reads the head of a request, answers with a text, and reads no more. */
const deaf =
  (answer = ''): (() => Handler) =>
  () =>
  ({ socket }) =>
    socket.once('data', () => {
      socket.pause();
      if (answer !== '') socket.write(answer);
    });

const pouring =
  (head: string, piece: Buffer): (() => Handler) =>
  () =>
    onEachHead((socket) => {
      socket.write(head);
      void pour(socket, piece);
    });

interface Scene {
  readonly handler: () => Handler;
  readonly listener?: (mirror: string) => Omit<ListenerParts, 'port'>;
  readonly mirror?: () => Handler;
  readonly act: (port: number) => Promise<() => void>;
}

/** A client that sends a head, then pours. */
const sending =
  (head: string, piece: Buffer): Scene['act'] =>
  async (port) => {
    const socket = connect(port, '127.0.0.1');
    socket.on('error', () => undefined);
    socket.write(head);
    await pour(socket, piece);
    return () => socket.destroy();
  };

/** A client that asks and does not read. */
const asking =
  (text: string): Scene['act'] =>
  async (port) => {
    const socket = connect(port, '127.0.0.1');
    socket.on('error', () => undefined);
    socket.pause();
    socket.write(text);
    await delay(durationMs);
    return () => socket.destroy();
  };

/** An HTTP/2 client with a window of that size, which does not read. */
const askingHttp2 =
  (streams: number, window: number): Scene['act'] =>
  async (port) => {
    const client = await H2Client.open(port, setting(4, window), false);
    for (let i = 0; i < streams; i++)
      client.send(frame(frameType.headers, endHeaders | endStream, 1 + 2 * i, requestBlock()));
    await delay(durationMs);
    return () => client.close();
  };

const delayed = typed('envoy.filters.http.fault', 'extensions.filters.http.fault.v3.HTTPFault', {
  delay: { fixed_delay: '30s', percentage: { numerator: 100 } },
});
const hints = Buffer.from(`HTTP/1.1 103 Early Hints\r\nLink: ${'x'.repeat(1000)}\r\n\r\n`.repeat(60));
const websocket = block([
  [':method', 'CONNECT'],
  [':protocol', 'websocket'],
  [':path', '/ws'],
  [':scheme', 'http'],
  [':authority', 'a'],
]);

const scenes: Readonly<Record<string, Scene>> = {
  'a counted upload to a host that does not read': { handler: deaf(), act: sending(post + endless, bytes) },
  'a chunked upload to a host that does not read': {
    handler: deaf(),
    act: sending(`${post}Transfer-Encoding: chunked\r\n\r\n`, chunk),
  },
  'an upload of tiny chunks': {
    handler: deaf(),
    act: sending(`${post}Transfer-Encoding: chunked\r\n\r\n`, Buffer.from('1\r\nx\r\n'.repeat(10_000))),
  },
  'an upload that might be sent again': {
    handler: deaf(),
    listener: () => ({ routes: [routeTo('up', { retry_policy: { retry_on: '5xx', num_retries: 2 } })] }),
    act: sending(post + endless, bytes),
  },
  'an upgrade that is not answered': { handler: deaf(), act: sending(upgrade, bytes) },
  'a tunnel to a host that does not read': { handler: deaf(switching), act: sending(upgrade, bytes) },
  'requests behind one that is not answered': {
    handler: deaf(),
    act: sending(get, Buffer.from(get.repeat(2000))),
  },
  'an upload that was refused': {
    handler: deaf(),
    act: sending(post.replace('/', '/admin') + endless, bytes),
  },
  'an upload held up by a fault': {
    handler: deaf(),
    listener: () => ({ filters: [delayed] }),
    act: sending(post + endless, bytes),
  },
  'an upload copied to a mirror that does not read': {
    handler:
      () =>
      ({ socket }) =>
        void socket.resume(),
    mirror: deaf(),
    listener: (mirror) => ({ routes: [routeTo('up', { request_mirror_policies: [{ cluster: mirror }] })] }),
    act: sending(post + endless, bytes),
  },
  'answers of the proxy that are not read': {
    handler: deaf(),
    listener: () => ({
      routes: [
        {
          match: { prefix: '/' },
          direct_response: { status: 200, body: { inline_string: 'x'.repeat(4000) } },
        },
      ],
    }),
    act: sending(get, Buffer.from(get.repeat(500))),
  },
  'a counted download that is not read': {
    handler: pouring(`HTTP/1.1 200 OK\r\n${endless}`, bytes),
    act: asking(get),
  },
  'a chunked download that is not read': {
    handler: pouring('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n', chunk),
    act: asking(get),
  },
  'an uncounted download that is not read': {
    handler: pouring('HTTP/1.1 200 OK\r\n\r\n', bytes),
    act: asking(get),
  },
  'a tunnel that is not read': { handler: pouring(switching, bytes), act: asking(upgrade) },
  'endless 103': { handler: pouring('', hints), act: asking(get) },
  'endless 100': {
    handler: pouring('', Buffer.from('HTTP/1.1 100 Continue\r\n\r\n'.repeat(2000))),
    act: asking(get),
  },
  'endless 103 over HTTP/2': { handler: pouring('', hints), act: askingHttp2(1, 65_535) },
  'a download over HTTP/2 with no window': {
    handler: pouring(`HTTP/1.1 200 OK\r\n${endless}`, bytes),
    act: askingHttp2(1, 0),
  },
  'a hundred downloads over HTTP/2 with no window': {
    handler: pouring(`HTTP/1.1 200 OK\r\n${endless}`, bytes),
    act: askingHttp2(100, 0),
  },
  'a hundred downloads over an HTTP/2 connection that is not read': {
    handler: pouring(`HTTP/1.1 200 OK\r\n${endless}`, bytes),
    act: askingHttp2(100, 0x7fffffff),
  },
  'an extended CONNECT that is not answered': {
    handler: deaf(),
    listener: () => ({ manager: { http2_protocol_options: { allow_connect: true } } }),
    act: async (port) => {
      const client = await H2Client.open(port);
      client.send(frame(frameType.headers, endHeaders, 1, websocket));
      // As much as the windows of the stream and the connection hold, and no more is allowed for.
      await pour(client.socket, frame(frameType.data, 0, 1, bytes.subarray(0, 16_000)));
      return () => client.close();
    },
  },
};

// Mostly waiting: several at a time.
describe('a slow peer', { concurrency: 3 }, () => {
  for (const [name, scene] of Object.entries(scenes))
    test(name, { timeout: 30_000 }, async (t) => {
      const [adminPort = 0, port = 0] = await freePorts(2);
      const upstream = await RawUpstream.start(scene.handler());
      const mirror = await RawUpstream.start(scene.mirror?.());
      const clusters = [cluster('up', upstream.port), cluster('mirror', mirror.port)];
      const proxy = await ProxyProcess.start(
        'embedded',
        bootstrap({ adminPort, listeners: [{ ...scene.listener?.('mirror'), port }], clusters }),
      );
      try {
        const before = proxy.facts.memory;
        const finish = await scene.act(port);
        const after = proxy.facts.peakMemory;
        finish();
        t.diagnostic(`${before.toFixed(0)} MB before, at most ${after.toFixed(0)} MB`);
        assert.ok(proxy.alive, proxy.log);
        assert.ok(after - before < allowedMb, `${before.toFixed(0)} MB, then ${after.toFixed(0)} MB`);
      } finally {
        await proxy.stop();
        await upstream.stop();
        await mirror.stop();
      }
    });
});
