// Which mutual TLS holds where: the mesh's, the namespace's, the workload's and the port's word.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseDocuments } from '../config/index.ts';
import type { ObjectOf } from '../registry/index.ts';
import { mutualTlsOf } from './peer-authentication.ts';

type Policy = ObjectOf<'PeerAuthentication'>;

function policies(...specs: readonly string[]): readonly Policy[] {
  const text = specs
    .map((spec, index) => {
      const [body = '', created] = spec.split(' @');
      const time = created === undefined ? '' : `, creationTimestamp: "${created}-01-01T00:00:00Z"`;
      return `apiVersion: security.istio.io/v1\nkind: PeerAuthentication\nmetadata: {name: p${index}, namespace: n${time}}\nspec: ${body}\n`;
    })
    .join('---\n');
  const { resources, issues } = parseDocuments(text, 'test.yaml');
  assert.deepEqual(issues, []);
  return resources.filter((object): object is Policy => object.kind === 'PeerAuthentication');
}

const selecting = 'selector: {matchLabels: {app: cart}}';

const cases: readonly {
  readonly name: string;
  readonly root?: readonly string[];
  readonly namespace?: readonly string[];
  readonly expected: string;
}[] = [
  { name: 'nothing said', expected: 'PERMISSIVE' },
  { name: 'the mesh', root: ['{mtls: {mode: STRICT}}'], expected: 'STRICT' },
  {
    name: 'the namespace over the mesh',
    root: ['{mtls: {mode: STRICT}}'],
    namespace: ['{mtls: {mode: DISABLE}}'],
    expected: 'DISABLE',
  },
  {
    name: 'UNSET inherits',
    root: ['{mtls: {mode: STRICT}}'],
    namespace: ['{mtls: {mode: UNSET}}'],
    expected: 'STRICT',
  },
  {
    name: 'a selector in the root namespace is not for all',
    root: [`{${selecting}, mtls: {mode: STRICT}}`],
    expected: 'PERMISSIVE',
  },
  {
    name: 'the workload over the namespace',
    namespace: ['{mtls: {mode: DISABLE}}', `{${selecting}, mtls: {mode: STRICT}}`],
    expected: 'STRICT',
  },
  {
    name: 'a workload that is not selected',
    namespace: ['{mtls: {mode: DISABLE}}', '{selector: {matchLabels: {app: other}}, mtls: {mode: STRICT}}'],
    expected: 'DISABLE',
  },
  {
    name: 'the oldest of several',
    namespace: [`{${selecting}, mtls: {mode: STRICT}} @2024`, `{${selecting}, mtls: {mode: DISABLE}} @2020`],
    expected: 'DISABLE',
  },
  {
    name: 'ports of their own, the others as the workload',
    namespace: [
      `{${selecting}, mtls: {mode: STRICT}, portLevelMtls: {8080: {mode: DISABLE}, 9090: {mode: UNSET}}}`,
    ],
    expected: 'STRICT 8080=DISABLE 9090=STRICT',
  },
  {
    name: 'ports where the workload inherits from the namespace',
    namespace: ['{mtls: {mode: DISABLE}}', `{${selecting}, portLevelMtls: {8080: {mode: STRICT}}}`],
    expected: 'DISABLE 8080=STRICT',
  },
];
for (const { name, root = [], namespace = [], expected } of cases)
  test(`mutual TLS: ${name}`, () => {
    const found = mutualTlsOf(
      { root: policies(...root), namespace: policies(...namespace) },
      { app: 'cart', version: 'v1' },
    );
    assert.equal(
      [found.mode, ...[...found.ports].map(([port, mode]) => `${port}=${mode}`)].join(' '),
      expected,
    );
  });
