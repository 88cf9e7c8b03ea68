import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  formatIssues,
  formatSummary,
  locate,
  parseDocuments,
  parseFile,
  parseFiles,
  withPosition,
} from './index.ts';

const service = (name: string): string =>
  `apiVersion: v1\nkind: Service\nmetadata: {name: ${name}}\nspec: {ports: [{port: 80}]}\n`;
const virtualService = (spec: string): string =>
  `apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: a}\nspec: ${spec}\n`;
const bomb = `a0: &a0 [${'x,'.repeat(9)}x]\n${Array.from({ length: 12 }, (_, i) => `a${i + 1}: &a${i + 1} [${Array(10).fill(`*a${i}`).join(',')}]\n`).join('')}`;

// Each line of the findings begins with file, place, severity and code.
const badInputs: readonly { name: string; text: string; kept: number; findings: readonly RegExp[] }[] = [
  { name: 'empty file', text: '', kept: 0, findings: [] },
  { name: 'comments and separators only', text: '# a\n---\n---\n# b\n', kept: 0, findings: [] },
  { name: 'binary file', text: 'PNG\0\0', kept: 0, findings: [/^f:1:1 {2}error {4}MT0002/] },
  { name: 'control characters', text: 'a: \x01', kept: 0, findings: [/^f:1:4 {2}error {4}MT0001/] },
  {
    name: 'a broken document beside a good one',
    text: `a: [\n---\n${service('s')}`,
    kept: 1,
    findings: [/^f:2:1 {2}error {4}MT0001/],
  },
  {
    name: 'an open quote ends at the separator',
    text: `a: "x\n---\n${service('s')}`,
    kept: 1,
    findings: [/MT0001/],
  },
  {
    name: 'tabs',
    text: 'kind: Service\nmetadata:\n\tname: a\n',
    kept: 0,
    findings: [/^f:3:1 .*MT0001.*tab/],
  },
  {
    name: 'duplicate key',
    text: virtualService('{hosts: [a], hosts: [b]}'),
    kept: 0,
    findings: [/^f:4:20 .*MT0008 {2}the key hosts/],
  },
  { name: 'alias bomb', text: bomb + virtualService('*a12'), kept: 0, findings: [/MT0003.*aliases/] },
  {
    name: 'a value that contains itself',
    text: virtualService('&a {http: [*a]}'),
    kept: 0,
    findings: [/MT0003/],
  },
  { name: 'deep nesting', text: '{"a":'.repeat(5000), kept: 0, findings: [/MT0003/] },
  {
    name: 'merge keys',
    text: virtualService('{<<: {hosts: [a]}, http: [{route: [{destination: {host: a}}]}]}'),
    kept: 1,
    findings: [],
  },
  {
    name: 'CRLF',
    text: virtualService('{htp: 1, http: [{}], hosts: [a]}').replaceAll('\n', '\r\n'),
    kept: 0,
    findings: [/^f:4:8 .*MT0102/, /^f:4:23 .*MT0107/],
  },
  { name: 'byte order mark', text: `\ufeff${service('s')}`, kept: 1, findings: [] },
  { name: 'no kind', text: 'apiVersion: v1\nmetadata: {name: a}\n', kept: 0, findings: [/MT0004.*no kind/] },
  { name: 'no apiVersion', text: 'kind: Service\n', kept: 0, findings: [/MT0004.*no apiVersion/] },
  { name: 'neither', text: 'services: {}\n', kept: 0, findings: [/warning {2}MT0011/] },
  { name: 'not a map', text: '- a\n', kept: 0, findings: [/warning {2}MT0011/] },
  {
    name: 'kind of somebody else',
    text: 'apiVersion: apps/v1\nkind: Deployment\n',
    kept: 0,
    findings: [/info {5}MT0005 {2}apps\/v1 Deployment/],
  },
  {
    name: 'kind of Istio that does nothing',
    text: 'apiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\n',
    kept: 0,
    findings: [/warning {2}MT0402/],
  },
  {
    name: 'kind of the Gateway API that is not read',
    text: 'apiVersion: gateway.networking.k8s.io/v1\nkind: UDPRoute\n',
    kept: 0,
    findings: [/MT0005/],
  },
  {
    name: 'misspelt kind',
    text: 'apiVersion: networking.istio.io/v1\nkind: VirtualServce\n',
    kept: 0,
    findings: [/^f:2:1 .*MT0012.*VirtualService/],
  },
  {
    name: 'misspelt group',
    text: 'apiVersion: networking.istio.oi/v1\nkind: VirtualService\n',
    kept: 0,
    findings: [/MT0012.*networking\.istio\.io/],
  },
  {
    name: 'wrong version',
    text: 'apiVersion: networking.istio.io/v2\nkind: Sidecar\n',
    kept: 0,
    findings: [/^f:1:1 .*MT0006.*v1beta1/],
  },
  { name: 'no metadata', text: 'apiVersion: v1\nkind: Pod\n', kept: 0, findings: [/MT0009/] },
  {
    name: 'no name',
    text: 'apiVersion: v1\nkind: Pod\nmetadata: {labels: {}}\n',
    kept: 0,
    findings: [/^f:3:1 .*MT0103 {2}metadata\.name is missing/],
  },
  {
    name: 'label that is a number',
    text: 'apiVersion: v1\nkind: Pod\nmetadata: {name: a, labels: {v: 1}}\n',
    kept: 0,
    findings: [/^f:3:30 .*MT0101.*"1"/],
  },
  {
    name: 'a number written as a label keeps its text',
    text: 'apiVersion: v1\nkind: Pod\nmetadata:\n  name: a\n  labels: {a: 1.10, b: 0x1F, c: 1e3, d: True, e: 007}\n',
    kept: 0,
    findings: [/number 1\.10;.*"1\.10"$/, /"0x1F"$/, /"1e3"$/, /boolean True;.*"True"$/, /"007"$/],
  },
  {
    name: 'fields beside spec',
    text: `${virtualService('{hosts: [a], http: [{directResponse: {status: 200}}]}')}exportTo: ["."]\nhttps: []\nother: 1\nstatus: {a: b}\n`,
    kept: 1,
    findings: [
      /^f:5:1 {2}warning {2}MT0102.*beside spec; it belongs below spec$/,
      /^f:6:1 .*beside spec$/,
      /^f:7:1 .*beside spec$/,
    ],
  },
  {
    name: 'misspelt spec',
    text: service('s').replace('spec', 'sepc'),
    kept: 1,
    findings: [/^f:4:1 .*MT0102.*did you mean "spec"\?$/],
  },
  {
    name: 'spec that is no map',
    text: virtualService('hello'),
    kept: 0,
    findings: [/^f:4:1 .*MT0101 {2}spec must be a map/],
  },
  {
    name: 'given twice',
    text: `${service('s')}---\n${service('s')}`,
    kept: 1,
    findings: [/^f:8:12 .*MT0007.*line 1/],
  },
  {
    name: 'keys of the language',
    text: virtualService('{"__proto__": 1, constructor: 2}'),
    kept: 0,
    findings: [/MT0121/, /MT0102.*__proto__/, /MT0102.*constructor/],
  },
];

for (const { name, text, kept, findings } of badInputs) {
  test(`bad input: ${name}`, () => {
    const parsed = parseDocuments(text, 'f');
    const lines = formatIssues(parsed.issues);
    assert.equal(parsed.resources.length, kept);
    assert.equal(lines.length, findings.length, lines.join('\n'));
    for (const [i, pattern] of findings.entries()) assert.match(lines[i] ?? '', pattern);
  });
}

test('an error behind very many warnings still counts', () => {
  const { resources, issues } = parseDocuments(
    virtualService(`{hosts: [a], http: [${'{x: 1},'.repeat(1000)}]}`),
    'f',
  );
  assert.equal(resources.length, 0);
  assert.equal(issues.length, 101);
});

test('namespace, labels and origin are filled in', () => {
  const { resources } = parseDocuments(
    `# first\n\n---\n# second\n${service('a')}---\napiVersion: v1\nkind: Namespace\nmetadata: {name: n, labels: {x: y}}\n`,
    'f.yaml',
  );
  assert.deepEqual(resources[0]?.metadata, { name: 'a', namespace: 'default', labels: {}, annotations: {} });
  assert.deepEqual(resources[0]?.origin, {
    kind: 'Service',
    namespace: 'default',
    name: 'a',
    path: '',
    file: 'f.yaml',
    line: 5,
  });
  assert.equal(resources[1]?.metadata.namespace, '');
  assert.deepEqual(resources[1]?.metadata.labels, { x: 'y' });
});

test('the three versions of the networking API read alike', () => {
  for (const version of ['v1', 'v1beta1', 'v1alpha3']) {
    const { resources, issues } = parseDocuments(
      virtualService('{hosts: [a], http: [{route: [{destination: {host: a}}]}]}').replace(
        '/v1',
        `/${version}`,
      ),
      'f',
    );
    assert.equal(resources[0]?.kind, 'VirtualService');
    assert.deepEqual(issues, []);
  }
});

test('the two kinds named Gateway are told apart', () => {
  const istio =
    'apiVersion: networking.istio.io/v1\nkind: Gateway\nmetadata: {name: g}\nspec: {servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: ["*"]}]}\n';
  const kubernetes =
    'apiVersion: gateway.networking.k8s.io/v1\nkind: Gateway\nmetadata: {name: g}\nspec: {gatewayClassName: istio, listeners: []}\n';
  const { resources, issues } = parseDocuments(`${istio}---\n${kubernetes}`, 'f');
  assert.deepEqual(
    resources.map((resource) => resource.kind),
    ['Gateway', 'gateway.networking.k8s.io/Gateway'],
  );
  assert.deepEqual(issues, []);
});

test('a List is its items, each with its own place', () => {
  const { resources, issues } = parseDocuments(
    'apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: Pod\n  metadata: {name: a}\n- apiVersion: v1\n  kind: Pod\n  metadata: {}\n',
    'f',
  );
  assert.deepEqual(
    resources.map(({ origin }) => [origin.name, origin.line, origin.path]),
    [['a', 4, 'items[0]']],
  );
  assert.deepEqual(formatIssues(issues), [
    'f:9:3  error    MT0103  items[1].metadata.name is missing; it is required',
  ]);
});

test('content beside spec is read as one', () => {
  const { resources } = parseDocuments(
    'apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {nodeName: n}\nstatus: {podIP: 10.0.0.1}\n',
    'f',
  );
  const [pod] = resources;
  assert.ok(pod?.kind === 'Pod');
  assert.equal(pod.spec.nodeName, 'n');
  assert.equal(pod.spec.status?.podIP, '10.0.0.1');
});

test('a finding in status points there', () => {
  const { issues } = parseDocuments(
    'apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {}\nstatus:\n  podIP: 1\n',
    'f',
  );
  assert.deepEqual([issues[0]?.origin.line, issues[0]?.origin.column], [6, 3]);
});

test('a secret is bytes', () => {
  const { resources } = parseDocuments(
    'apiVersion: v1\nkind: Secret\nmetadata: {name: a}\ndata: {tls.crt: aGVsbG8=}\n',
    'f',
  );
  const [secret] = resources;
  assert.ok(secret?.kind === 'Secret');
  assert.equal(new TextDecoder().decode(secret.spec.data?.['tls.crt']), 'hello');
});

test('a resource with an error is named among the rejected', () => {
  const { resources, rejected } = parseDocuments(virtualService('{}'), 'f');
  assert.deepEqual(
    [resources.length, rejected.map(({ kind, name }) => `${kind} ${name}`)],
    [0, ['VirtualService a']],
  );
});

test('the same resource in two files of one load', () => {
  const { issues, resources } = parseFiles([
    { file: 'a.yaml', text: service('s') },
    { file: 'b.yaml', text: service('s') },
  ]);
  assert.equal(resources.length, 1);
  assert.deepEqual(formatIssues(issues), [
    'b.yaml:3:12  error    MT0007  Service default/s is given twice; the first, a.yaml:1, is used',
  ]);
});

test('locate finds a field again, in either spelling', () => {
  const text = `${service('s')}---\n${virtualService('\n  hosts: [a]\n  http:\n  - match:\n    - headers: {x.y: {exact: b}}\n    mirror_percent: 5')}`;
  const file = parseFile({ file: 'f', text });
  assert.deepEqual(locate(file, 6, 'spec.http[0].match[0].headers["x.y"].exact'), { line: 13, column: 23 });
  assert.deepEqual(locate(file, 6, 'spec.http[0].mirrorPercent'), { line: 14, column: 5 });
  assert.deepEqual(locate(file, 6, 'spec.http[0].route[3].weight'), { line: 12, column: 5 });
  const origin = { kind: 'VirtualService', namespace: 'default', name: 'a', line: 6, path: 'spec.hosts[0]' };
  assert.deepEqual(withPosition({ code: 'MT0201', severity: 'error', origin, message: '' }, file).origin, {
    ...origin,
    line: 10,
    column: 11,
  });
});

test('the summary counts', () => {
  const { issues } = parseDocuments(virtualService('{hosts: [a], htp: 1, htps: 2, http: [{}]}'), 'f');
  assert.equal(formatSummary(issues, 1), '1 error, 2 warnings in 1 resource');
  assert.equal(formatSummary([], 3), 'no findings in 3 resources');
});
