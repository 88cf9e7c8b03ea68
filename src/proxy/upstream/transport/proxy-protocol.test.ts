import assert from 'node:assert/strict';
import net from 'node:net';
import { after, test } from 'node:test';
import {
  cluster,
  freePort,
  httpFilter,
  listener,
  portOf,
  startFake,
  talk,
  tcpFilter,
} from '../../fake-bootstrap.ts';

const cleanups: (() => unknown)[] = [];
after(async () => {
  for (const clean of cleanups.reverse()) await clean();
});

const transport = (version: string): object => ({
  transport_socket: {
    name: 'envoy.transport_sockets.upstream_proxy_protocol',
    typed_config: {
      '@type':
        'type.googleapis.com/envoy.extensions.transport_sockets.proxy_protocol.v3.ProxyProtocolUpstreamTransport',
      config: { version },
      transport_socket: {
        name: 'envoy.transport_sockets.raw_buffer',
        typed_config: {
          '@type': 'type.googleapis.com/envoy.extensions.transport_sockets.raw_buffer.v3.RawBuffer',
        },
      },
    },
  },
});

/** What the upstream received on each of its connections. */
async function upstream(): Promise<{ port: number; seen: string[] }> {
  const seen: string[] = [];
  const server = net.createServer((socket) => {
    const index = seen.push('') - 1;
    socket.on('error', () => undefined);
    socket.on('data', (chunk: Buffer) => {
      seen[index] += chunk.toString('latin1');
      socket.write('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok');
    });
  });
  cleanups.push(() => server.close());
  return { port: await portOf(server), seen };
}

async function proxy(filter: object, clusters: readonly object[]): Promise<number> {
  const port = await freePort();
  const started = await startFake({ listeners: [listener(port, [filter])], clusters });
  cleanups.push(() => started.stop());
  await started.ready;
  return port;
}

const http = httpFilter([{ match: { prefix: '/' }, route: { cluster: 'up' } }], {
  generate_request_id: false,
});

test('each client has connections of its own, that begin with its address', async () => {
  const { port: up, seen } = await upstream();
  const port = await proxy(http, [cluster('up', [up], transport('V1'))]);
  const get = 'GET / HTTP/1.1\r\nhost: a\r\n\r\n';
  for (let i = 0; i < 2; i++) assert.match((await talk(port, get, 'ok')).received, /^HTTP\/1.1 200/);
  assert.equal(seen.length, 2);
  const heads = seen.map(
    (text) =>
      new RegExp(`^PROXY TCP4 127\\.0\\.0\\.1 127\\.0\\.0\\.1 (\\d+) ${port}\\r\\nGET / HTTP/1`).exec(
        text,
      )?.[1],
  );
  assert.ok(heads[0] !== undefined && heads[1] !== undefined && heads[0] !== heads[1], seen.join('\n'));
});

test('requests of one client share their connection', async () => {
  const { port: up, seen } = await upstream();
  const port = await proxy(http, [cluster('up', [up], transport('V2'))]);
  const socket = net.connect(port, '127.0.0.1');
  let received = '';
  for (let answers = 1; answers <= 2; answers++) {
    socket.write('GET / HTTP/1.1\r\nhost: a\r\n\r\n');
    while (received.split('ok').length <= answers)
      received += String(await new Promise((resolve) => socket.once('data', resolve)));
  }
  socket.destroy();
  assert.equal(seen.length, 1);
  assert.equal(seen[0]?.split('QUIT').length, 2);
});

test('for TCP, too', async () => {
  const { port: up, seen } = await upstream();
  const port = await proxy(tcpFilter('up'), [cluster('up', [up], transport('V2'))]);
  await talk(port, 'hello', 'ok');
  const start = '\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c';
  assert.deepEqual([seen[0]?.slice(0, start.length), seen[0]?.slice(start.length + 12)], [start, 'hello']);
});

test('a transport that is not understood is no reason to send in the clear', async () => {
  const { port: up, seen } = await upstream();
  const odd = {
    transport_socket: {
      name: 'envoy.transport_sockets.quantum',
      typed_config: { '@type': 'type.googleapis.com/x.Quantum' },
    },
  };
  const port = await proxy(http, [cluster('up', [up], odd)]);
  assert.match(
    (await talk(port, 'GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n')).received,
    /^HTTP\/1.1 503/,
  );
  assert.deepEqual(seen, []);
});
