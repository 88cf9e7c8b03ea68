// HTTP/2 over TLS that ends without GOAWAY, on either side.
import { strict as assert } from 'node:assert';
import { once } from 'node:events';
import { createSecureServer, type ServerHttp2Session } from 'node:http2';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { connect as connectTls } from 'node:tls';
import { FakeAuthority } from '../../src/proxy/tls/fake-certificates.ts';
import { bootstrap, cluster, http2, typed } from './bootstrap.ts';
import { freePorts } from './free-ports.ts';
import { endHeaders, endStream, frame, frameType, preface, requestBlock } from './h2-frames.ts';
import { ProxyProcess } from './proxy-process.ts';
import { send, statuses } from './raw-client.ts';
import { okResponse, onEachHead, RawUpstream } from './raw-upstream.ts';

const whole = endHeaders | endStream;
const tlsType = 'extensions.transport_sockets.tls.v3';

test('a client that closes, with and without a request under way', async () => {
  const authority = await FakeAuthority.create('root');
  const { cert, key } = await authority.issue({ names: ['a.com'] });
  const [adminPort = 0, port = 0] = await freePorts(2);
  const upstream = await RawUpstream.start(
    onEachHead((socket, head) => {
      if (!head.includes('/hang')) socket.write(okResponse);
    }),
  );
  const transportSocket = typed('envoy.transport_sockets.tls', `${tlsType}.DownstreamTlsContext`, {
    common_tls_context: {
      alpn_protocols: ['h2', 'http/1.1'],
      tls_certificates: [{ certificate_chain: { inline_string: cert }, private_key: { inline_string: key } }],
    },
  });
  const proxy = await ProxyProcess.start(
    'embedded',
    bootstrap({
      adminPort,
      listeners: [{ port, transportSocket }],
      clusters: [cluster('up', upstream.port)],
    }),
  );
  try {
    const leave = async (path: string, how: 'destroy' | 'end'): Promise<void> => {
      const socket = connectTls({
        host: '127.0.0.1',
        port,
        ALPNProtocols: ['h2'],
        rejectUnauthorized: false,
      });
      await once(socket, 'secureConnect');
      socket.write(
        Buffer.concat([
          preface,
          frame(frameType.settings, 0, 0),
          frame(frameType.headers, whole, 1, requestBlock({ path })),
        ]),
      );
      await once(socket, 'data');
      await delay(30);
      const closed = once(socket, 'close');
      socket[how]();
      await closed;
    };
    for (const path of ['/', '/hang'])
      for (const how of ['destroy', 'end'] as const) for (let i = 0; i < 5; i++) await leave(path, how);
    const names = [
      'http.in.downstream_cx_active',
      'http.in.downstream_rq_active',
      'cluster.up.upstream_rq_active',
    ];
    const limit = performance.now() + 4000;
    let held: readonly (number | undefined)[] = [];
    do {
      const values = await proxy.statistics();
      held = names.map((name) => values.get(name));
    } while (held.some((value) => value !== 0) && performance.now() < limit);
    assert.deepEqual(held, [0, 0, 0]);
  } finally {
    await proxy.stop();
    await upstream.stop();
  }
});

test('clients that go at any moment of the handshake leave nothing, long before it would time out', async () => {
  const authority = await FakeAuthority.create('root');
  const { cert, key } = await authority.issue({ names: ['a.com'] });
  const [adminPort = 0, port = 0] = await freePorts(2);
  const transportSocket = typed('envoy.transport_sockets.tls', `${tlsType}.DownstreamTlsContext`, {
    common_tls_context: {
      tls_certificates: [{ certificate_chain: { inline_string: cert }, private_key: { inline_string: key } }],
    },
  });
  const proxy = await ProxyProcess.start(
    'embedded',
    bootstrap({ adminPort, listeners: [{ port, transportSocket }], clusters: [] }),
  );
  try {
    const { descriptors } = proxy.facts;
    for (let i = 0; i < 200; i++) {
      const socket = connect(port, '127.0.0.1');
      socket.on('error', () => undefined);
      connectTls({ socket, rejectUnauthorized: false }).on('error', () => undefined);
      await delay((i % 20) / 4);
      if (i % 2 === 0) socket.resetAndDestroy();
      else socket.destroy();
    }
    const limit = performance.now() + 5000;
    while (proxy.facts.descriptors > descriptors + 5 && performance.now() < limit) await delay(100);
    assert.ok(
      proxy.facts.descriptors <= descriptors + 5,
      `${descriptors} descriptors became ${proxy.facts.descriptors}`,
    );
  } finally {
    await proxy.stop();
  }
});

test('a host that ends: what waits fails at once, and the next request finds it again', async () => {
  const authority = await FakeAuthority.create('root');
  const { cert, key } = await authority.issue({ names: ['a.com'] });
  const sessions = new Set<ServerHttp2Session>();
  const host = createSecureServer({ cert, key }, (request, response) => {
    if (request.url !== '/hang') response.end('ok');
  });
  host.on('session', (session) => sessions.add(session));
  host.listen(0, '127.0.0.1');
  await once(host, 'listening');
  const [adminPort = 0, port = 0] = await freePorts(2);
  const transport = {
    transport_socket: typed('envoy.transport_sockets.tls', `${tlsType}.UpstreamTlsContext`, { sni: 'a.com' }),
  };
  const up = cluster('up', (host.address() as AddressInfo).port, { ...http2(), ...transport });
  const proxy = await ProxyProcess.start(
    'embedded',
    bootstrap({ adminPort, listeners: [{ port }], clusters: [up] }),
  );
  const ask = async (path: string): Promise<readonly number[]> =>
    statuses(
      (await send(port, `GET ${path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`, { patienceMs: 4000 }))
        .text,
    );
  try {
    assert.deepEqual(await ask('/'), [200]);
    for (const end of [(socket: Socket) => void socket.end(), (socket: Socket) => void socket.destroy()]) {
      const waiting = ask('/hang');
      await delay(100);
      for (const session of sessions) if (!session.destroyed) end(rawSocket(session));
      assert.deepEqual(await waiting, [503]);
      assert.deepEqual(await ask('/'), [200]);
    }
  } finally {
    await proxy.stop();
    for (const session of sessions) session.destroy();
    host.close();
  }
});

/** The socket itself: node:http2 shows a stand-in that does not let it be ended. */
function rawSocket(session: ServerHttp2Session): Socket {
  const key = Object.getOwnPropertySymbols(session).find((symbol) => symbol.description === 'socket');
  const socket = key && (session as unknown as Readonly<Record<symbol, unknown>>)[key];
  assert.ok(socket);
  return socket as Socket;
}
