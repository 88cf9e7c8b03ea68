// Which rule holds for whom: visibility, order, lookup, merging.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MemoEngine } from '../base/index.ts';
import { parseDocuments } from '../config/index.ts';
import { ConfigStore, Registry } from '../registry/index.ts';
import { type Audience, type EgressScope, Mesh } from './index.ts';

const service = (name: string, namespace: string): string =>
  `apiVersion: v1\nkind: Service\nmetadata: {name: ${name}, namespace: ${namespace}}\nspec: {clusterIP: 10.0.0.1, ports: [{name: http, port: 80}]}`;
const rule = (name: string, namespace: string, spec: string, created = ''): string =>
  `apiVersion: networking.istio.io/v1\nkind: DestinationRule\nmetadata: {name: ${name}, namespace: ${namespace}${created && `, creationTimestamp: "${created}"`}}\nspec: ${spec}`;
const virtualService = (name: string, namespace: string, spec: string, created = ''): string =>
  `apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: ${name}, namespace: ${namespace}${created && `, creationTimestamp: "${created}"`}}\nspec: ${spec}`;

function meshOf(...documents: string[]): Mesh {
  const engine = new MemoEngine();
  const store = new ConfigStore(engine, { domain: 'cluster.local' });
  const { resources, issues } = parseDocuments(documents.join('\n---\n'), 'test.yaml');
  assert.deepEqual(
    issues.filter((issue) => issue.severity === 'error'),
    [],
  );
  for (const resource of resources) store.put(resource);
  return new Mesh(engine, store, new Registry(engine, store));
}

const audience = (namespace: string, labels: Record<string, string> = {}): Audience => ({
  type: 'sidecar',
  namespace,
  labels,
  locality: '',
  node: '',
  network: '',
  captured: true,
  allocated: '',
});
const everything: EgressScope = { captured: true, imports: [{ namespace: '*', host: '*', exclude: false }] };
const cart = 'cart.shop.svc.cluster.local';

function ruleFor(mesh: Mesh, namespace: string, labels: Record<string, string> = {}): string | undefined {
  const found = mesh.serviceFor(audience(namespace), cart);
  return found && mesh.destinationRule(audience(namespace, labels), found)?.name;
}

const route =
  '{http: [{route: [{destination: {host: cart.shop.svc.cluster.local}}]}], hosts: [cart.shop.svc.cluster.local]';

const lookups: readonly {
  readonly name: string;
  readonly rules: readonly string[];
  readonly client: string;
  readonly labels?: Record<string, string>;
  readonly expected: string | undefined;
}[] = [
  {
    name: "the client's namespace goes first",
    rules: [rule('own', 'web', `{host: ${cart}}`), rule('owner', 'shop', '{host: cart}')],
    client: 'web',
    expected: 'own',
  },
  {
    name: "then the service's",
    rules: [rule('root', 'istio-system', `{host: ${cart}}`), rule('owner', 'shop', '{host: cart}')],
    client: 'web',
    expected: 'owner',
  },
  {
    name: 'then the root namespace',
    rules: [rule('root', 'istio-system', '{host: "*.shop.svc.cluster.local"}')],
    client: 'web',
    expected: 'root',
  },
  {
    name: 'a private rule of the owner is not seen',
    rules: [rule('owner', 'shop', '{host: cart, exportTo: ["."]}')],
    client: 'web',
    expected: undefined,
  },
  {
    name: 'a rule exported to others only is not seen at home',
    rules: [rule('own', 'web', `{host: ${cart}, exportTo: [ops]}`)],
    client: 'web',
    expected: undefined,
  },
  {
    name: 'the most specific host wins',
    rules: [rule('wide', 'shop', '{host: "*.svc.cluster.local"}'), rule('exact', 'shop', '{host: cart}')],
    client: 'web',
    expected: 'exact',
  },
  {
    name: "for the root namespace's proxies the owner goes before the root's public rules",
    rules: [rule('root', 'istio-system', `{host: ${cart}}`), rule('owner', 'shop', '{host: cart}')],
    client: 'istio-system',
    expected: 'owner',
  },
  {
    name: 'a rule with a selector is for the workloads that it selects',
    rules: [
      rule('everyone', 'web', `{host: ${cart}}`),
      rule(
        'some',
        'web',
        `{host: ${cart}, workloadSelector: {matchLabels: {app: a}}, exportTo: ["."], trafficPolicy: {loadBalancer: {simple: RANDOM}}}`,
      ),
    ],
    client: 'web',
    labels: { app: 'a' },
    expected: 'some',
  },
  {
    name: 'a wildcard of the own namespace goes before an exact host of the owner',
    rules: [rule('own', 'web', '{host: "*.shop.svc.cluster.local"}'), rule('owner', 'shop', '{host: cart}')],
    client: 'web',
    expected: 'own',
  },
  {
    name: 'a wildcard over a part of a label, since it is longer',
    rules: [
      rule('whole', 'web', '{host: "*.shop.svc.cluster.local"}'),
      rule('part', 'web', '{host: "*rt.shop.svc.cluster.local"}'),
    ],
    client: 'web',
    expected: 'part',
  },
  {
    name: 'an exact host decides though its selector is for others: the wildcard below is not looked at',
    rules: [
      rule('wide', 'web', '{host: "*.shop.svc.cluster.local"}'),
      rule('exact', 'web', `{host: ${cart}, workloadSelector: {matchLabels: {app: a}}, exportTo: ["."]}`),
    ],
    client: 'web',
    labels: { app: 'b' },
    expected: undefined,
  },
  {
    name: 'an exact rule of the owner that is exported elsewhere hides its wildcard, and the root namespace goes on',
    rules: [
      rule('wide', 'shop', '{host: "*.shop.svc.cluster.local"}'),
      rule('exact', 'shop', '{host: cart, exportTo: [ops]}'),
      rule('root', 'istio-system', '{host: "*.cluster.local"}'),
    ],
    client: 'web',
    expected: 'root',
  },
  {
    name: "a private rule of the root namespace is for that namespace's proxies",
    rules: [
      rule('root', 'istio-system', `{host: ${cart}, exportTo: ["."]}`),
      rule('owner', 'shop', '{host: cart}'),
    ],
    client: 'istio-system',
    expected: 'root',
  },
  {
    name: 'of rules with export sets that differ the youngest that is visible',
    rules: [
      rule('old', 'shop', '{host: cart, exportTo: [web, ops]}', '2024-01-01T00:00:00Z'),
      rule('young', 'shop', '{host: cart, exportTo: [web]}', '2024-02-01T00:00:00Z'),
      rule('elsewhere', 'shop', '{host: cart, exportTo: [ops]}', '2024-03-01T00:00:00Z'),
    ],
    client: 'web',
    expected: 'young',
  },
];
for (const { name, rules, client, labels, expected } of lookups)
  test(`destination rule: ${name}`, () =>
    assert.equal(ruleFor(meshOf(service('cart', 'shop'), ...rules), client, labels), expected));

test('rules for one host in one namespace add up, older subsets first', () => {
  const mesh = meshOf(
    service('cart', 'shop'),
    rule(
      'b',
      'shop',
      '{host: cart, subsets: [{name: x, labels: {from: b}}, {name: y, labels: {from: b}}], trafficPolicy: {loadBalancer: {simple: RANDOM}}}',
      '2024-02-01T00:00:00Z',
    ),
    rule('a', 'shop', '{host: cart, subsets: [{name: x, labels: {from: a}}]}', '2024-01-01T00:00:00Z'),
  );
  const found = mesh.serviceFor(audience('web'), cart);
  const merged = found && mesh.destinationRule(audience('web'), found);
  assert.deepEqual(
    merged?.subsets.map((subset) => [subset.name, subset.labels?.['from']]),
    [
      ['x', 'a'],
      ['y', 'b'],
    ],
  );
  assert.equal(merged?.trafficPolicy?.loadBalancer?.simple, 'RANDOM');
});

test('virtual services: private ones first, then those exported by name, then public ones, by age inside', () => {
  const mesh = meshOf(
    service('cart', 'shop'),
    virtualService('public', 'shop', `${route}}`, '2020-01-01T00:00:00Z'),
    virtualService('named', 'shop', `${route}, exportTo: [web]}`, '2021-01-01T00:00:00Z'),
    virtualService('private', 'web', `${route}, exportTo: ["."]}`, '2022-01-01T00:00:00Z'),
    virtualService('older', 'web', `${route}, exportTo: ["."]}`, '2021-06-01T00:00:00Z'),
    virtualService('hidden', 'ops', `${route}, exportTo: ["."]}`),
  );
  assert.deepEqual(
    mesh.virtualServicesOf('web', everything, cart).map((model) => model.name),
    ['older', 'private', 'named', 'public'],
  );
});

test('a virtual service that names the host goes before a wildcard over it', () => {
  const wide = `{hosts: ["*.shop.svc.cluster.local"], http: [{route: [{destination: {host: ${cart}}}]}]}`;
  const mesh = meshOf(
    service('cart', 'shop'),
    service('other', 'shop'),
    virtualService('wide', 'shop', wide, '2020-01-01T00:00:00Z'),
    virtualService('part', 'shop', wide.replace('*.', '*-b.'), '2020-02-01T00:00:00Z'),
    virtualService('exact', 'shop', `${route}}`),
  );
  const names = (host: string): readonly string[] =>
    mesh.virtualServicesOf('web', everything, host).map((model) => model.name);
  assert.deepEqual(names(cart), ['exact']);
  assert.deepEqual(names('other.shop.svc.cluster.local'), ['wide']);
  assert.deepEqual(names('a-b.shop.svc.cluster.local'), ['part']);
});

test('of one host in several namespaces, clients see their own, then Kubernetes, then the oldest', () => {
  const entry = (namespace: string, created: string): string =>
    `apiVersion: networking.istio.io/v1\nkind: ServiceEntry\nmetadata: {name: e, namespace: ${namespace}, creationTimestamp: "${created}"}\nspec: {hosts: [api.example], resolution: NONE, ports: [{number: 80, name: http, protocol: HTTP}]}`;
  const mesh = meshOf(entry('young', '2024-01-01T00:00:00Z'), entry('old', '2020-01-01T00:00:00Z'));
  const seen = (namespace: string): string | undefined =>
    mesh.serviceFor(audience(namespace), 'api.example')?.namespace;
  assert.deepEqual([seen('young'), seen('old'), seen('elsewhere')], ['young', 'old', 'old']);
  assert.deepEqual(
    mesh.visibleServices(audience('elsewhere')).map((found) => found.namespace),
    ['old'],
  );
});

test('only labels that some selector looks at make another audience', () => {
  const mesh = meshOf(
    service('cart', 'shop'),
    virtualService(
      'v',
      'shop',
      `{hosts: [cart], http: [{match: [{sourceLabels: {tier: a}}], route: [{destination: {host: cart}}]}]}`,
    ),
  );
  const node = {
    id: 'x',
    type: 'sidecar',
    name: 'x',
    namespace: 'web',
    addresses: ['10.0.0.9'],
    serviceAccount: 'default',
    clusterId: 'c',
    locality: '',
    network: '',
    captured: true,
    applicationPorts: new Map(),
    httpProxyPort: 0,
  } as const;
  assert.deepEqual(mesh.audienceOf({ ...node, labels: { tier: 'a', 'pod-template-hash': '1' } }).labels, {
    tier: 'a',
  });
});
