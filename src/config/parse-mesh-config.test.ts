import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatIssues, parseMeshConfig } from './index.ts';

test('fields are read, durations as milliseconds', () => {
  const { value, issues } = parseMeshConfig(
    'outboundTrafficPolicy: {mode: REGISTRY_ONLY}\nconnectTimeout: 1.5s\nprotocolDetectionTimeout: 0s\nmeshMTLS: {minProtocolVersion: TLSV1_3}\n',
    'mesh.yaml',
  );
  assert.deepEqual(issues, []);
  assert.deepEqual(value, {
    outboundTrafficPolicy: { mode: 'REGISTRY_ONLY' },
    connectTimeout: 1500,
    protocolDetectionTimeout: 0,
    meshMTLS: { minProtocolVersion: 'TLSV1_3' },
  });
});

test('an empty file is an empty MeshConfig', () => {
  assert.deepEqual(parseMeshConfig('', 'mesh.yaml'), { value: {}, issues: [] });
  assert.deepEqual(parseMeshConfig('# nothing\n', 'mesh.yaml'), { value: {}, issues: [] });
});

test('findings have places, and an error leaves no value', () => {
  const { value, issues } = parseMeshConfig(
    'rootNamespace: a\nconectTimeout: 1s\nconnectTimeout: soon\nextensionProviders: []\n',
    'mesh.yaml',
  );
  assert.equal(value, undefined);
  assert.deepEqual(formatIssues(issues), [
    'mesh.yaml:2:1  warning  MT0102  unknown field "conectTimeout" in MeshConfig; did you mean "connectTimeout"?',
    'mesh.yaml:3:1  error    MT0106  connectTimeout must be a duration such as 5s or 250ms, not "soon"',
    'mesh.yaml:4:1  info     MT0401  extensionProviders has no effect: telemetry and authorization providers are not supported',
  ]);
});

test('what Envoy would refuse is an error', () => {
  const codes = (text: string): string[] =>
    parseMeshConfig(text, 'mesh.yaml').issues.map(({ code, origin }) => `${code} ${origin.path}`);
  assert.deepEqual(codes('dnsRefreshRate: 1ms'), ['MT0106 dnsRefreshRate']);
  assert.deepEqual(codes('proxyListenPort: 70000'), ['MT0105 proxyListenPort']);
  assert.deepEqual(codes('proxyListenPort: 15006'), ['MT0131 proxyInboundListenPort']);
});

test('what Istio refuses is an error', () => {
  const codes = (text: string): string[] =>
    parseMeshConfig(text, 'mesh.yaml')
      .issues.filter(({ severity }) => severity === 'error')
      .map(({ code, origin }) => `${code} ${origin.path}`);
  for (const [text, expected] of [
    ['proxyListenPort: 0', 'MT0105 proxyListenPort'],
    ['trustDomain: ""', 'MT0109 trustDomain'],
    ['trustDomain: a_b', 'MT0109 trustDomain'],
    ['trustDomain: "."', 'MT0109 trustDomain'],
    ['trustDomain: cluster.local.', undefined],
    ['trustDomain: "1.2"', undefined],
    ['trustDomainAliases: [a, "b/c"]', 'MT0109 trustDomainAliases[1]'],
    ['connectTimeout: 3601s', 'MT0106 connectTimeout'],
    ['meshMTLS: {ecdhCurves: [P-256]}', 'MT0129 meshMTLS.ecdhCurves'],
    ['serviceSettings: [{hosts: ["*.a", "a_b"]}]', 'MT0109 serviceSettings[0].hosts[1]'],
    ['defaultConfig: {statusPort: 0}', 'MT0105 defaultConfig.statusPort'],
    ['defaultConfig: {proxyAdminPort: 70000}', 'MT0105 defaultConfig.proxyAdminPort'],
    ['defaultConfig: {drainDuration: 1500ms}', 'MT0106 defaultConfig.drainDuration'],
    ['defaultConfig: {discoveryAddress: istiod}', 'MT0119 defaultConfig.discoveryAddress'],
    ['defaultConfig: {discoveryAddress: "istiod.istio-system.svc:15012"}', undefined],
    ['defaultConfig: {discoveryAddress: "[::1]:15012"}', undefined],
    [
      'defaultConfig: {proxyHeaders: {server: {value: "a\\nb"}}}',
      'MT0134 defaultConfig.proxyHeaders.server.value',
    ],
    ['accessLogFormat: "a\\nb"', undefined],
  ] as const)
    assert.deepEqual(codes(text), expected === undefined ? [] : [expected], text);
});
