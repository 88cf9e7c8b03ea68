// Peers that end in every way at every stage: what they held is let go, and what waited for them fails at
// once.
import { strict as assert } from 'node:assert';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { http2 } from './bootstrap.ts';
import { H2Client, outcome } from './h2-client.ts';
import { ack, endHeaders, endStream, frame, frameType, preface, requestBlock } from './h2-frames.ts';
import { h2Host } from './h2-host.ts';
import type { ProxyProcess } from './proxy-process.ts';
import { send, statuses } from './raw-client.ts';
import { type Handler, onEachHead, RawUpstream } from './raw-upstream.ts';
import { type Lane, LanedProxy, type LaneOptions } from './side-by-side.ts';

/**
 * Everything that a proxy may still hold: all 0 once its peers are gone (connections to hosts may be kept).
 */
const gauges = [
  'http.in.downstream_cx_active',
  'http.in.downstream_rq_active',
  'cluster.up0.upstream_rq_active',
];

async function released(proxy: ProxyProcess, names = gauges): Promise<void> {
  const held = async (): Promise<string> => {
    const values = await proxy.statistics();
    return names
      .filter((name) => values.get(name) !== 0)
      .map((name) => `${name}: ${values.get(name)}`)
      .join(', ');
  };
  const limit = performance.now() + 5000;
  while ((await held()) !== '' && performance.now() < limit) await delay(50);
  assert.equal(await held(), '');
}

async function withProxy(
  options: LaneOptions,
  body: (lane: Lane, proxy: ProxyProcess) => Promise<void>,
): Promise<void> {
  const laned = await LanedProxy.start('embedded', options);
  const [lane] = laned.lanes;
  try {
    assert.ok(lane);
    await body(lane, laned.proxy);
    assert.ok(laned.proxy.alive, laned.proxy.log);
  } finally {
    await laned.stop();
  }
}

const get = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
const upgrade = 'GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n';
const h2 = (flags: number, method = 'GET'): string =>
  Buffer.concat([
    preface,
    frame(frameType.settings, 0, 0),
    frame(frameType.headers, flags | endHeaders, 1, requestBlock({ method })),
  ]).toString('latin1');

const messages: Readonly<Record<string, string>> = {
  'half a head': 'GET / HTTP/1.1\r\nHo',
  'a request': get,
  'three requests': get.repeat(3),
  'an unfinished body': 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nabc',
  'an unfinished chunk': 'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab',
  'an upgrade': upgrade,
  'an upgrade with early data': `${upgrade}abc`,
  'an HTTP/2 preface': h2(endStream).slice(0, 33),
  'an HTTP/2 request': h2(endStream),
  'an unfinished HTTP/2 request': h2(0, 'POST'),
};

const endings: Readonly<Record<string, (socket: Socket) => void>> = {
  'a FIN': (socket) => socket.destroySoon(),
  'a reset': (socket) => socket.resetAndDestroy(),
  'half a close, then the other half': (socket) => {
    socket.end();
    setTimeout(() => socket.destroy(), 20);
  },
};

const begin = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n';
const hosts: Readonly<Record<string, () => Handler>> = {
  answers: () =>
    onEachHead((socket) => {
      setTimeout(() => socket.write(begin), 10);
      setTimeout(() => socket.write('0\r\n\r\n'), 20);
    }),
  'never answers':
    () =>
    ({ socket }) =>
      void socket.on('end', () => socket.end()),
  'resets in the middle': () =>
    onEachHead((socket) => {
      socket.write(begin);
      setTimeout(() => socket.resetAndDestroy(), 10);
    }),
  'half-closes in the middle': () => onEachHead((socket) => void socket.end(begin)),
  'switches protocols': () =>
    onEachHead(
      (socket) =>
        void socket.write('HTTP/1.1 101 S\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nhello'),
    ),
};

describe('a client that goes away', () => {
  for (const [host, handler] of Object.entries(hosts))
    test(`from a host that ${host}`, () =>
      withProxy({ handler }, async (lane, proxy) => {
        for (const message of Object.values(messages))
          for (const end of Object.values(endings)) await leave(lane.port, message, end);
        await released(proxy);
        const before = proxy.facts.descriptors;
        for (const message of Object.values(messages))
          for (const end of Object.values(endings)) await leave(lane.port, message, end);
        await released(proxy);
        assert.ok(
          proxy.facts.descriptors <= before + 5,
          `${before} descriptors, then ${proxy.facts.descriptors}`,
        );
      }));
});

/** Six clients, each with a little more time before it leaves. */
async function leave(port: number, message: string, end: (socket: Socket) => void): Promise<void> {
  await Promise.all(
    Array.from({ length: 6 }, async (_, index) => {
      const socket = connect(port, '127.0.0.1');
      socket.on('error', () => undefined);
      await once(socket, 'connect');
      socket.write(message, 'latin1');
      await delay(6 * index);
      const closed = once(socket, 'close');
      socket.resume();
      end(socket);
      await closed;
    }),
  );
}

describe('an HTTP/2 host that goes away', () => {
  const ask = async (lane: Lane): Promise<readonly number[]> =>
    statuses(
      (await send(lane.port, 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n', { patienceMs: 4000 }))
        .text,
    );

  for (const [how, end] of Object.entries({
    'with a FIN': (socket: Socket) => socket.end(),
    'with a reset': (socket: Socket) => socket.resetAndDestroy(),
  }))
    test(how, async () => {
      const state = { answers: true, acknowledges: true };
      await withProxy({ handler: () => h2Host(state), cluster: http2() }, async (lane, proxy) => {
        assert.deepEqual(await ask(lane), [200]);
        state.answers = false;
        const waiting = ask(lane);
        await until(async () => (await proxy.statistics()).get('cluster.up0.upstream_rq_active') === 1);
        const { port } = lane.upstream;
        for (const { socket } of lane.upstream.connections) end(socket);
        assert.deepEqual(await waiting, [503]);
        await lane.upstream.stop();
        assert.deepEqual(await ask(lane), [503]);
        const again = await RawUpstream.start(h2Host({ answers: true, acknowledges: true }), port);
        assert.deepEqual(await ask(lane), [200]);
        await again.stop();
      });
    });

  test('without a word: PING finds out', async () => {
    const state = { answers: false, acknowledges: false };
    const cluster = http2({ connection_keepalive: { interval: '0.2s', timeout: '0.2s' } });
    await withProxy({ handler: () => h2Host(state), cluster }, async (lane) =>
      assert.deepEqual(await ask(lane), [503]),
    );
  });

  test('without a word while unused: PING goes before the next request', async () => {
    const state = { answers: true, acknowledges: false };
    const keepAlive = { interval: '100s', timeout: '0.2s', connection_idle_interval: '0.1s' };
    await withProxy(
      { handler: () => h2Host(state), cluster: http2({ connection_keepalive: keepAlive }) },
      async (lane) => {
        assert.deepEqual(await ask(lane), [200]);
        await delay(200);
        state.answers = false;
        assert.deepEqual(await ask(lane), [503]);
      },
    );
  });
});

describe('an HTTP/2 client that says nothing', () => {
  const listener = {
    manager: { http2_protocol_options: { connection_keepalive: { interval: '0.2s', timeout: '0.2s' } } },
  };

  test('is let go when it does not answer a PING', () =>
    withProxy({ listener }, async (lane, proxy) => {
      const client = await H2Client.open(lane.port);
      assert.ok(await client.until(({ end }) => end !== 'open', 4000));
      await released(proxy);
    }));

  test('is kept when it does', () =>
    withProxy({ listener }, async (lane) => {
      const client = await H2Client.open(lane.port);
      let answered = 0;
      await client.until(({ frames }) => {
        const pings = frames.filter(({ type, flags }) => type === frameType.ping && !(flags & ack));
        for (; answered < pings.length; answered++)
          client.send(frame(frameType.ping, ack, 0, pings[answered]?.payload ?? ''));
        return answered >= 4;
      }, 4000);
      assert.equal(answered, 4);
      assert.equal(client.end, 'open');
      client.close();
    }));
});

test('HTTP/2 alone on a plaintext listener', () =>
  withProxy({ listener: { manager: { codec_type: 'HTTP2' } } }, async (lane) => {
    const client = await H2Client.open(lane.port);
    client.send(frame(frameType.headers, endHeaders | endStream, 1, requestBlock()));
    assert.ok(await client.until(() => outcome(client) === '200', 4000), outcome(client));
    client.close();
  }));

test('clients of every kind come and go', { timeout: 60_000 }, () =>
  withProxy({ handler: hosts['answers'] ?? assert.fail }, async (lane, proxy) => {
    const all = Object.values(messages);
    const ways = Object.values(endings);
    const storm = async (): Promise<void> => {
      for (let i = 0; i < 60; i++)
        await leave(
          lane.port,
          all[i % all.length] ?? '',
          ways[(i * 7) % ways.length] ?? (() => assert.fail()),
        );
      await released(proxy);
    };
    await storm();
    const { descriptors, memory } = proxy.facts;
    await storm();
    assert.ok(
      proxy.facts.descriptors <= descriptors + 5,
      `${descriptors} descriptors, then ${proxy.facts.descriptors}`,
    );
    assert.ok(proxy.facts.memory < memory + 60, `${memory} MB, then ${proxy.facts.memory} MB`);
    assert.deepEqual(statuses((await send(lane.port, get)).text), [200]);
  }),
);

async function until(condition: () => Promise<boolean>): Promise<void> {
  const limit = performance.now() + 5000;
  while (!(await condition())) {
    if (performance.now() > limit) throw new Error('the condition did not come about');
    await delay(20);
  }
}
