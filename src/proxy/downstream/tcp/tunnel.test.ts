import assert from 'node:assert/strict';
import { once } from 'node:events';
import http from 'node:http';
import http2 from 'node:http2';
import net from 'node:net';
import { after, test } from 'node:test';
import {
  cluster,
  freePort,
  listener,
  overHttp2,
  portOf,
  startFake,
  talk,
  tcpFilter,
} from '../../fake-bootstrap.ts';

const cleanups: (() => unknown)[] = [];
after(async () => {
  for (const clean of cleanups.reverse()) await clean();
});

/** A proxy whose one listener tunnels to the upstream; resolves with its port. */
async function tunnelTo(upstream: number, tunneling: object, extra: object = {}): Promise<number> {
  const port = await freePort();
  const proxy = await startFake({
    listeners: [
      listener(port, [
        tcpFilter('up', {
          tunneling_config: { hostname: 'target.example:443', ...tunneling },
          max_connect_attempts: 2,
        }),
      ]),
    ],
    clusters: [cluster('up', [upstream], extra)],
  });
  cleanups.push(() => proxy.stop());
  await proxy.ready;
  return port;
}

interface Seen {
  readonly target: string;
  readonly headers: http.IncomingHttpHeaders;
}

async function forwardProxy(status: number, seen: Seen[]): Promise<number> {
  const server = http.createServer();
  server.on('connect', (request, socket: net.Socket, first: Buffer) => {
    seen.push({ target: request.url ?? '', headers: request.headers });
    socket.on('error', () => undefined);
    socket.write(`HTTP/1.1 ${status} Status\r\nx-hidden: yes\r\n\r\n`);
    if (status !== 200) return void socket.end();
    if (first.length > 0) socket.write(`got ${first}`);
    socket.on('data', (chunk: Buffer) => socket.write(`got ${chunk}`));
    socket.on('end', () => socket.end(' bye'));
  });
  cleanups.push(() => server.close());
  return portOf(server);
}

test('HTTP/1.1 CONNECT: bytes both ways, nothing of the head', async () => {
  const seen: Seen[] = [];
  const port = await tunnelTo(await forwardProxy(200, seen), {
    headers_to_add: [{ header: { key: 'x-from', value: '%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%' } }],
  });
  assert.deepEqual(await talk(port, 'hello', 'got hello'), { received: 'got hello', ended: 'enough' });
  assert.deepEqual(
    seen.map((one) => [one.target, one.headers.host, one.headers['x-from']]),
    [['target.example:443', 'target.example:443', '127.0.0.1']],
  );
});

test('the authority may be made of what is known of the connection', async () => {
  const seen: Seen[] = [];
  const port = await tunnelTo(await forwardProxy(200, seen), {
    hostname: '%REQUESTED_SERVER_NAME%.example:%DOWNSTREAM_LOCAL_PORT%',
  });
  await talk(port, 'hello', 'got hello');
  assert.equal(seen[0]?.target, `-.example:${port}`);
});

test('half a close goes through the tunnel', async () => {
  const port = await tunnelTo(await forwardProxy(200, []), {});
  const socket = net.connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  socket.end('x');
  let received = '';
  socket.on('data', (chunk: Buffer) => {
    received += chunk;
  });
  await once(socket, 'end');
  assert.equal(received, 'got x bye');
});

test('a host that refuses, or does not speak HTTP, or is not there: closed, after the attempts allowed', async () => {
  const seen: Seen[] = [];
  const refusing = await tunnelTo(await forwardProxy(403, seen), {});
  assert.equal((await talk(refusing, 'hello')).received, '');
  assert.equal(seen.length, 2);

  const raw = net.createServer((socket) => socket.on('error', () => undefined).end('220 smtp\r\n'));
  cleanups.push(() => raw.close());
  assert.equal((await talk(await tunnelTo(await portOf(raw), {}), 'hello')).received, '');
  assert.equal((await talk(await tunnelTo(await freePort(), {}), 'hello')).received, '');
});

test('HTTP/2 CONNECT', async () => {
  const server = http2.createServer();
  const seen: http2.IncomingHttpHeaders[] = [];
  server.on('connect', (_request: unknown, _socket: unknown) => undefined);
  server.on('stream', (stream, headers) => {
    seen.push(headers);
    stream.respond({ ':status': 200 });
    stream.on('data', (chunk: Buffer) => stream.write(`got ${chunk}`));
  });
  cleanups.push(() => server.close());
  const port = await tunnelTo(await portOf(server), {}, overHttp2);
  assert.deepEqual(await talk(port, 'hello', 'got hello'), { received: 'got hello', ended: 'enough' });
  const [head] = seen;
  assert.deepEqual(
    [head?.[':method'], head?.[':authority'], head?.[':path'], head?.[':scheme']],
    ['CONNECT', 'target.example:443', undefined, undefined],
  );
});

test('POST instead of CONNECT, over both protocols', async () => {
  const plain = http.createServer((request, response) => {
    response.writeHead(200);
    response.flushHeaders();
    request.on('data', (chunk: Buffer) => response.write(`${request.method} ${request.url} ${chunk}`));
  });
  const h2 = http2.createServer((request, response) => {
    response.writeHead(200);
    request.on('data', (chunk: Buffer) => response.write(`${request.method} ${request.url} ${chunk}`));
  });
  cleanups.push(
    () => plain.close(),
    () => h2.close(),
  );
  const tunneling = { use_post: true, post_path: '/through' };
  assert.equal(
    (await talk(await tunnelTo(await portOf(plain), tunneling), 'hi', 'hi')).received,
    'POST /through hi',
  );
  assert.equal(
    (await talk(await tunnelTo(await portOf(h2), tunneling, overHttp2), 'hi', 'hi')).received,
    'POST /through hi',
  );
});

test('a server that speaks first is heard', async () => {
  const server = http.createServer();
  server.on('connect', (_request, socket: net.Socket) => socket.write('HTTP/1.1 200 OK\r\n\r\n220 ready'));
  cleanups.push(
    () => server.closeAllConnections(),
    () => server.close(),
  );
  assert.equal((await talk(await tunnelTo(await portOf(server), {}), '', '220 ready')).received, '220 ready');
});
