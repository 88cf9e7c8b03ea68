import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fromJson, type JsonValue } from '@bufbuild/protobuf';
import { ClusterSchema } from '@meltemi/envoy-api/envoy/config/cluster/v3/cluster';
import { knownTypes } from '../../known-types.ts';
import type { Planned } from '../planned.ts';
import { type ClusterPlan, planCluster } from './cluster-plan.ts';

const planned = (json: object): Planned<ClusterPlan> =>
  planCluster(fromJson(ClusterSchema, { name: 'c', ...json } as JsonValue, { registry: knownTypes }));

/** The fields of the plan that are expected, and no problems. */
function check(json: object, expected: Partial<ClusterPlan>): void {
  const { plan, problems } = planned(json);
  assert.deepEqual(problems, []);
  assert.deepEqual({ ...plan, ...expected }, plan);
  assert.deepEqual(structuredClone(plan), plan);
}

const options = (more: object): object => ({
  typed_extension_protocol_options: {
    'envoy.extensions.upstreams.http.v3.HttpProtocolOptions': {
      '@type': 'type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions',
      ...more,
    },
  },
});

test("Envoy's defaults", () => {
  const limits = {
    maxConnections: 1024,
    maxPending: 1024,
    maxRequests: 1024,
    maxRetries: 3,
    retryBudgetPercent: undefined,
    minRetryConcurrency: 3,
  };
  check(
    {},
    {
      name: 'c',
      altStatName: '',
      discovery: 'static',
      eds: { name: 'c', waitMs: 15_000 },
      localities: [],
      connectTimeout: 5000,
      transport: { kind: 'raw' },
      transportMatches: [],
      thresholds: { default: limits, high: limits },
      outlier: undefined,
      errorMatch: undefined,
      dns: { refreshMs: 5000, respectTtl: false, family: 'auto' },
      originalDst: { header: undefined, portOverride: undefined },
    },
  );
});

for (const [type, discovery] of [
  ['STATIC', 'static'],
  ['EDS', 'eds'],
  ['STRICT_DNS', 'strictDns'],
  ['LOGICAL_DNS', 'logicalDns'],
  ['ORIGINAL_DST', 'originalDst'],
] as const)
  test(`discovery ${type}`, () => check({ type }, { discovery }));

for (const [dns_lookup_family, family] of [
  ['AUTO', 'auto'],
  ['V4_ONLY', 'v4'],
  ['V6_ONLY', 'v6'],
  ['V4_PREFERRED', 'v4Preferred'],
  ['ALL', 'all'],
] as const)
  test(`names looked up as ${family}`, () =>
    check(
      { dns_lookup_family, dns_refresh_rate: '2s', respect_dns_ttl: true },
      { dns: { refreshMs: 2000, respectTtl: true, family } },
    ));

test('names of a cluster, and how long it waits for endpoints', () => {
  const eds_config = { ads: {}, initial_fetch_timeout: '0s' };
  check(
    { alt_stat_name: 'web', eds_cluster_config: { service_name: 'e', eds_config } },
    { altStatName: 'web', eds: { name: 'e', waitMs: 0 } },
  );
});

test('limits of each priority of requests', () => {
  const thresholds = [
    { priority: 'HIGH', max_connections: 7, max_pending_requests: 6, max_requests: 5, max_retries: 4 },
    { retry_budget: { budget_percent: { value: 25 }, min_retry_concurrency: 9 } },
  ];
  const { plan } = planned({ circuit_breakers: { thresholds } });
  assert.deepEqual(plan.thresholds.high, {
    maxConnections: 7,
    maxPending: 6,
    maxRequests: 5,
    maxRetries: 4,
    retryBudgetPercent: undefined,
    minRetryConcurrency: 3,
  });
  assert.equal(plan.thresholds.default.retryBudgetPercent, 25);
  assert.equal(plan.thresholds.default.minRetryConcurrency, 9);
});

const modes: readonly (readonly [object, ClusterPlan['http']['mode']])[] = [
  [{ explicit_http_config: { http_protocol_options: {} } }, 'h1'],
  [{ explicit_http_config: { http2_protocol_options: {} } }, 'h2'],
  [{ use_downstream_protocol_config: {} }, 'downstream'],
  [{ auto_config: {} }, 'auto'],
];
for (const [protocol, mode] of modes)
  test(`HTTP spoken with hosts: ${mode}`, () =>
    assert.equal(planned(options(protocol)).plan.http.mode, mode));

test('options of HTTP, of the extension before those of the cluster', () => {
  const { http } = planned({
    common_http_protocol_options: { idle_timeout: '1s' },
    ...options({
      common_http_protocol_options: { idle_timeout: '2s', max_requests_per_connection: 3 },
      upstream_http_protocol_options: { auto_sni: true, auto_san_validation: true },
      explicit_http_config: { http_protocol_options: { enable_trailers: true } },
    }),
  }).plan;
  assert.deepEqual(
    [http.idleTimeout, http.maxRequestsPerConnection, http.autoSni, http.autoSanValidation, http.trailers],
    [2000, 3, true, true, true],
  );
  assert.equal(planned({ common_http_protocol_options: { idle_timeout: '1s' } }).plan.http.idleTimeout, 1000);
});

test('the original destination', () => {
  check(
    {
      type: 'ORIGINAL_DST',
      lb_policy: 'CLUSTER_PROVIDED',
      original_dst_lb_config: { use_http_header: true, upstream_port_override: 81 },
    },
    { originalDst: { header: 'x-envoy-original-dst-host', portOverride: 81 } },
  );
});

test('hosts found by name', () => {
  const cluster_type = {
    name: 'envoy.clusters.dynamic_forward_proxy',
    typed_config: {
      '@type': 'type.googleapis.com/envoy.extensions.clusters.dynamic_forward_proxy.v3.ClusterConfig',
      dns_cache_config: { name: 'x', dns_lookup_family: 'V4_ONLY', max_hosts: 9 },
    },
  };
  check(
    { cluster_type },
    { discovery: 'dynamic', dynamic: { family: 'v4', refreshMs: 60_000, ttlMs: 300_000, maxHosts: 9 } },
  );
});

test('endpoints, by locality', () => {
  const at = (address: string, more: object = {}, endpoint: object = {}): object => ({
    endpoint: { address: { socket_address: { address, port_value: 80 } }, ...endpoint },
    ...more,
  });
  const endpoints = [
    {
      locality: { region: 'r', zone: 'z' },
      priority: 1,
      load_balancing_weight: 5,
      lb_endpoints: [
        at('10.0.0.1', { health_status: 'DRAINING', load_balancing_weight: 3 }, { hostname: 'h' }),
        at('10.0.0.2', {
          health_status: 'TIMEOUT',
          metadata: { filter_metadata: { 'envoy.lb': { v: '1' } } },
        }),
        { endpoint: { address: { pipe: { path: '/s' } } }, health_status: 'DEGRADED' },
        { endpoint_name: 'elsewhere' },
      ],
    },
  ];
  const [locality, ...none] = planned({ load_assignment: { cluster_name: 'c', endpoints } }).plan.localities;
  assert.deepEqual(none, []);
  assert.deepEqual(locality, {
    locality: 'r/z/',
    priority: 1,
    weight: 5,
    endpoints: [
      { address: { ip: '10.0.0.1', port: 80 }, hostname: 'h', weight: 3, health: 'draining', metadata: {} },
      {
        address: { ip: '10.0.0.2', port: 80 },
        hostname: '',
        weight: 1,
        health: 'unhealthy',
        metadata: { 'envoy.lb': { v: '1' } },
      },
      { address: { ip: '', port: 0, path: '/s' }, hostname: '', weight: 1, health: 'degraded', metadata: {} },
    ],
  });
});

const tls = (more: object = {}): object => ({
  name: 'tls',
  typed_config: {
    '@type': 'type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext',
    sni: 'a.example',
    ...more,
  },
});
const proxyProtocol = (config: object, transport_socket?: object): object => ({
  name: 'proxy',
  typed_config: {
    '@type':
      'type.googleapis.com/envoy.extensions.transport_sockets.proxy_protocol.v3.ProxyProtocolUpstreamTransport',
    config,
    ...(transport_socket ? { transport_socket } : {}),
  },
});

test('transports: plain, TLS, and the client in front of either', () => {
  const { transport, transportMatches } = planned({
    transport_socket: proxyProtocol({ version: 'V2' }, tls()),
    transport_socket_matches: [
      { name: 'm', match: { tlsMode: 'istio' }, transport_socket: tls({ sni: 'b.example' }) },
      { name: 'd', match: {}, transport_socket: { name: 'envoy.transport_sockets.raw_buffer' } },
    ],
  }).plan;
  assert.equal(transport.kind === 'proxyProtocol' && transport.version, 2);
  assert.equal(transport.kind === 'proxyProtocol' && transport.inner.kind, 'tls');
  assert.deepEqual(
    transportMatches.map(({ match, transport: one }) => [match, one.kind === 'tls' ? one.sni : one.kind]),
    [
      [{ tlsMode: 'istio' }, 'b.example'],
      [{}, 'raw'],
    ],
  );
});

const refused: readonly (readonly [string, object, RegExp])[] = [
  [
    'a transport of another kind',
    { transport_socket: { name: 'odd' } },
    /transport socket odd is not supported/,
  ],
  ['one among its matches', { transport_socket_matches: [{ transport_socket: { name: 'odd' } }] }, /odd/],
  [
    'PROXY headers in front of nothing',
    { transport_socket: proxyProtocol({}) },
    /upstream_proxy_protocol without a transport_socket/,
  ],
  ['a discovery of another kind', { cluster_type: { name: 'odd' } }, /cluster type odd is not supported/],
  [
    'an impossible table',
    { lb_policy: 'MAGLEV', maglev_lb_config: { table_size: 4 } },
    /cluster "c": .*prime/,
  ],
  [
    'a socket option without a value',
    { upstream_bind_config: { socket_options: [{ level: 1, name: 2 }] } },
    /socket option 2 has no value/,
  ],
];
for (const [name, json, problem] of refused)
  test(`refused: ${name}`, () => assert.match(planned(json).problems.join('; '), problem));
