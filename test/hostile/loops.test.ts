// A proxy that is made to call itself.
import { strict as assert } from 'node:assert';
import { describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { bootstrap, cluster, type Json, type ListenerParts, typed } from './bootstrap.ts';
import { unexplained } from './explained.ts';
import { freePorts } from './free-ports.ts';
import { accepting, type Kind, kinds, ProxyProcess } from './proxy-process.ts';
import { send, statuses } from './raw-client.ts';

const originalDst: Json = {
  name: 'up',
  type: 'ORIGINAL_DST',
  lb_policy: 'CLUSTER_PROVIDED',
  connect_timeout: '1s',
};
const tcp = typed('envoy.filters.network.tcp_proxy', 'extensions.filters.network.tcp_proxy.v3.TcpProxy', {
  stat_prefix: 't',
  cluster: 'up',
});
const restoring: Json = {
  listener_filters: [
    typed('envoy.filters.listener.original_dst', 'extensions.filters.listener.original_dst.v3.OriginalDst'),
  ],
};

interface Row {
  readonly name: string;
  readonly listener: Omit<ListenerParts, 'port'>;
}

const rows: readonly Row[] = [
  { name: 'HTTP', listener: {} },
  { name: 'TCP', listener: { networkFilter: tcp } },
  { name: 'HTTP, asked for the original destination', listener: { fields: restoring } },
  { name: 'TCP, asked for the original destination', listener: { fields: restoring, networkFilter: tcp } },
];

interface Loop {
  readonly kind: Kind;
  readonly listener: Omit<ListenerParts, 'port'>;
  readonly cluster: (port: number) => Json;
}

interface Outcome {
  readonly statuses: readonly number[];
  readonly descriptors: 'same' | number;
}

const settleMs = 3000;

/** A request into the loop, and the descriptors that it leaves behind. */
async function loop({ kind, listener, cluster: upOf }: Loop): Promise<Outcome> {
  const [adminPort = 0, port = 0] = await freePorts(2);
  const proxy = await ProxyProcess.start(
    kind,
    bootstrap({ adminPort, listeners: [{ ...listener, port }], clusters: [upOf(port)] }),
  );
  try {
    await accepting(port);
    // What is opened once, for the first connections of all, is there already.
    await proxy.statistics();
    const before = proxy.facts.descriptors;
    const answer = await send(port, 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n', {
      patienceMs: 3000,
    });
    const limit = performance.now() + settleMs;
    while (proxy.facts.descriptors > before && performance.now() < limit) await delay(50);
    assert.ok(proxy.alive, proxy.log);
    const after = proxy.facts.descriptors;
    return { statuses: statuses(answer.text), descriptors: after <= before ? 'same' : after - before };
  } finally {
    await proxy.stop();
  }
}

describe('a proxy that is made to call itself', () => {
  test('has no original destination without a redirect, like Envoy', async () => {
    const compared = await Promise.all(
      rows.map(async (row) => {
        const [embedded, envoy] = await Promise.all(
          kinds.map((kind) => loop({ kind, listener: row.listener, cluster: () => originalDst })),
        );
        return { row, embedded, envoy };
      }),
    );
    assert.deepEqual(unexplained(compared, {}), []);
    assert.deepEqual(compared[0]?.embedded, { statuses: [503], descriptors: 'same' });
  });

  test('ends a loop that its configuration makes', async () => {
    for (const listener of [{}, { networkFilter: tcp }]) {
      const outcome = await loop({ kind: 'embedded', listener, cluster: (port) => cluster('up', port) });
      assert.ok(
        outcome.descriptors === 'same' || outcome.descriptors < 12,
        `${outcome.descriptors} descriptors left`,
      );
    }
  });

  test('ends a loop that its client asks for', async () => {
    const byHeader = { ...originalDst, original_dst_lb_config: { use_http_header: true } };
    const [adminPort = 0, port = 0] = await freePorts(2);
    const proxy = await ProxyProcess.start(
      'embedded',
      bootstrap({ adminPort, listeners: [{ port }], clusters: [byHeader] }),
    );
    try {
      const before = proxy.facts.descriptors;
      const asks = Array.from({ length: 20 }, () =>
        send(
          port,
          `GET / HTTP/1.1\r\nHost: a\r\nx-envoy-original-dst-host: 127.0.0.1:${port}\r\nConnection: close\r\n\r\n`,
        ),
      );
      for (const { text } of await Promise.all(asks)) assert.deepEqual(statuses(text), [503]);
      // Two for each turn, of connections that may be used again.
      assert.ok(
        proxy.facts.descriptors <= before + asks.length * 2 * 4,
        `${before} descriptors before, ${proxy.facts.descriptors} after`,
      );
    } finally {
      await proxy.stop();
    }
  });
});
