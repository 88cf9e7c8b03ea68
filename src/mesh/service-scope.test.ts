// Which service a host name means to a sidecar, and how much of it its Sidecar gives it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MemoEngine } from '../base/index.ts';
import { parseDocuments } from '../config/index.ts';
import { ConfigStore, Registry } from '../registry/index.ts';
import { type Audience, Mesh } from './index.ts';

const host = 'api.example.com';
const client: Audience = {
  type: 'sidecar',
  namespace: 'web',
  labels: {},
  locality: '',
  node: '',
  network: '',
  captured: true,
  allocated: '',
};

const entry = (namespace: string, { year = 2024, hosts = host, more = '' } = {}): string =>
  `apiVersion: networking.istio.io/v1\nkind: ServiceEntry\nmetadata: {name: e, namespace: ${namespace}, creationTimestamp: "${year}-01-01T00:00:00Z"}\nspec: {hosts: [${hosts}], resolution: DNS, ports: [{number: 80, name: http, protocol: HTTP}, {number: 90, name: more, protocol: HTTP}]${more}}`;
const service = (name: string, namespace: string): string =>
  `apiVersion: v1\nkind: Service\nmetadata: {name: ${name}, namespace: ${namespace}}\nspec: {clusterIP: 10.0.0.1, ports: [{name: http, port: 80}, {name: more, port: 90}]}`;
const sidecar = (...egress: readonly string[]): string =>
  `apiVersion: networking.istio.io/v1\nkind: Sidecar\nmetadata: {name: s, namespace: web}\nspec: {egress: [${egress.map((one) => `{${one}}`).join(', ')}]}`;
const route = (to: string, more = ''): string =>
  `apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: v, namespace: web}\nspec: {hosts: [front], http: [{${more}route: [{destination: {${to}}}]}]}`;
const listener = (number: number, hosts: string): string =>
  `port: {number: ${number}, name: http, protocol: HTTP}, hosts: [${hosts}]`;

function meshOf(documents: readonly string[]): Mesh {
  const engine = new MemoEngine();
  const store = new ConfigStore(engine, { domain: 'cluster.local' });
  const { resources } = parseDocuments(documents.join('\n---\n'), 'test.yaml');
  assert.equal(resources.length, documents.length);
  for (const resource of resources) store.put(resource);
  return new Mesh(engine, store, new Registry(engine, store));
}

const cart = 'cart.shop.svc.cluster.local';
const cases: readonly {
  readonly name: string;
  readonly documents: readonly string[];
  readonly host?: string;
  readonly expected: string;
}[] = [
  { name: 'the oldest', documents: [entry('a'), entry('b', { year: 2020 })], expected: 'b 80 90' },
  { name: "the client's own", documents: [entry('a', { year: 2020 }), entry('web')], expected: 'web 80 90' },
  {
    name: 'a private one before a public one',
    documents: [entry('a', { year: 2020 }), entry('web', { more: ', exportTo: ["."]' })],
    expected: 'web 80 90',
  },
  {
    name: 'Kubernetes before an older entry',
    documents: [entry('a', { year: 2020, hosts: cart }), service('cart', 'shop')],
    host: cart,
    expected: 'shop 80 90',
  },
  {
    name: "the client's own entry before Kubernetes",
    documents: [service('cart', 'shop'), entry('web', { hosts: cart })],
    host: cart,
    expected: 'web 80 90',
  },
  {
    name: 'what is imported before what is older',
    documents: [entry('a', { year: 2020 }), entry('b'), sidecar('hosts: ["b/*"]')],
    expected: 'b 80 90',
  },
  {
    name: 'what is imported before the own',
    documents: [entry('web'), entry('b'), sidecar('hosts: ["b/*"]')],
    expected: 'b 80 90',
  },
  { name: 'nothing that is not imported', documents: [entry('a'), sidecar('hosts: ["b/*"]')], expected: '' },
  {
    name: 'nothing that is taken out',
    documents: [entry('a'), sidecar(`hosts: ["*/*", "~/${host}"]`)],
    expected: '',
  },
  {
    name: 'what is not taken out',
    documents: [entry('a'), entry('b'), sidecar('hosts: ["*/*", "~a/*"]')],
    expected: 'b 80 90',
  },
  {
    name: 'of a listener on a port, that port',
    documents: [entry('a'), sidecar(listener(90, '"a/*"'))],
    expected: 'a 90',
  },
  {
    name: 'of two listeners, the ports of both',
    documents: [entry('a'), sidecar(listener(90, '"a/*"'), listener(80, '"a/*"'))],
    expected: 'a 90 80',
  },
  {
    name: 'what a rule in scope leads to, on the port that it names',
    documents: [entry('a'), route(`host: ${host}, port: {number: 90}`), sidecar('hosts: ["./*"]')],
    expected: 'a 90',
  },
  {
    name: 'on every port where it names none',
    documents: [entry('a'), route(`host: ${host}`), sidecar('hosts: ["./*"]')],
    expected: 'a 80 90',
  },
  {
    name: 'not what a rule for other namespaces leads to',
    documents: [
      entry('a'),
      route(`host: ${host}`, 'match: [{sourceNamespace: ops}], '),
      sidecar('hosts: ["./*"]'),
    ],
    expected: '',
  },
  {
    name: 'not what a rule out of scope leads to',
    documents: [entry('a'), route(`host: ${host}`), sidecar('hosts: ["b/*"]')],
    expected: '',
  },
];

for (const { name, documents, host: wanted = host, expected } of cases)
  test(`of services that share a host, a client has ${name}`, () => {
    const mesh = meshOf(documents);
    const text = (found: ReturnType<Mesh['serviceFor']>): string =>
      found ? [found.namespace, ...found.ports.map(({ number }) => number)].join(' ') : '';
    assert.equal(text(mesh.serviceFor(client, wanted)), expected);
    const all = mesh.reachableServices(client).filter(({ hostname }) => hostname === wanted);
    assert.deepEqual(all.map(text), expected === '' ? [] : [expected], 'what is looked up is what is listed');
  });
