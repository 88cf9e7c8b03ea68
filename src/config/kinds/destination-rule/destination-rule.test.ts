import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findingsOf, type SpecCase } from '../../findings-of.ts';

const policy = (fields: string): string => `{host: a, trafficPolicy: {${fields}}}`;
const balanced = (fields: string): string => policy(`loadBalancer: {${fields}}`);

const cases: readonly SpecCase[] = [
  { name: 'subsets', spec: '{host: a, subsets: [{name: v1, labels: {version: v1}}]}', expected: [] },
  { name: 'no host', spec: '{}', expected: ['MT0103 host'] },
  { name: 'a wildcard inside', spec: '{host: "a.*.b"}', expected: ['MT0109 host'] },
  {
    name: 'subset given twice',
    spec: '{host: a, subsets: [{name: v1}, {name: v1}]}',
    expected: ['MT0116 subsets[1].name'],
  },
  {
    name: 'subset name',
    spec: '{host: a, subsets: [{name: v1.beta}]}',
    expected: ['MT0109 subsets[0].name'],
  },
  { name: 'empty policy', spec: policy(''), expected: ['MT0121 trafficPolicy'] },
  {
    name: 'empty pool',
    spec: policy('connectionPool: {}'),
    expected: ['MT0121 trafficPolicy.connectionPool'],
  },
  {
    name: 'idle timeout switched off',
    spec: policy('connectionPool: {tcp: {idleTimeout: 0s}}'),
    expected: [],
  },
  {
    name: 'negative limit',
    spec: policy('connectionPool: {tcp: {maxConnections: -1}}'),
    expected: ['MT0105 trafficPolicy.connectionPool.tcp.maxConnections'],
  },
  {
    name: 'port entry without port',
    spec: policy('portLevelSettings: [{tls: {mode: SIMPLE}}]'),
    expected: ['MT0103 trafficPolicy.portLevelSettings[0].port'],
  },
  {
    name: 'two balancers',
    spec: balanced('simple: RANDOM, consistentHash: {useSourceIp: true}'),
    expected: ['MT0108 trafficPolicy.loadBalancer.consistentHash'],
  },
  {
    name: 'unknown balancer',
    spec: balanced('simple: ROUNDROBIN'),
    expected: ['MT0104 trafficPolicy.loadBalancer.simple'],
  },
  {
    name: 'two hash keys',
    spec: balanced('consistentHash: {useSourceIp: true, httpHeaderName: a}'),
    expected: ['MT0108 trafficPolicy.loadBalancer.consistentHash.useSourceIp'],
  },
  {
    name: 'maglev size',
    spec: balanced('consistentHash: {useSourceIp: true, maglev: {tableSize: 65536}}'),
    expected: ['MT0105 trafficPolicy.loadBalancer.consistentHash.maglev.tableSize'],
  },
  {
    name: 'weights of a place',
    spec: balanced('localityLbSetting: {distribute: [{from: a/*, to: {"a/*": 50, "b/*": 40}}]}'),
    expected: ['MT0125 trafficPolicy.loadBalancer.localityLbSetting.distribute[0].to'],
  },
  {
    name: 'distribute and failover',
    spec: policy(
      'outlierDetection: {}, loadBalancer: {localityLbSetting: {distribute: [{from: a, to: {b: 100}}], failover: [{from: a, to: b}]}}',
    ),
    expected: ['MT0108 trafficPolicy.loadBalancer.localityLbSetting.distribute'],
  },
  {
    name: 'distribute and failoverPriority',
    spec: policy(
      'outlierDetection: {}, loadBalancer: {localityLbSetting: {distribute: [{from: a, to: {b: 100}}], failoverPriority: [topology.kubernetes.io/zone]}}',
    ),
    expected: [],
  },
  {
    name: 'failover beside a label of places',
    spec: policy(
      'outlierDetection: {}, loadBalancer: {localityLbSetting: {failover: [{from: a, to: b}], failoverPriority: [topology.kubernetes.io/zone]}}',
    ),
    expected: ['MT0108 trafficPolicy.loadBalancer.localityLbSetting.failoverPriority[0]'],
  },
  ...(
    [
      ['a', 'a', false],
      ['a/*', 'a/b', false],
      ['*', 'a', false],
      ['a/b', 'a', false],
      ['a/b', 'a/*', true],
      ['a', '*', true],
      ['a/b', 'a/c', true],
    ] as const
  ).map(([first, second, isPossible]) => ({
    name: `shares from ${first}, then from ${second}`,
    spec: balanced(
      `localityLbSetting: {distribute: [{from: "${first}", to: {b: 100}}, {from: "${second}", to: {b: 100}}]}`,
    ),
    expected: isPossible ? [] : ['MT0125 trafficPolicy.loadBalancer.localityLbSetting.distribute[1].from'],
  })),
  { name: 'no settings of ports', spec: policy('portLevelSettings: []'), expected: ['MT0121 trafficPolicy'] },
  {
    name: 'no settings of ports in a subset',
    spec: '{host: a, subsets: [{name: v1, trafficPolicy: {portLevelSettings: []}}]}',
    expected: ['MT0121 subsets[0].trafficPolicy'],
  },
  {
    name: 'warmup in both forms',
    spec: balanced('simple: ROUND_ROBIN, warmupDurationSecs: 10s, warmup: {duration: 20s}'),
    expected: ['MT0302 trafficPolicy.loadBalancer.warmupDurationSecs'],
  },
  {
    name: 'line break in a header that is hashed',
    spec: balanced('consistentHash: {httpHeaderName: "a\\nb"}'),
    expected: ['MT0134 trafficPolicy.loadBalancer.consistentHash.httpHeaderName'],
  },
  {
    name: 'failover without outlier detection',
    spec: balanced('localityLbSetting: {failover: [{from: a, to: b}]}'),
    expected: ['MT0154 trafficPolicy.loadBalancer.localityLbSetting'],
  },
  {
    name: 'old outlier field',
    spec: policy('outlierDetection: {consecutiveErrors: 5}'),
    expected: ['MT0302 trafficPolicy.outlierDetection.consecutiveErrors'],
  },
  {
    name: 'a server name beyond its limit',
    spec: policy(`tls: {mode: SIMPLE, sni: ${'x'.repeat(256)}}`),
    expected: ['MT0133 trafficPolicy.tls.sni'],
  },
  {
    name: 'mutual TLS without key',
    spec: policy('tls: {mode: MUTUAL, clientCertificate: /c}'),
    expected: ['MT0117 trafficPolicy.tls.privateKey'],
  },
  {
    name: 'credential and file',
    spec: policy('tls: {mode: SIMPLE, credentialName: c, caCertificates: /c}'),
    expected: ['MT0117 trafficPolicy.tls.caCertificates'],
  },
  {
    name: 'tunnel and proxy protocol',
    spec: policy('tunnel: {targetHost: a, targetPort: 1}, proxyProtocol: {}'),
    expected: ['MT0108 trafficPolicy.proxyProtocol'],
  },
  {
    name: 'selector and exportTo',
    spec: '{host: a, workloadSelector: {matchLabels: {a: b}}, exportTo: ["*"]}',
    expected: ['MT0112 exportTo'],
  },
];

for (const item of cases)
  test(`DestinationRule: ${item.name}`, () =>
    assert.deepEqual(findingsOf('DestinationRule', item), item.expected));
