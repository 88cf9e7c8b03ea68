// Views come and go with proxies: what was made for them goes with them.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ProxyNode } from '../mesh/index.ts';
import { GrpcTranslator } from '../translate/index.ts';
import { meshOfText, testClient } from '../translate/testdata-mesh.ts';
import { FeedHub } from '../xds/index.ts';
import { FeedSets } from './feed-sets.ts';

const service = `
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: shop, namespace: default}
spec: {hosts: [shop.example], resolution: STATIC, ports: [{number: 80, name: http, protocol: HTTP}], endpoints: [{address: 10.0.0.1}]}`;

const proxy = (namespace: string, isGrpc = false): ProxyNode => ({ ...testClient, namespace, isGrpc });

function made() {
  const { engine, mesh, translator } = meshOfText(service);
  return {
    engine,
    sets: new FeedSets(
      { envoy: translator, grpc: new GrpcTranslator(engine, mesh, translator.endpoints) },
      new FeedHub(),
    ),
  };
}

/** What a proxy does from its first request on; returns the way to leave. */
function connect(sets: FeedSets, node: ProxyNode): { readonly clusters: number; readonly leave: () => void } {
  const view = sets.view(node);
  const { feeds, release } = sets.acquire(view.get());
  const feed = feeds.feed('cluster');
  feed?.useAll();
  feeds.feed('route')?.use('80');
  feeds.feed('route')?.use('outbound|80||shop.example');
  const leave = (): void => {
    release();
    view.dispose();
  };
  return { clusters: feed?.all().length ?? 0, leave };
}

test('proxies with equal views share a set', () => {
  const { sets } = made();
  const all = [
    connect(sets, proxy('a')),
    connect(sets, proxy('a')),
    connect(sets, proxy('b')),
    connect(sets, proxy('a', true)),
  ];
  assert.deepEqual([sets.size, all.map(({ clusters }) => clusters)], [3, [4, 4, 4, 0]]);
});

test('a sweep leaves what is in use and nothing else', () => {
  const { engine, sets } = made();
  connect(sets, proxy('stays'));
  const comeAndGo = (): void => {
    for (let i = 0; i < 20; i++) connect(sets, proxy(`n${i}`, i % 2 === 0)).leave();
  };
  comeAndGo();
  engine.sweep();
  const { live } = engine.statistics();
  comeAndGo();
  assert.ok(engine.statistics().live > live + 20);
  assert.ok(engine.sweep() > 20);
  assert.equal(engine.statistics().live, live);
  assert.equal(sets.size, 1);
});
