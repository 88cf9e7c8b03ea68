// From resources to services and endpoints.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MemoEngine } from '../base/index.ts';
import { parseDocuments } from '../config/index.ts';
import { ConfigStore, type Endpoint, Registry } from './index.ts';

function registryOf(...documents: readonly string[]): Registry {
  const engine = new MemoEngine();
  const store = new ConfigStore(engine, { domain: 'cluster.local' });
  const { resources, issues } = parseDocuments(documents.join('\n---\n'), 'test.yaml');
  assert.deepEqual(
    issues.filter((issue) => issue.severity === 'error'),
    [],
  );
  for (const resource of resources) store.put(resource);
  return new Registry(engine, store);
}

const cart = 'shop/cart.shop.svc.cluster.local';
const service = (spec: string, metadata = ''): string =>
  `apiVersion: v1\nkind: Service\nmetadata: {name: cart, namespace: shop${metadata}}\nspec: ${spec}`;
const slice = (endpoints: string, ports = '[{name: http, port: 8080}]'): string =>
  `apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\nmetadata: {name: cart-1, namespace: shop, labels: {kubernetes.io/service-name: cart}}\naddressType: IPv4\nports: ${ports}\nendpoints: ${endpoints}`;
const entry = (spec: string, metadata = 'name: e, namespace: shop'): string =>
  `apiVersion: networking.istio.io/v1\nkind: ServiceEntry\nmetadata: {${metadata}}\nspec: ${spec}`;
const workload = (name: string, spec: string): string =>
  `apiVersion: networking.istio.io/v1\nkind: WorkloadEntry\nmetadata: {name: ${name}, namespace: shop}\nspec: ${spec}`;
const pod = (name: string, ip: string, more = '', status = ''): string =>
  `apiVersion: v1\nkind: Pod\nmetadata: {name: ${name}, namespace: shop, labels: {app: cart, version: v1${more}}}\nspec: {serviceAccountName: cart-sa, nodeName: one}\nstatus: {podIP: ${ip}${status}}`;
const node =
  'apiVersion: v1\nkind: Node\nmetadata: {name: one, labels: {topology.kubernetes.io/region: eu, topology.kubernetes.io/zone: eu-1}}';

const httpPort = 'ports: [{name: http, port: 80, targetPort: 8080}]';
const shown = (endpoint: Endpoint): string =>
  [
    `${endpoint.address}:${endpoint.port}`,
    endpoint.servicePort,
    endpoint.health === 'healthy' ? '' : endpoint.health,
    endpoint.locality,
    endpoint.labels['version'] ?? '',
    endpoint.serviceAccount ?? '',
    endpoint.tlsMode === 'istio' ? 'mtls' : '',
    endpoint.weight ? `weight ${endpoint.weight}` : '',
  ]
    .filter((part) => part !== '')
    .join(' ');

const api = 'shop/api.example.com';
const cases: readonly {
  readonly name: string;
  readonly documents: readonly string[];
  readonly key?: string;
  readonly expected: readonly string[];
}[] = [
  {
    name: 'a slice gives an address a port; unready ones say so',
    documents: [
      service(`{clusterIP: 10.0.0.1, ${httpPort}}`),
      slice(
        '[{addresses: [10.1.0.1], conditions: {ready: true}}, {addresses: [10.1.0.2], conditions: {ready: false, serving: false, terminating: false}}, {addresses: [10.1.0.3], conditions: {ready: false, serving: true, terminating: true}}]',
      ),
    ],
    expected: ['10.1.0.1:8080 http', '10.1.0.2:8080 http unhealthy', '10.1.0.3:8080 http draining'],
  },
  {
    name: 'ports of a slice are found by name; a port that the service lacks is left out',
    documents: [
      service('{clusterIP: 10.0.0.1, ports: [{name: http, port: 80}, {name: tcp-db, port: 5432}]}'),
      slice(
        '[{addresses: [10.1.0.1], conditions: {ready: true}}]',
        '[{name: http, port: 8080}, {name: tcp-db, port: 15432}, {name: metrics, port: 9090}]',
      ),
    ],
    expected: ['10.1.0.1:8080 http', '10.1.0.1:15432 tcp-db'],
  },
  {
    name: 'the pod behind an address gives labels, account, locality of its node, and mutual TLS',
    documents: [
      service(`{clusterIP: 10.0.0.1, ${httpPort}}`),
      slice(
        '[{addresses: [10.1.0.1], conditions: {ready: true}, targetRef: {kind: Pod, name: cart-a, namespace: shop}}]',
      ),
      pod('cart-a', '10.1.0.1', ', security.istio.io/tlsMode: istio'),
      node,
    ],
    expected: ['10.1.0.1:8080 http eu/eu-1 v1 cart-sa mtls'],
  },
  {
    name: "a pod's own locality label goes before its node's",
    documents: [
      service(`{clusterIP: 10.0.0.1, ${httpPort}}`),
      slice('[{addresses: [10.1.0.1], conditions: {ready: true}}]'),
      pod('cart-a', '10.1.0.1', ', istio-locality: us.us-2.rack'),
      node,
    ],
    expected: ['10.1.0.1:8080 http us/us-2/rack v1 cart-sa'],
  },
  {
    name: 'the label topology.istio.io/locality goes before the older one',
    documents: [
      service(`{clusterIP: 10.0.0.1, ${httpPort}}`),
      slice('[{addresses: [10.1.0.1], conditions: {ready: true}}]'),
      pod('cart-a', '10.1.0.1', ', istio-locality: us.us-2, topology.istio.io/locality: asia.a-1'),
    ],
    expected: ['10.1.0.1:8080 http asia/a-1 v1 cart-sa'],
  },
  {
    name: 'of an endpoint without a pod of its namespace nothing is known, not even its node',
    documents: [
      service(`{clusterIP: 10.0.0.1, ${httpPort}}`),
      slice('[{addresses: [10.1.0.1, 10.1.0.2], conditions: {ready: true}, nodeName: one}]'),
      pod('elsewhere', '10.1.0.1').replace('namespace: shop', 'namespace: other'),
      pod('cart-b', '10.1.0.2'),
      node,
    ],
    expected: ['10.1.0.1:8080 http', '10.1.0.2:8080 http eu/eu-1 v1 cart-sa'],
  },
  {
    name: 'what two slices have is one endpoint; without a word about it, what is not ready is about to go',
    documents: [
      service(`{clusterIP: 10.0.0.1, ${httpPort}}`),
      slice(
        '[{addresses: [10.1.0.1], conditions: {ready: true}}, {addresses: [10.1.0.2], conditions: {ready: false}}]',
      ),
      slice('[{addresses: [10.1.0.1], conditions: {ready: true}}]').replace('cart-1', 'cart-2'),
    ],
    expected: ['10.1.0.1:8080 http', '10.1.0.2:8080 http draining'],
  },
  {
    name: 'without slices the pods that the service selects, with the ports that they name',
    documents: [
      service(
        '{clusterIP: 10.0.0.1, selector: {app: cart}, ports: [{name: http, port: 80, targetPort: web}, {name: tcp, port: 81, targetPort: 9000}, {name: none, port: 82, targetPort: nowhere}]}',
      ),
      pod('cart-a', '10.1.0.1').replace(
        'nodeName: one',
        'nodeName: one, containers: [{name: c, ports: [{name: web, containerPort: 8080}]}]',
      ),
      pod('cart-b', '10.1.0.2', '', ', conditions: [{type: Ready, status: "False"}]'),
      pod('cart-c', '10.1.0.3', '', ', phase: Succeeded'),
      pod('other', '10.1.0.4').replace('app: cart', 'app: other'),
      node,
    ],
    expected: [
      '10.1.0.1:8080 http eu/eu-1 v1 cart-sa',
      '10.1.0.1:9000 tcp eu/eu-1 v1 cart-sa',
      '10.1.0.2:9000 tcp unhealthy eu/eu-1 v1 cart-sa',
    ],
  },
  {
    name: 'a service may publish pods that are not ready',
    documents: [
      service(`{clusterIP: None, publishNotReadyAddresses: true, selector: {app: cart}, ${httpPort}}`),
      pod('cart-b', '10.1.0.2', '', ', conditions: [{type: Ready, status: "False"}]'),
    ],
    expected: ['10.1.0.2:8080 http v1 cart-sa'],
  },
  {
    name: 'where there are slices, pods that they lack are no endpoints',
    documents: [
      service(`{clusterIP: 10.0.0.1, selector: {app: cart}, ${httpPort}}`),
      slice('[]'),
      pod('cart-a', '10.1.0.1'),
    ],
    expected: [],
  },
  {
    name: "a Kubernetes service's selector takes workload entries as well",
    documents: [
      service(`{clusterIP: 10.0.0.1, selector: {app: cart}, ${httpPort}}`),
      workload(
        'vm',
        '{address: 10.2.0.1, labels: {app: cart, version: v2}, serviceAccount: vm-sa, ports: {http: 9080}, weight: 3}',
      ),
      workload('other', '{address: 10.2.0.2, labels: {app: other}}'),
    ],
    expected: ['10.2.0.1:9080 http v2 vm-sa mtls weight 3'],
  },
  {
    name: 'inline endpoints of a service entry, each with the ports that it names',
    documents: [
      entry(
        '{hosts: [api.example.com], resolution: STATIC, location: MESH_EXTERNAL, ports: [{number: 80, name: http, protocol: HTTP}, {number: 443, name: tls, protocol: TLS, targetPort: 8443}], endpoints: [{address: 10.3.0.1, ports: {http: 8080}, locality: eu/eu-1}, {address: 10.3.0.2}]}',
      ),
    ],
    key: api,
    expected: [
      '10.3.0.1:8080 http eu/eu-1',
      '10.3.0.1:8443 tls eu/eu-1',
      '10.3.0.2:80 http',
      '10.3.0.2:8443 tls',
    ],
  },
  {
    name: 'a DNS entry without endpoints is its own host',
    documents: [
      entry('{hosts: [api.example.com], resolution: DNS, ports: [{number: 80, name: http, protocol: HTTP}]}'),
    ],
    key: api,
    expected: ['api.example.com:80 http'],
  },
  {
    name: 'an entry with a selector takes workload entries and ready pods',
    documents: [
      entry(
        '{hosts: [api.example.com], resolution: STATIC, location: MESH_INTERNAL, ports: [{number: 80, name: http, protocol: HTTP, targetPort: 8080}], workloadSelector: {labels: {app: cart}}}',
      ),
      workload('vm', '{address: 10.2.0.1, labels: {app: cart, version: v2}}'),
      pod('cart-a', '10.1.0.1'),
      pod('cart-b', '10.1.0.2', '', ', conditions: [{type: Ready, status: "False"}]'),
    ],
    key: api,
    expected: ['10.2.0.1:8080 http v2', '10.1.0.1:8080 http v1 cart-sa'],
  },
  {
    name: 'entries of one namespace for one host add up',
    documents: [
      entry(
        '{hosts: [api.example.com], resolution: STATIC, ports: [{number: 80, name: http, protocol: HTTP}], endpoints: [{address: 10.3.0.1}]}',
      ),
      entry(
        '{hosts: [api.example.com], resolution: STATIC, ports: [{number: 81, name: more, protocol: HTTP}], endpoints: [{address: 10.3.0.2}]}',
        'name: f, namespace: shop',
      ),
    ],
    key: api,
    expected: ['10.3.0.1:80 http', '10.3.0.2:81 more'],
  },
];
for (const { name, documents, key = cart, expected } of cases)
  test(`endpoints: ${name}`, () =>
    assert.deepEqual(
      registryOf(...documents)
        .endpoints(key)
        .map(shown),
      expected,
    ));

test('a Kubernetes service with a host goes before a service entry of the same namespace with that host', () => {
  const registry = registryOf(
    service(`{clusterIP: 10.0.0.1, ${httpPort}}`),
    entry(
      '{hosts: [cart.shop.svc.cluster.local], resolution: DNS, ports: [{number: 81, name: http, protocol: HTTP}], subjectAltNames: [spiffe://x]}',
    ),
  );
  const found = registry.service(cart);
  assert.deepEqual(
    [found?.source, found?.ports.map(({ number }) => number), found?.subjectAltNames],
    ['kubernetes', [80], ['spiffe://x']],
  );
});

const kubernetes: readonly (readonly [string, string, Readonly<Record<string, unknown>>])[] = [
  [
    'one without a cluster IP of its own is headless',
    '{clusterIP: None, ports: [{port: 80}]}',
    { headless: true, resolution: 'original-destination', addresses: [] },
  ],
  [
    'ExternalName is an alias',
    '{type: ExternalName, externalName: api.example.com, ports: [{port: 80}]}',
    { resolution: 'alias', externalName: 'api.example.com' },
  ],
  [
    'both families of addresses',
    '{clusterIP: 10.0.0.1, clusterIPs: [10.0.0.1, "fd00::1"], ports: [{port: 80}]}',
    { addresses: ['10.0.0.1', 'fd00::1'] },
  ],
  [
    'traffic distribution',
    '{clusterIP: 10.0.0.1, trafficDistribution: PreferClose, ports: [{port: 80}]}',
    { trafficDistribution: 'PreferSameZone' },
  ],
];
for (const [name, spec, expected] of kubernetes)
  test(`Kubernetes services: ${name}`, () => {
    const found: Record<string, unknown> = { ...registryOf(service(spec)).service(cart) };
    assert.deepEqual(Object.fromEntries(Object.keys(expected).map((key) => [key, found[key]])), expected);
  });

test('UDP ports are no ports of the mesh', () => {
  const found = registryOf(
    service(
      '{clusterIP: 10.0.0.1, ports: [{name: dns, port: 53, protocol: UDP}, {name: dns-tcp, port: 53, protocol: TCP}]}',
    ),
  ).service(cart);
  assert.deepEqual(
    found?.ports.map(({ name }) => name),
    ['dns-tcp'],
  );
});

test('the services at an address are found by every way of declaring it', () => {
  const registry = registryOf(
    service(`{clusterIP: 10.0.0.1, ${httpPort}}`),
    slice('[{addresses: [10.1.0.1], conditions: {ready: true}}]'),
    entry(
      '{hosts: [api.example.com], resolution: STATIC, ports: [{number: 80, name: http, protocol: HTTP}], endpoints: [{address: 10.1.0.1}]}',
    ),
  );
  assert.deepEqual(registry.keysAtAddress('10.1.0.1'), [
    'shop/api.example.com',
    'shop/cart.shop.svc.cluster.local',
  ]);
  assert.deepEqual(registry.keysAtAddress('10.1.0.9'), []);
});

test('the services at the address of a pod or workload entry are those that may select it', () => {
  const registry = registryOf(
    service(`{clusterIP: 10.0.0.1, selector: {app: cart}, ${httpPort}}`),
    pod('cart-a', '10.1.0.1'),
    workload('vm', '{address: 10.2.0.1, labels: {app: cart}}'),
  );
  for (const address of ['10.1.0.1', '10.2.0.1']) assert.deepEqual(registry.keysAtAddress(address), [cart]);
});
