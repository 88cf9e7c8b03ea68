import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { cluster, freePort, httpFilter, listener, startFake, talk, tcpFilter } from '../fake-bootstrap.ts';
import type { RunningProxy } from '../index.ts';
import { mostHops } from './own-connections.ts';

const proxies: RunningProxy[] = [];
after(() => Promise.all(proxies.map((proxy) => proxy.stop())));

const originalDst = {
  name: 'up',
  type: 'ORIGINAL_DST',
  lb_policy: 'CLUSTER_PROVIDED',
  connect_timeout: '1s',
};
const request = 'GET / HTTP/1.1\r\nhost: a\r\n';
const toUp = [{ match: { prefix: '/' }, route: { cluster: 'up' } }];

async function started(
  filter: object,
  up: (port: number) => object,
  extra: object = {},
): Promise<{ proxy: RunningProxy; port: number }> {
  const port = await freePort();
  const proxy = await startFake({ listeners: [listener(port, [filter], extra)], clusters: [up(port)] });
  proxies.push(proxy);
  await proxy.ready;
  return { proxy, port };
}

function total(proxy: RunningProxy, name: string): number {
  return proxy.stats.all().find((stat) => stat.name === name)?.value ?? 0;
}

test('a connection that was not redirected has no original destination', async () => {
  const inspected = {
    listener_filters: [
      {
        name: 'envoy.filters.listener.original_dst',
        typed_config: {
          '@type': 'type.googleapis.com/envoy.extensions.filters.listener.original_dst.v3.OriginalDst',
        },
      },
    ],
  };
  for (const extra of [{}, inspected]) {
    const http = await started(httpFilter(toUp), () => originalDst, extra);
    const { received } = await talk(http.port, `${request}\r\n`, 'upstream');
    assert.match(received, /^HTTP\/1.1 503 .*no healthy upstream$/s);
    const tcp = await started(tcpFilter('up'), () => originalDst, extra);
    assert.equal((await talk(tcp.port, 'hello')).received, '');
    for (const { proxy } of [http, tcp]) assert.equal(total(proxy, 'cluster.up.upstream_cx_total'), 0);
  }
});

test('a header may name the destination, and the proxy itself is one that ends', async () => {
  const byHeader = { ...originalDst, original_dst_lb_config: { use_http_header: true } };
  const { proxy, port } = await started(httpFilter(toUp), () => byHeader);
  const { received } = await talk(
    port,
    `${request}x-envoy-original-dst-host: 127.0.0.1:${port}\r\n\r\n`,
    'reset reason',
  );
  assert.match(received, /^HTTP\/1.1 503/);
  assert.equal(total(proxy, 'cluster.up.upstream_cx_total'), mostHops + 1);
  assert.equal(total(proxy, `listener.127.0.0.1_${port}.downstream_cx_loop`), 1);
});

test('a loop ends after a few turns, and nothing of it stays', async () => {
  for (const filter of [httpFilter(toUp), tcpFilter('up')]) {
    const { proxy, port } = await started(filter, (own) => cluster('up', [own]));
    for (let i = 0; i < 3; i++) await talk(port, `${request}connection: close\r\n\r\n`);
    assert.ok(total(proxy, 'cluster.up.upstream_cx_total') <= 3 * (mostHops + 1));
    assert.ok(total(proxy, `listener.127.0.0.1_${port}.downstream_cx_loop`) > 0);
  }
});

test('the proxy may reach another listener of its own', async () => {
  const inner = await freePort();
  const outer = await freePort();
  const hello = httpFilter([
    { match: { prefix: '/' }, direct_response: { status: 200, body: { inline_string: 'inner' } } },
  ]);
  const proxy = await startFake({
    listeners: [listener(inner, [hello]), listener(outer, [httpFilter(toUp)])],
    clusters: [cluster('up', [inner])],
  });
  proxies.push(proxy);
  await proxy.ready;
  for (let i = 0; i < 3; i++)
    assert.match((await talk(outer, `${request}\r\n`, 'inner')).received, /200 OK.*inner$/s);
});
