import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fromJson, type JsonValue } from '@bufbuild/protobuf';
import { ListenerSchema } from '@meltemi/envoy-api/envoy/config/listener/v3/listener';
import { filterCatalog } from '../../filters/all.ts';
import { knownTypes } from '../../known-types.ts';
import type { Planned } from '../planned.ts';
import { routesWanted } from './chain-plan.ts';
import { inspects } from './listener-filters-plan.ts';
import { type ListenerPlan, listenerName, planClosedListener, planListener } from './listener-plan.ts';

type Source = Parameters<typeof planListener>[0];

const address = { socket_address: { address: '10.0.0.1', port_value: 80 } };
const types = 'type.googleapis.com/envoy.extensions';
const tcp = (more: object = { cluster: 'c' }): object => ({
  name: 'tcp',
  typed_config: { '@type': `${types}.filters.network.tcp_proxy.v3.TcpProxy`, stat_prefix: 's', ...more },
});
const http = (more: object): object => ({
  name: 'http',
  typed_config: {
    '@type': `${types}.filters.network.http_connection_manager.v3.HttpConnectionManager`,
    stat_prefix: 's',
    ...more,
  },
});

const source = (json: object): Source =>
  fromJson(ListenerSchema, { address, ...json } as JsonValue, { registry: knownTypes });
const planned = (json: object): Planned<ListenerPlan | undefined> =>
  planListener(source(json), filterCatalog);
const chains = (...filters: object[]): object => ({ filter_chains: [{ filters }] });

function check(json: object, expected: Partial<ListenerPlan>): void {
  const { plan, problems } = planned({ ...chains(tcp()), ...json });
  assert.deepEqual(problems, []);
  assert.deepEqual({ ...plan, ...expected }, plan);
  assert.deepEqual(structuredClone(plan), plan);
}

test('a listener that says little', () => {
  check(
    {},
    {
      name: '10.0.0.1:80',
      address: { ip: '10.0.0.1', port: 80 },
      bind: true,
      direction: 'unspecified',
      handsOff: false,
      restoresDestination: false,
      proxyHeader: 'none',
      inspectors: { tls: undefined, http: undefined },
      inspectTimeout: 15_000,
      maxConnectionsBacklog: 4096,
      scope: 'listener.10.0.0.1_80',
    },
  );
});

test('where it listens', () => {
  const more = { socket_address: { address: '::', port_value: 81 } };
  check(
    { name: 'n', additional_addresses: [{ address: more }], stat_prefix: 'p', bind_to_port: false },
    {
      name: 'n',
      addresses: [
        { ip: '10.0.0.1', port: 80 },
        { ip: '::', port: 81 },
      ],
      bind: false,
      scope: 'listener.p',
    },
  );
  assert.equal(listenerName(source({ address: more })), '[::]:81');
  assert.deepEqual(planListener(fromJson(ListenerSchema, {}), filterCatalog), {
    plan: undefined,
    problems: ['no address that can be listened on'],
  });
});

for (const [traffic_direction, direction] of [
  ['INBOUND', 'inbound'],
  ['OUTBOUND', 'outbound'],
] as const)
  test(`direction ${direction}`, () => check({ traffic_direction }, { direction }));

test('what it looks at before it chooses a chain', () => {
  const range = (start: number, end: number): object => ({ destination_port_range: { start, end } });
  const { plan } = planned({
    ...chains(tcp()),
    listener_filters: [
      { name: 'envoy.filters.listener.original_dst' },
      { name: 'envoy.filters.listener.tls_inspector', filter_disabled: range(80, 82) },
      { name: 'envoy.filters.listener.http_inspector' },
      { name: 'envoy.filters.listener.proxy_protocol' },
    ],
  });
  assert.deepEqual([plan?.restoresDestination, plan?.proxyHeader], [true, 'required']);
  const looked = (port: number): readonly boolean[] => [
    inspects(plan?.inspectors.tls, port),
    inspects(plan?.inspectors.http, port),
  ];
  assert.deepEqual(
    [looked(79), looked(80), looked(82)],
    [
      [true, true],
      [false, true],
      [true, true],
    ],
  );
  assert.equal(inspects(undefined, 80), false);
});

test('connections that are handed on have an original destination', () => {
  check({ use_original_dst: true }, { handsOff: true, restoresDestination: true });
});

test('chains end in HTTP, in TCP, or in nothing', () => {
  const rds = { route_config_name: 'r', config_source: { ads: {} } };
  const action = (...filters: object[]): readonly unknown[] => {
    const chain = planned(chains(...filters)).plan?.chains[0];
    return [chain?.action.kind, chain && routesWanted(chain)];
  };
  assert.deepEqual(action(http({ rds })), ['http', 'r']);
  assert.deepEqual(action(http({ route_config: {} })), ['http', undefined]);
  assert.deepEqual(action({ name: 'istio.stats' }, tcp()), ['tcp', undefined]);
  assert.deepEqual(action({ name: 'istio.stats' }), ['none', undefined]);
});

test('names looked up from the handshake', () => {
  const sni = (more: object): object => ({
    name: 'sni',
    typed_config: { '@type': `${types}.filters.network.sni_dynamic_forward_proxy.v3.FilterConfig`, ...more },
  });
  const port = (more: object): unknown => {
    const action = planned(chains(sni(more), tcp())).plan?.chains[0]?.action;
    return action?.kind === 'tcp' && action.tcp.dynamicPort;
  };
  assert.deepEqual([port({ port_value: 8443 }), port({})], [8443, 443]);
});

const tls = (more: object): object => ({
  name: 'tls',
  typed_config: { '@type': `${types}.transport_sockets.tls.v3.DownstreamTlsContext`, ...more },
});
const own = { tls_certificate_sds_secret_configs: [{ name: 'default', sds_config: { ads: {} } }] };

test('TLS of a chain', () => {
  const transport_socket = tls({
    common_tls_context: own,
    require_client_certificate: true,
    require_sni: true,
  });
  const { plan, problems } = planned({
    filter_chains: [{ filters: [tcp()], transport_socket, transport_socket_connect_timeout: '3s' }],
  });
  assert.deepEqual(problems, []);
  const [chain] = plan?.chains ?? [];
  assert.deepEqual(
    [chain?.tls?.requiresCertificate, chain?.tls?.requiresSni, chain?.tlsTimeout],
    [true, true, 3000],
  );
  assert.deepEqual(chain?.tls?.tls.certificateSecrets, [{ source: '', name: 'default', waitMs: 15_000 }]);
});

test('which connections a chain is for', () => {
  const filter_chain_match = {
    destination_port: 443,
    prefix_ranges: [{ address_prefix: '10.0.0.0', prefix_len: 8 }],
    server_names: ['A.example'],
    transport_protocol: 'tls',
    application_protocols: ['h2'],
    source_type: 'EXTERNAL',
    source_ports: [1],
  };
  const { plan } = planned({ filter_chains: [{ filters: [tcp()], filter_chain_match }] });
  assert.deepEqual(plan?.chains[0]?.match, {
    destinationPort: 443,
    destinations: [{ bytes: [10, 0, 0, 0], length: 8 }],
    serverNames: ['a.example'],
    transportProtocol: 'tls',
    applicationProtocols: ['h2'],
    directSources: [],
    sourceType: 'external',
    sources: [],
    sourcePorts: [1],
  });
});

const refused: readonly (readonly [string, object, RegExp])[] = [
  ['no chains', {}, /no filter chains/],
  ['a listener filter of another kind', { listener_filters: [{ name: 'odd' }] }, /listener filter odd/],
  ['a network filter of another kind', chains({ name: 'odd' }, tcp()), /network filter odd/],
  ['a TCP proxy that leads nowhere', chains(tcp({})), /tcp_proxy without a cluster/],
  [
    'a transport of another kind',
    { filter_chains: [{ filters: [tcp()], transport_socket: { name: 'odd' } }] },
    /transport socket odd/,
  ],
  [
    'TLS without a certificate',
    { filter_chains: [{ filters: [tcp()], transport_socket: tls({}) }] },
    /must have a certificate/,
  ],
  [
    'a star inside a server name',
    { filter_chains: [{ filters: [tcp()], filter_chain_match: { server_names: ['a.*.b'] } }] },
    /only a leading/,
  ],
  [
    'a prefix that is none',
    {
      filter_chains: [{ filters: [tcp()], filter_chain_match: { prefix_ranges: [{ address_prefix: 'x' }] } }],
    },
    /x is not an IP address/,
  ],
];
for (const [name, json, problem] of refused)
  test(`refused: ${name}`, () => assert.match(planned(json).problems.join('; '), problem));

test('in the place of a refused listener that others hand connections to', () => {
  assert.equal(planClosedListener(source({})), undefined);
  const closed = planClosedListener(source({ bind_to_port: false, ...chains({ name: 'odd' }) }));
  assert.deepEqual(
    [closed?.chains, closed?.defaultChain, closed?.restoresDestination],
    [[], undefined, true],
  );
});
