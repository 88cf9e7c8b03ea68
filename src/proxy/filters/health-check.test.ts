import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import {
  address,
  cluster,
  freePort,
  httpFilter,
  listener,
  router,
  startFake,
  talk,
} from '../fake-bootstrap.ts';
import type { RunningProxy } from '../index.ts';

const started: RunningProxy[] = [];
after(() => Promise.all(started.map((proxy) => proxy.stop())));

async function withCheck(config: object): Promise<{ port: number; admin: number }> {
  const port = await freePort();
  const type = 'type.googleapis.com/envoy.extensions.filters.http.health_check.v3.HealthCheck';
  const check = {
    name: 'health',
    typed_config: {
      '@type': type,
      headers: [{ name: ':path', string_match: { exact: '/healthz' } }],
      ...config,
    },
  };
  const route = { match: { prefix: '/' }, direct_response: { status: 418 } };
  const proxy = await startFake({
    listeners: [listener(port, [httpFilter([route], { http_filters: [check, router] })])],
    clusters: [cluster('up', [1, 2]), cluster('none', [])],
    more: { admin: { address: address(0) } },
  });
  started.push(proxy);
  await proxy.ready;
  return { port, admin: proxy.adminPort ?? 0 };
}

const ask = async (port: number, path: string, method = 'GET'): Promise<number> => {
  const { received } = await talk(
    port,
    `${method} ${path} HTTP/1.1\r\nhost: localhost\r\ncontent-length: 0\r\nconnection: close\r\n\r\n`,
  );
  return Number(received.slice(9, 12));
};

test('the proxy answers for itself', async () => {
  const { port, admin } = await withCheck({ pass_through_mode: false });
  assert.deepEqual([await ask(port, '/healthz'), await ask(port, '/other')], [200, 418]);
  assert.equal(await ask(admin, '/healthcheck/fail', 'POST'), 200);
  assert.deepEqual([await ask(port, '/healthz'), await ask(port, '/other')], [503, 418]);
  await ask(admin, '/healthcheck/ok', 'POST');
  assert.equal(await ask(port, '/healthz'), 200);
});

test('the upstream answers unless the proxy is to fail', async () => {
  const { port, admin } = await withCheck({ pass_through_mode: true });
  assert.equal(await ask(port, '/healthz'), 418);
  await ask(admin, '/healthcheck/fail', 'POST');
  assert.equal(await ask(port, '/healthz'), 503);
});

test('says whose answer it is', async () => {
  for (const pass of [true, false]) {
    const { port } = await withCheck({ pass_through_mode: pass });
    const get = (path: string): string => `GET ${path} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n`;
    assert.match(
      (await talk(port, get('/healthz'))).received,
      /^x-envoy-upstream-healthchecked-cluster: test\r$/m,
    );
    assert.doesNotMatch((await talk(port, get('/other'))).received, /healthchecked/);
  }
});

test('by the health of clusters', async () => {
  const of = async (name: string, value: number): Promise<number> =>
    ask(
      (await withCheck({ pass_through_mode: false, cluster_min_healthy_percentages: { [name]: { value } } }))
        .port,
      '/healthz',
    );
  assert.deepEqual(
    [await of('up', 100), await of('none', 1), await of('none', 0), await of('unknown', 50)],
    [200, 503, 200, 503],
  );
});
