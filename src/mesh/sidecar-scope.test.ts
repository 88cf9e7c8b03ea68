// What a Sidecar lets a client reach, and which of several applies.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseDocuments } from '../config/index.ts';
import type { ObjectOf, Service } from '../registry/index.ts';
import type { RouteSemantics } from './conversion/index.ts';
import { chooseSidecar, importsService, importsVirtualService, scopeOf } from './sidecar-scope.ts';

type Sidecar = ObjectOf<'Sidecar'>;

function sidecars(...texts: readonly string[]): readonly Sidecar[] {
  const text = texts
    .map((one) => `apiVersion: networking.istio.io/v1\nkind: Sidecar\n${one}\n`)
    .join('---\n');
  const { resources, issues } = parseDocuments(text, 'test.yaml');
  assert.deepEqual(
    issues.filter(({ severity }) => severity === 'error'),
    [],
  );
  return resources.filter((object): object is Sidecar => object.kind === 'Sidecar');
}

const scopeWith = (hosts: string): ReturnType<typeof scopeOf> =>
  scopeOf(sidecars(`metadata: {name: s, namespace: web}\nspec: {egress: [{hosts: [${hosts}]}]}`)[0], 'web');
const service = (namespace: string, hostname: string): Service => ({ namespace, hostname }) as Service;

const imports: readonly {
  readonly hosts: string;
  readonly reaches: readonly string[];
  readonly not: readonly string[];
}[] = [
  { hosts: '"./*"', reaches: ['web/a.web'], not: ['shop/a.shop'] },
  { hosts: '"*/*"', reaches: ['web/a.web', 'shop/a.shop'], not: [] },
  { hosts: '"shop/*"', reaches: ['shop/a.shop'], not: ['web/a.web'] },
  { hosts: '"~/*"', reaches: [], not: ['web/a.web', 'shop/a.shop'] },
  {
    hosts: '"*/cart.shop"',
    reaches: ['shop/cart.shop', 'other/cart.shop'],
    not: ['shop/carts.shop', 'shop/a.cart.shop'],
  },
  {
    hosts: '"*/*.example.com"',
    reaches: ['shop/a.example.com', 'web/a.b.example.com'],
    not: ['web/example.com', 'web/a.example.org'],
  },
  { hosts: '"*/*.Example.com"', reaches: ['shop/a.example.com'], not: [] },
  { hosts: '"*/*", "~shop/*"', reaches: ['web/a'], not: ['shop/a'] },
  { hosts: '"*/*", "~/a.com"', reaches: ['web/b.com'], not: ['web/a.com', 'shop/a.com'] },
  { hosts: '"*/*", "~*/*.a.com"', reaches: ['web/a.com'], not: ['web/x.a.com', 'shop/*.x.a.com'] },
  { hosts: '"*/*", "~./a.com"', reaches: ['shop/a.com'], not: ['web/a.com'] },
  { hosts: '"./*", "shop/cart.shop"', reaches: ['web/x', 'shop/cart.shop'], not: ['shop/x'] },
];
for (const { hosts, reaches, not } of imports)
  test(`a Sidecar with ${hosts} imports what it names`, () => {
    const [egress] = scopeWith(hosts).egress;
    assert.ok(egress);
    const imported = [...reaches, ...not].filter((name) => {
      const [namespace = '', host = ''] = name.split('/');
      return importsService(egress, service(namespace, host));
    });
    assert.deepEqual(imported, reaches);
  });

test('a virtual service is imported by its own namespace and a host in common', () => {
  const cases: readonly (readonly [string, string, readonly string[], RouteSemantics, boolean])[] = [
    ['"shop/*.shop.svc.cluster.local"', 'shop', ['cart.shop.svc.cluster.local'], 'istio', true],
    ['"shop/*.shop.svc.cluster.local"', 'shop', ['*'], 'istio', true],
    ['"shop/*.shop.svc.cluster.local"', 'shop', ['*'], 'gateway', false],
    ['"shop/*.shop.svc.cluster.local"', 'shop', ['cart.shop.svc.cluster.local'], 'gateway', true],
    ['"shop/*.shop.svc.cluster.local"', 'web', ['cart.shop.svc.cluster.local'], 'istio', false],
    ['"shop/*.shop.svc.cluster.local"', 'shop', ['cart.web.svc.cluster.local'], 'istio', false],
    ['"*/*", "~shop/a.com"', 'shop', ['a.com'], 'istio', false],
    ['"*/*", "~shop/a.com"', 'shop', ['a.com', 'b.com'], 'istio', true],
    ['"*/*", "~shop/a.com"', 'shop', ['*.com'], 'istio', true],
    ['"*/*", "~shop/*.com"', 'shop', ['*.com', 'a.com'], 'istio', false],
    ['"*/*", "~shop/a.com"', 'web', ['a.com'], 'istio', true],
    ['"*/*", "~/a.com"', 'web', ['a.com'], 'istio', false],
  ];
  for (const [hosts, namespace, own, semantics, expected] of cases) {
    const [egress] = scopeWith(hosts).egress;
    assert.ok(egress);
    assert.equal(
      importsVirtualService(egress, { namespace, hosts: own, semantics }),
      expected,
      `${hosts}: ${namespace}/${own}`,
    );
  }
});

test('without a Sidecar, or with one that says nothing of egress, everything is imported', () => {
  for (const scope of [
    scopeOf(undefined, 'web'),
    scopeOf(
      sidecars('metadata: {name: s, namespace: web}\nspec: {outboundTrafficPolicy: {mode: ALLOW_ANY}}')[0],
      'web',
    ),
  ]) {
    assert.equal(scope.egress.length, 1);
    assert.ok(scope.egress.every((egress) => importsService(egress, service('any', 'any'))));
  }
});

const own = sidecars(
  'metadata: {name: everyone, namespace: web, creationTimestamp: "2020-01-01T00:00:00Z"}\nspec: {outboundTrafficPolicy: {mode: ALLOW_ANY}}',
  'metadata: {name: young, namespace: web, creationTimestamp: "2024-01-01T00:00:00Z"}\nspec: {workloadSelector: {labels: {app: a}}, outboundTrafficPolicy: {mode: ALLOW_ANY}}',
  'metadata: {name: old, namespace: web, creationTimestamp: "2022-01-01T00:00:00Z"}\nspec: {workloadSelector: {labels: {app: a}}, outboundTrafficPolicy: {mode: ALLOW_ANY}}',
);
const root = sidecars(
  'metadata: {name: selecting, namespace: istio-system}\nspec: {workloadSelector: {labels: {app: a}}, outboundTrafficPolicy: {mode: ALLOW_ANY}}',
  'metadata: {name: root, namespace: istio-system}\nspec: {outboundTrafficPolicy: {mode: ALLOW_ANY}}',
);
const choices: readonly (readonly [
  string,
  readonly Sidecar[],
  Readonly<Record<string, string>>,
  string | undefined,
])[] = [
  ['the oldest that selects the workload', own, { app: 'a' }, 'old'],
  ["the namespace's for a workload that none selects", own, { app: 'b' }, 'everyone'],
  ["the root namespace's where the namespace has none", [], { app: 'a' }, 'root'],
  ["the root namespace's where the namespace's select others", own.slice(1), { app: 'b' }, 'root'],
];
for (const [name, candidates, labels, expected] of choices)
  test(`of several Sidecars: ${name}`, () =>
    assert.equal(chooseSidecar(candidates, root, labels)?.metadata.name, expected));
