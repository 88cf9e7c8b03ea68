import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fromJson, type JsonValue, toBinary } from '@bufbuild/protobuf';
import { TcpProxySchema } from '@meltemi/envoy-api/envoy/extensions/filters/network/tcp_proxy/v3/tcp_proxy';
import { planTcpProxy, type TcpProxyPlan } from './tcp-plan.ts';

function planned(json: object): { readonly plan: TcpProxyPlan; readonly problems: readonly string[] } {
  const problems: string[] = [];
  const source = fromJson(TcpProxySchema, { stat_prefix: 's', ...json } as JsonValue);
  const plan = planTcpProxy(toBinary(TcpProxySchema, source), undefined, problems);
  assert.deepEqual(structuredClone(plan), plan);
  return { plan, problems };
}

test('one cluster, and the defaults', () => {
  const { plan, problems } = planned({ cluster: 'c' });
  assert.deepEqual(problems, []);
  assert.deepEqual(plan, {
    statPrefix: 's',
    clusters: [{ name: 'c', weight: 1, metadataMatch: undefined }],
    totalWeight: 1,
    idleTimeout: 3_600_000,
    maxDuration: 0,
    maxConnectAttempts: 1,
    hashSourceIp: false,
    tunnel: undefined,
    dynamicPort: undefined,
    accessLogs: [],
  });
});

test('several by weight, with the metadata of all and their own', () => {
  const match = (fields: object): object => ({ filter_metadata: { 'envoy.lb': fields } });
  const { plan } = planned({
    metadata_match: match({ a: '1', b: '1' }),
    weighted_clusters: {
      clusters: [
        { name: 'x', weight: 1 },
        { name: 'y', weight: 3, metadata_match: match({ b: '2' }) },
      ],
    },
    hash_policy: [{ source_ip: {} }],
  });
  assert.deepEqual(
    plan.clusters.map(({ metadataMatch }) => metadataMatch),
    [
      { a: '1', b: '1' },
      { a: '1', b: '2' },
    ],
  );
  assert.deepEqual([plan.totalWeight, plan.hashSourceIp], [4, true]);
});

test('tunnels', () => {
  const { plan, problems } = planned({
    cluster: 'c',
    tunneling_config: {
      hostname: '%REQUESTED_SERVER_NAME%:443',
      use_post: true,
      headers_to_add: [{ header: { key: 'x', value: 'y' } }],
    },
  });
  assert.deepEqual(problems, []);
  assert.deepEqual(
    [plan.tunnel?.hostname, plan.tunnel?.method, plan.tunnel?.path, plan.tunnel?.headers.add.length],
    [[{ name: 'REQUESTED_SERVER_NAME', args: undefined, limit: undefined }, ':443'], 'POST', '/', 1],
  );
});

const refused: readonly (readonly [object, RegExp])[] = [
  [{}, /without a cluster/],
  [{ cluster: 'c', tunneling_config: {} }, /without a hostname/],
  [{ cluster: 'c', tunneling_config: { hostname: 'h', post_path: '/x' } }, /post path/],
  [{ cluster: 'c', tunneling_config: { hostname: '%NONSENSE%' } }, /NONSENSE/],
];
for (const [json, problem] of refused)
  test(`refused: ${JSON.stringify(json)}`, () => assert.match(planned(json).problems.join('; '), problem));
