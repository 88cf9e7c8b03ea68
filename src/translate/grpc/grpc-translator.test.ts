// What gRPC applications are served for Istio's resources. test/xds/grpc-clients.test.ts runs real ones on
// it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ProxyNode } from '../../mesh/index.ts';
import { encodedJson, meshOfText, testClient } from '../testdata-mesh.ts';
import { GrpcTranslator } from './grpc-translator.ts';

const node: ProxyNode = { ...testClient, isGrpc: true };

/** Services of default, and resources of the test. */
function translated(documents: string, client: Partial<ProxyNode> = {}) {
  const { engine, mesh, translator } = meshOfText(`${services}\n---\n${documents}`);
  const grpc = new GrpcTranslator(engine, mesh, translator.endpoints);
  const view = grpc.view({ ...node, ...client }).get();
  return (type: 'cluster' | 'listener' | 'route', name: string): unknown =>
    encodedJson(grpc.kind(type)?.resource(view, name).get());
}

const services = `
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: shop, namespace: default}
spec:
  hosts: [shop.default.svc.cluster.local]
  location: MESH_INTERNAL
  resolution: STATIC
  ports: [{number: 80, name: grpc, protocol: GRPC}]
  endpoints: [{address: 10.0.0.7, labels: {version: v1}, ports: {grpc: 5000}}]
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: outside, namespace: default}
spec: {hosts: [api.example.com, "two.example.com"], resolution: DNS, ports: [{number: 443, name: grpc, protocol: GRPC}]}
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: elsewhere, namespace: other}
spec: {hosts: [private.other.svc.cluster.local], exportTo: ["."], resolution: STATIC, ports: [{number: 80, name: grpc, protocol: GRPC}]}`;

const host = 'shop.default.svc.cluster.local';
const table = `outbound|80||${host}`;

function virtualService(http: string): string {
  return `apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: shop, namespace: default}
spec: {hosts: [shop], http: [${http}]}`;
}

function destinationRule(policy: string): string {
  return `apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: shop, namespace: default}
spec: {host: shop, trafficPolicy: ${policy}}`;
}

/** The parts of a value that are named by paths, as text to compare. */
function parts(value: unknown, ...paths: readonly string[]): readonly unknown[] {
  return paths.map((path) =>
    path
      .split('.')
      .reduce<unknown>(
        (at, step) => (typeof at === 'object' && at ? (at as Record<string, unknown>)[step] : undefined),
        value,
      ),
  );
}

test('a channel finds its listener by every spelling of a service that it may see', () => {
  const resource = translated('');
  for (const name of ['shop', 'shop.default', 'shop.default.svc', host]) {
    const listener = resource('listener', `${name}:80`);
    const rds = 'value.api_listener.api_listener.rds.route_config_name';
    assert.deepEqual(
      parts(listener, 'name', 'api_listener.api_listener.rds.route_config_name'),
      [`${name}:80`, table],
      rds,
    );
  }
  for (const name of [
    'ghost:80',
    'shop:81',
    'shop',
    'private.other:80',
    'xds.istio.io/grpc/lds/inbound/0.0.0.0:5000',
  ])
    assert.equal(resource('listener', name), undefined, name);
});

const route = '{route: [{destination: {host: shop}}]}';
const matches: readonly {
  readonly rule: string;
  readonly routes: number;
  readonly first: Readonly<Record<string, unknown>>;
}[] = [
  {
    rule: '{match: [{uri: {prefix: /a.B/}}], route: [{destination: {host: shop}}]}',
    routes: 2,
    first: { 'match.prefix': '/a.B/' },
  },
  {
    rule: '{match: [{method: {exact: POST}}], route: [{destination: {host: shop}}]}',
    routes: 2,
    first: { 'match.headers': undefined },
  },
  {
    rule: '{match: [{method: {exact: GET}}], route: [{destination: {host: shop}}]}',
    routes: 1,
    first: { 'match.prefix': '/' },
  },
  {
    rule: '{match: [{queryParams: {a: {exact: b}}}], route: [{destination: {host: shop}}]}',
    routes: 1,
    first: { 'match.prefix': '/' },
  },
  {
    rule: '{timeout: 2s, route: [{destination: {host: shop}}]}',
    routes: 1,
    first: { 'route.max_stream_duration.max_stream_duration': '2s' },
  },
  {
    rule: route,
    routes: 1,
    first: { 'route.max_stream_duration': undefined, 'route.retry_policy.num_retries': 2 },
  },
  {
    rule: '{retries: {attempts: 3, retryOn: unavailable}, route: [{destination: {host: shop}}]}',
    routes: 1,
    first: { 'route.retry_policy.num_retries': 3, 'route.retry_policy.retry_on': 'unavailable' },
  },
  {
    rule: '{mirror: {host: shop}, rewrite: {uri: /b}, headers: {request: {set: {a: b}}}, corsPolicy: {allowMethods: [GET]}, route: [{destination: {host: shop}}]}',
    routes: 1,
    first: {
      'route.request_mirror_policies': undefined,
      'route.prefix_rewrite': undefined,
      request_headers_to_add: undefined,
      typed_per_filter_config: undefined,
    },
  },
  {
    rule: '{directResponse: {status: 403}}',
    routes: 1,
    first: { 'route.cluster': table, direct_response: undefined },
  },
];

for (const { rule, routes, first } of matches)
  test(`route: ${rule}`, () => {
    const found = translated(virtualService(`${rule}, ${route}`))('route', table);
    const [list] = parts(found, 'virtual_hosts.0.routes') as [readonly unknown[]];
    assert.equal(list.length, routes);
    assert.deepEqual(parts(list[0], ...Object.keys(first)), Object.values(first));
  });

const clusters: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  '{loadBalancer: {simple: LEAST_REQUEST}}': {
    lb_policy: undefined,
    type: 'EDS',
    circuit_breakers: undefined,
  },
  '{loadBalancer: {consistentHash: {httpHeaderName: x-user, minimumRingSize: 64}}}': {
    lb_policy: 'RING_HASH',
    'ring_hash_lb_config.minimum_ring_size': '64',
  },
  '{loadBalancer: {consistentHash: {httpHeaderName: x-user, maglev: {tableSize: 1021}}}}': {
    lb_policy: 'RING_HASH',
  },
  '{connectionPool: {http: {http2MaxRequests: 7}}}': { 'circuit_breakers.thresholds.0.max_requests': 7 },
  '{outlierDetection: {consecutive5xxErrors: 3}}': { outlier_detection: undefined },
  '{tls: {mode: ISTIO_MUTUAL}}': {
    'transport_socket.typed_config.common_tls_context.tls_certificate_provider_instance': {
      instance_name: 'default',
      certificate_name: 'default',
    },
    'transport_socket.typed_config.common_tls_context.tls_params': undefined,
  },
  '{tls: {mode: SIMPLE}}': { transport_socket: undefined },
};

for (const [policy, expected] of Object.entries(clusters))
  test(`cluster: ${policy}`, () => {
    const cluster = translated(destinationRule(policy))('cluster', table);
    assert.deepEqual(parts(cluster, 'name', ...Object.keys(expected)), [table, ...Object.values(expected)]);
  });

test('a service found by DNS has one name to resolve; undeclared subsets and hosts have no cluster', () => {
  const resource = translated('');
  const [type, address] = parts(
    resource('cluster', 'outbound|443||api.example.com'),
    'type',
    'load_assignment.endpoints.0.lb_endpoints.0.endpoint.address.socket_address.address',
  );
  assert.deepEqual([type, address], ['LOGICAL_DNS', 'api.example.com']);
  for (const name of [`outbound|80|v9|${host}`, 'outbound|80||ghost.example', 'BlackHoleCluster'])
    assert.equal(resource('cluster', name), undefined, name);
});

const peerAuthentication = (mode: string): string => `apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: {name: default, namespace: default}
spec: {mtls: {mode: ${mode}}}`;
const labelled = { labels: { 'security.istio.io/tlsMode': 'istio' } };

for (const { mode, client, tls } of [
  { mode: 'STRICT', client: {}, tls: true },
  { mode: 'PERMISSIVE', client: {}, tls: false },
  { mode: 'PERMISSIVE', client: labelled, tls: true },
  { mode: 'DISABLE', client: labelled, tls: false },
])
  test(`a server under ${mode}${client === labelled ? ', labelled for mutual TLS,' : ''} ${tls ? 'asks for certificates' : 'serves plain text'}`, () => {
    const resource = translated(peerAuthentication(mode), { addresses: ['10.0.0.7'], ...client });
    const name = 'xds.istio.io/grpc/lds/inbound/0.0.0.0:5000';
    const [address, port, asks] = parts(
      resource('listener', name),
      'address.socket_address.address',
      'address.socket_address.port_value',
      'filter_chains.0.transport_socket.typed_config.require_client_certificate',
    );
    assert.deepEqual([address, port, asks ?? false], ['0.0.0.0', 5000, tls]);
    assert.equal(resource('listener', 'xds.istio.io/grpc/lds/inbound/0.0.0.0:5001'), undefined);
  });
