// A TLS listener that chooses by server name, and everything but a proper handshake.
import { strict as assert } from 'node:assert';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { connect as connectTls } from 'node:tls';
import { FakeAuthority, type Pair } from '../../src/proxy/tls/fake-certificates.ts';
import { bootstrap, cluster, type Json, typed } from './bootstrap.ts';
import { unexplained } from './explained.ts';
import { freePorts } from './free-ports.ts';
import { accepting, type Kind, kinds, ProxyProcess } from './proxy-process.ts';
import { statuses } from './raw-client.ts';

const names = ['a.com', 'b.com'];
const limit = '1s';

function chain(name: string, pair: Pair): Json {
  const route = { match: { prefix: '/' }, direct_response: { status: 200, body: { inline_string: name } } };
  const manager = typed(
    'envoy.filters.network.http_connection_manager',
    'extensions.filters.network.http_connection_manager.v3.HttpConnectionManager',
    {
      stat_prefix: name,
      route_config: { virtual_hosts: [{ name: 'v', domains: ['*'], routes: [route] }] },
      http_filters: [typed('envoy.filters.http.router', 'extensions.filters.http.router.v3.Router')],
    },
  );
  const certificate = {
    certificate_chain: { inline_string: pair.cert },
    private_key: { inline_string: pair.key },
  };
  return {
    filter_chain_match: { server_names: [name] },
    filters: [manager],
    transport_socket_connect_timeout: limit,
    transport_socket: typed('tls', 'extensions.transport_sockets.tls.v3.DownstreamTlsContext', {
      common_tls_context: { alpn_protocols: ['h2', 'http/1.1'], tls_certificates: [certificate] },
    }),
  };
}

/** The hello of a real client. */
async function helloFor(servername: string): Promise<Buffer> {
  const [port = 0] = await freePorts(1);
  const server = createServer();
  server.listen(port, '127.0.0.1');
  const client = connectTls({ port, host: '127.0.0.1', servername, ALPNProtocols: ['http/1.1'] });
  client.on('error', () => undefined);
  const [socket] = (await once(server, 'connection')) as [Socket];
  const [hello] = (await once(socket, 'data')) as [Buffer];
  client.destroy();
  socket.destroy();
  server.close();
  return hello;
}

interface Row {
  readonly name: string;
  readonly pieces: readonly Buffer[];
}

function rowsWith(hello: Buffer): readonly Row[] {
  const bytes = (text: string): Buffer => Buffer.from(text, 'latin1');
  const records = [...hello.subarray(5)].map((byte) => Buffer.from([0x16, 3, 1, 0, 1, byte]));
  const big = [Buffer.concat([bytes('\x16\x03\x01\x40\x00\x01\xff\xff\xff'), Buffer.alloc(16_380)])];
  for (let i = 0; i < 8; i++) big.push(Buffer.concat([bytes('\x16\x03\x01\x40\x00'), Buffer.alloc(16_384)]));
  return [
    { name: 'a hello', pieces: [hello] },
    { name: 'in single bytes', pieces: [...hello].map((byte) => Buffer.from([byte])) },
    { name: 'in records of a byte', pieces: [Buffer.concat(records)] },
    { name: 'with garbage behind it', pieces: [Buffer.concat([hello, Buffer.alloc(1000, 0xff)])] },
    { name: 'half of one', pieces: [hello.subarray(0, 60)] },
    { name: 'nothing', pieces: [] },
    { name: 'garbage', pieces: [Buffer.concat([Buffer.from([0x7f]), randomBytes(300)])] },
    { name: 'plain HTTP', pieces: [bytes('GET / HTTP/1.1\r\nHost: a.com\r\n\r\n')] },
    {
      name: 'a PROXY header that was not asked for',
      pieces: [Buffer.concat([bytes('PROXY TCP4 1.1.1.1 2.2.2.2 1 2\r\n'), hello])],
    },
    { name: 'one that claims 16 MB', pieces: big },
    { name: 'empty records', pieces: [bytes('\x16\x03\x01\0\0'.repeat(3000))] },
    { name: 'an alert', pieces: [bytes('\x15\x03\x01\0\x02\x02\x28')] },
    { name: 'SSL 2', pieces: [bytes(`\x80\x2e\x01\x00\x02\x00\x15\x00\x00\x00\x10${'\x01'.repeat(40)}`)] },
    {
      name: 'lengths that lie',
      pieces: [
        Buffer.concat([
          bytes('\x16\x03\x01\0\x40\x01\0\0\x3c\x03\x03'),
          Buffer.alloc(32),
          Buffer.from([0xff]),
          Buffer.alloc(26),
        ]),
      ],
    },
  ];
}

type Outcome = 'a server hello' | 'closed' | 'open';

/** What comes back within the limits of the listener and a little more. */
async function outcomeOf(port: number, row: Row): Promise<Outcome> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  let received = 0;
  socket.on('data', (chunk: Buffer) => {
    received += chunk.length;
  });
  socket.on('error', () => undefined);
  const closed = Promise.race([once(socket, 'end'), once(socket, 'close')]).then(
    () => 'closed' as const,
    () => 'closed' as const,
  );
  await once(socket, 'connect').catch(() => undefined);
  for (const piece of row.pieces) {
    if (!socket.destroyed) socket.write(piece);
    if (row.pieces.length > 20) await new Promise(setImmediate);
  }
  const outcome = await Promise.race([
    closed,
    delay(3000, 'open' as const, { ref: false }),
    helloed(socket, () => received),
  ]);
  socket.destroy();
  return outcome;
}

async function helloed(socket: Socket, received: () => number): Promise<Outcome> {
  while (received() < 500) await once(socket, 'data').catch(() => new Promise(() => undefined));
  return 'a server hello';
}

function get(port: number, servername: string): Promise<readonly [readonly number[], string] | 'refused'> {
  return new Promise((resolve) => {
    const socket = connectTls(
      { port, host: '127.0.0.1', servername, rejectUnauthorized: false, ALPNProtocols: ['http/1.1'] },
      () => socket.write(`GET / HTTP/1.1\r\nHost: ${servername}\r\nConnection: close\r\n\r\n`),
    );
    let text = '';
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1');
    });
    socket.on('end', () => resolve(text === '' ? 'refused' : [statuses(text), text.slice(-5)]));
    socket.on('error', () => resolve('refused'));
  });
}

describe('a TLS listener', () => {
  const started = new Map<Kind, { proxy: ProxyProcess; port: number }>();
  let rows: readonly Row[] = [];

  before(async () => {
    const authority = await FakeAuthority.create('root');
    const pairs = await Promise.all(names.map((name) => authority.issue({ names: [name] })));
    rows = rowsWith(await helloFor('a.com'));
    for (const kind of kinds) {
      const [adminPort = 0, port = 0] = await freePorts(2);
      const config = bootstrap({
        adminPort,
        listeners: [{ port, fields: fields(pairs) }],
        clusters: [cluster('up', 1)],
      });
      started.set(kind, { proxy: await ProxyProcess.start(kind, config), port });
      await accepting(port);
    }
  });
  after(() => Promise.all([...started.values()].map(({ proxy }) => proxy.stop())));

  const fields = (pairs: readonly Pair[]): Json => ({
    listener_filters_timeout: limit,
    listener_filters: [
      typed(
        'envoy.filters.listener.tls_inspector',
        'extensions.filters.listener.tls_inspector.v3.TlsInspector',
      ),
    ],
    filter_chains: names.map((name, index) => chain(name, pairs[index] ?? { cert: '', key: '' })),
  });
  const on = (kind: Kind): { proxy: ProxyProcess; port: number } => {
    const one = started.get(kind);
    assert.ok(one);
    return one;
  };

  test('serves by server name', async () => {
    for (const kind of kinds) {
      const { port } = on(kind);
      assert.deepEqual(await get(port, 'a.com'), [[200], 'a.com'], kind);
      assert.deepEqual(await get(port, 'b.com'), [[200], 'b.com'], kind);
      assert.equal(await get(port, 'c.com'), 'refused', kind);
    }
  });

  test('takes handshakes apart as Envoy does', async () => {
    const both = await Promise.all(
      kinds.map((kind) => Promise.all(rows.map((row) => outcomeOf(on(kind).port, row)))),
    );
    const compared = rows.map((row, index) => ({ row, embedded: both[0]?.[index], envoy: both[1]?.[index] }));
    assert.deepEqual(unexplained(compared, {}), []);
    assert.deepEqual(
      compared.map(({ embedded }) => embedded).filter((outcome) => outcome === 'open'),
      [],
    );
    for (const kind of kinds) assert.deepEqual(await get(on(kind).port, 'a.com'), [[200], 'a.com'], kind);
  });

  test('lets half handshakes go when their time is over, and says that they failed', async () => {
    const { proxy, port } = on('embedded');
    const hello = rows[0]?.pieces[0] ?? Buffer.alloc(0);
    await delay(1500);
    const before = proxy.facts.descriptors;
    const sockets = Array.from({ length: 500 }, () => {
      const socket = connect(port, '127.0.0.1', () => socket.write(hello));
      return socket.on('error', () => undefined);
    });
    await Promise.all(sockets.map((socket) => once(socket, 'connect')));
    assert.deepEqual(await get(port, 'a.com'), [[200], 'a.com']);
    const limit = performance.now() + 8000;
    while (proxy.facts.descriptors > before + 2 && performance.now() < limit) await delay(100);
    assert.ok(
      proxy.facts.descriptors <= before + 2,
      `${before} descriptors before, ${proxy.facts.descriptors} after`,
    );
    for (const socket of sockets) socket.destroy();
    const failed =
      (await proxy.statistics()).get(
        `listener.127.0.0.1_${port}.downstream_cx_transport_socket_connect_timeout`,
      ) ?? 0;
    assert.ok(failed >= 400, `${failed} counted`);
    const lines = proxy.log.split('\n').filter((line) => line.includes('TLS handshake with'));
    assert.ok(lines.length > 0 && lines.length < 50, `${lines.length} lines`);
  });
});
