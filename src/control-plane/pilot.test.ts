// The pilot over real gRPC: what an edit sends, and what it does not.
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { fromBinary, type JsonObject } from '@bufbuild/protobuf';
import { NameTableSchema } from '@meltemi/envoy-api/istio/networking/nds/v1/nds';
import type { Issue } from '../base/index.ts';
import { type AnyConfig, parseDocuments } from '../config/index.ts';
import type { ConfigUpdate } from '../sources/index.ts';
import { type ResourceTypeName, type SotwClient, typeOfUrl, typeUrlOf } from '../xds/index.ts';
import { Pilot } from './pilot.ts';
import type { PilotEvent } from './pilot-event.ts';
import { testClient } from './testing/test-client.ts';

const services = `
apiVersion: v1
kind: Service
metadata: {name: cart}
spec: {clusterIP: 10.0.0.1, ports: [{name: http, port: 80}]}
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: cart}
spec: {host: cart, subsets: [{name: v1, labels: {version: v1}}, {name: v2, labels: {version: v2}}]}
`;
const slice = (...addresses: string[]): string => `
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: cart, labels: {kubernetes.io/service-name: cart}}
addressType: IPv4
ports: [{name: http, port: 8080}]
endpoints: [${addresses.map((address) => `{addresses: [${address}], conditions: {ready: true}}`).join(', ')}]
`;
const routes = (weight: number, subset = 'v2', labels = '{}'): string => `
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: cart, labels: ${labels}, resourceVersion: "${weight}"}
spec:
  hosts: [cart]
  http: [{route: [{destination: {host: cart, subset: v1}, weight: ${weight}}, {destination: {host: cart, subset: ${subset}}, weight: ${100 - weight}}]}]
`;

const update = (text: string): ConfigUpdate => ({
  changed: parseDocuments(text, 'test.yaml').resources as readonly AnyConfig[],
  removed: [],
  issues: [],
});

class Client {
  readonly received: string[] = [];
  readonly #client: SotwClient;
  #waiting: { readonly type: ResourceTypeName; readonly resolve: () => void }[] = [];

  constructor(address: string, ip = '10.9.9.9', metadata: JsonObject = {}) {
    this.#client = testClient({
      address,
      id: `sidecar~${ip}~client.default~default.svc.cluster.local`,
      metadata: { NAMESPACE: 'default', LABELS: { app: 'client' }, ...metadata },
    });
    for (const [type, names] of [
      ['cluster', []],
      ['endpoint', ['outbound|80||cart.default.svc.cluster.local']],
      ['listener', []],
      ['route', ['80']],
    ] as const)
      this.#subscribe(type, names);
    this.#client.start();
  }

  #subscribe(type: ResourceTypeName, names: readonly string[]): void {
    this.#client.subscribe(typeUrlOf(type), names, (resources) => {
      this.received.push(type);
      assert.ok(resources.every((resource) => typeOfUrl(resource.typeUrl) === type));
      for (const waiter of this.#waiting.filter((candidate) => candidate.type === type)) waiter.resolve();
      this.#waiting = this.#waiting.filter((candidate) => candidate.type !== type);
      return [];
    });
  }

  next(type: ResourceTypeName): Promise<void> {
    return new Promise((resolve) => void this.#waiting.push({ type, resolve }));
  }

  stop(): void {
    this.#client.stop();
  }
}

interface Running {
  readonly pilot: Pilot;
  readonly client: Client;
  /** Applies an edit and returns the types that reached the client, once it has accepted the last of them. */
  edit(text: string): Promise<{ readonly types: readonly string[]; readonly issues: readonly Issue[] }>;
}

async function running(t: TestContext, text: string): Promise<Running> {
  const events: PilotEvent[] = [];
  let onAccepted = (): void => {};
  const pilot = new Pilot({
    onEvent: (event) => {
      events.push(event);
      if (event.kind === 'acknowledged') onAccepted();
    },
  });
  pilot.apply(update(text));
  const server = await pilot.serve('127.0.0.1:0');
  const client = new Client(server.address);
  t.after(async () => {
    client.stop();
    await server.close();
  });
  await Promise.all([
    client.next('cluster'),
    client.next('listener'),
    client.next('route'),
    client.next('endpoint'),
  ]);
  return {
    pilot,
    client,
    edit: async (edited) => {
      client.received.length = 0;
      const before = events.filter((event) => event.kind === 'pushed').length;
      const settled = new Promise<void>((resolve) => {
        onAccepted = () => client.received.length > 0 && resolve();
      });
      const issues = pilot.apply(update(edited));
      // Nothing pushed means that nothing is on its way: there is nothing to wait for.
      if (events.filter((event) => event.kind === 'pushed').length > before) await settled;
      return { types: [...new Set(client.received)], issues };
    },
  };
}

test('a weight reaches the client as routes alone', async (t) => {
  const { edit } = await running(t, `${services}---${slice('10.1.0.1')}---${routes(90)}`);
  assert.deepEqual((await edit(routes(80))).types, ['route']);
});

test('an endpoint reaches the client as endpoints alone', async (t) => {
  const { edit } = await running(t, `${services}---${slice('10.1.0.1')}---${routes(90)}`);
  assert.deepEqual((await edit(slice('10.1.0.1', '10.1.0.2'))).types, ['endpoint']);
});

test('the pilot says who has which version, and tells several listeners', async (t) => {
  const { pilot, edit } = await running(t, `${services}---${slice('10.1.0.1')}---${routes(90)}`);
  const told: string[] = [];
  pilot.subscribe(() => assert.fail('a listener that throws harms nobody'));
  const leave = pilot.subscribe((event) => {
    if (event.kind === 'acknowledged') told.push(...event.resources.map(({ name }) => name));
  });
  await edit(routes(80));
  leave();
  assert.equal(told.at(-1), '80');
  const route = { type: 'route', name: '80' } as const;
  const [version = '', ...others] = pilot.propagation.versionsOf(route);
  assert.deepEqual(others, []);
  assert.deepEqual(pilot.propagation.spreadOf(route, version).acknowledged, pilot.proxies);
});

test('labels and versions that nobody looks at send nothing', async (t) => {
  const { edit } = await running(t, `${services}---${slice('10.1.0.1')}---${routes(90)}`);
  assert.deepEqual((await edit(routes(90, 'v2', '{team: a}'))).types, []);
});

test('an edit that names an undeclared subset waits for the subset, with a finding', async (t) => {
  const { edit } = await running(t, `${services}---${slice('10.1.0.1')}---${routes(90)}`);
  const broken = await edit(routes(80, 'v3'));
  assert.deepEqual(broken.types, []);
  assert.deepEqual(
    broken.issues.map((issue) => [issue.code, issue.origin.path]),
    [['MT0203', 'spec.http[0].route[1].destination.subset']],
  );
  const mended = await edit(
    services.replace(
      '{name: v2, labels: {version: v2}}',
      '{name: v2, labels: {version: v2}}, {name: v3, labels: {version: v3}}',
    ),
  );
  assert.ok(mended.types.includes('cluster') && !mended.issues.some((issue) => issue.severity === 'error'));
});

test('a first version with an undeclared subset is served as it is, with a finding', () => {
  const pilot = new Pilot();
  const issues = pilot.apply(update(`${services}---${routes(90, 'v9')}`));
  assert.deepEqual(
    issues.map((issue) => issue.code),
    ['MT0203'],
  );
  assert.equal(pilot.mesh.virtualService('default/cart')?.name, 'cart');
});

test('a new VirtualService that names an undeclared subset is as if it were not there, until the subset is', () => {
  const pilot = new Pilot();
  const id = { kind: 'VirtualService', namespace: 'default', name: 'cart' } as const;
  pilot.apply(update(services));
  const issues = pilot.apply(update(routes(90, 'v9')));
  assert.deepEqual(
    issues.map((issue) => issue.code),
    ['MT0203'],
  );
  assert.equal(pilot.standing(id), 'absent');
  assert.equal(pilot.mesh.virtualService('default/cart'), undefined);
  assert.deepEqual(pilot.apply(update(services.replace('name: v2,', 'name: v9,'))), []);
  assert.equal(pilot.standing(id), 'current');
  pilot.apply(update(routes(10, 'v8')));
  assert.equal(pilot.standing(id), 'previous');
  assert.equal(pilot.mesh.virtualService('default/cart')?.http[0]?.route?.[0]?.weight, 90);
  assert.deepEqual(pilot.apply({ changed: [], removed: [id], issues: [] }), []);
  assert.equal(pilot.standing(id), 'absent');
});

test('a change of MeshConfig makes and removes what Ingresses stand for', () => {
  const ingress = `
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: shop, annotations: {kubernetes.io/ingress.class: istio}}
spec: {rules: [{host: shop.example, http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: cart, port: {number: 80}}}}]}}]}
`;
  const pilot = new Pilot();
  const generated = (): number =>
    pilot.store.table('Gateway').size + pilot.store.table('VirtualService').size;
  pilot.apply(update(`${services}---${ingress}`));
  const made = generated();
  assert.ok(made > 0);
  pilot.setMeshConfig({ ingressControllerMode: 'OFF' });
  assert.equal(generated(), 0);
  pilot.setMeshConfig({ ingressControllerMode: 'STRICT' });
  assert.equal(generated(), made);
});

test('what becomes of Gateway API objects that come later is a finding as well', () => {
  const pilot = new Pilot();
  pilot.apply(update(services));
  const issues = pilot.apply(
    update(`
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: edge}
spec: {gatewayClassName: istio, listeners: [{name: http, port: 80, protocol: HTTP}]}
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: cart}
spec: {parentRefs: [{name: edge, sectionName: nowhere}], rules: [{backendRefs: [{name: cart, port: 80}]}]}
`),
  );
  assert.deepEqual(
    issues.map((issue) => issue.code),
    ['MT0213'],
  );
});

const findings: readonly (readonly [string, string, string])[] = [
  ['an unknown host', 'http: [{route: [{destination: {host: ghost}}]}]', 'MT0201'],
  ['an unknown gateway', 'gateways: [nowhere], http: [{route: [{destination: {host: cart}}]}]', 'MT0202'],
  ['an unknown port', 'http: [{route: [{destination: {host: cart, port: {number: 81}}}]}]', 'MT0204'],
  ['an unknown delegate', 'http: [{delegate: {name: ghost}}]', 'MT0205'],
];
for (const [name, spec, code] of findings)
  test(`${name} is a finding`, () => {
    const text = `apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: x}\nspec: {hosts: [cart], ${spec}}`;
    assert.deepEqual(
      new Pilot().apply(update(`${services}---\n${text}`)).map((issue) => issue.code),
      [code],
    );
  });

test('a proxy that joins a WorkloadGroup is an endpoint for the others until it has gone', async (t) => {
  const members = `
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: cart}
spec:
  hosts: [cart.default.svc.cluster.local]
  location: MESH_INTERNAL
  resolution: STATIC
  ports: [{number: 80, name: http, protocol: HTTP}]
  workloadSelector: {labels: {app: vm}}
---
apiVersion: networking.istio.io/v1
kind: WorkloadGroup
metadata: {name: vms}
spec: {metadata: {labels: {app: vm}}, template: {ports: {http: 8080}}}
`;
  const leaving: (() => void)[] = [];
  const pilot = new Pilot({
    clock: {
      after: (_ms, run) => {
        leaving.push(run);
        return () => {};
      },
    },
  });
  pilot.apply(update(members));
  const server = await pilot.serve('127.0.0.1:0');
  t.after(() => server.close());
  const client = new Client(server.address);
  t.after(() => client.stop());
  await client.next('endpoint');
  const joined = client.next('endpoint');
  const member = new Client(server.address, '10.9.9.10', {
    AUTO_REGISTER_GROUP: 'vms',
    LABELS: { app: 'vm' },
  });
  await joined;
  const service = pilot.mesh.serviceFor(
    { type: 'sidecar', namespace: 'default', labels: {} },
    'cart.default.svc.cluster.local',
  );
  assert.ok(service);
  const addresses = (): readonly string[] =>
    pilot.mesh.endpoints(service).map(({ address, port }) => `${address}:${port}`);
  assert.deepEqual(addresses(), ['10.9.9.10:8080']);
  member.stop();
  while (leaving.length === 0) await new Promise(setImmediate);
  assert.deepEqual(addresses(), ['10.9.9.10:8080']);
  const left = client.next('endpoint');
  leaving[0]?.();
  await left;
  assert.deepEqual(addresses(), []);
});

test('the same objects in any order give the same bytes', () => {
  const documents = [
    ...services.split('---'),
    slice('10.1.0.1', '10.1.0.2'),
    routes(70),
    routes(60).replace('name: cart', 'name: second'),
  ];
  const bytesOf = (order: readonly string[]): string => {
    const pilot = new Pilot();
    for (const document of order) pilot.apply(update(document));
    const view = pilot.translator
      .view({
        id: 'x',
        type: 'sidecar',
        name: 'x',
        namespace: 'default',
        addresses: ['10.9.9.9'],
        labels: {},
        serviceAccount: '',
        clusterId: '',
        locality: '',
        network: '',
        captured: true,
        applicationPorts: new Map(),
        httpProxyPort: 0,
      })
      .get();
    const clusters = pilot.translator.names('cluster', view).get();
    const versions = (['cluster', 'endpoint'] as const).flatMap((type) =>
      clusters.map((name) => pilot.translator.resource(type, view, name).get()?.version),
    );
    return JSON.stringify([
      clusters,
      pilot.translator.names('listener', view).get(),
      versions,
      pilot.translator.resource('route', view, '80').get()?.version,
    ]);
  };
  assert.equal(bytesOf(documents), bytesOf([...documents].reverse()));
});

test("Istio's agent asks for the names of the mesh, and is told of new ones", async (t) => {
  const pilot = new Pilot();
  pilot.apply(update(services));
  const server = await pilot.serve('127.0.0.1:0');
  const agent = testClient({
    address: server.address,
    id: 'sidecar~10.9.9.9~client.default~default.svc.cluster.local',
    metadata: { NAMESPACE: 'default' },
  });
  t.after(async () => {
    agent.stop();
    await server.close();
  });
  const tables: (readonly string[])[] = [];
  const told = new Promise<void>((resolve) => {
    agent.subscribe(typeUrlOf('nameTable'), [], (resources) => {
      tables.push(
        resources.flatMap(({ value }) => Object.keys(fromBinary(NameTableSchema, value).table)).sort(),
      );
      if (tables.length === 1) pilot.apply(update(services.replaceAll('name: cart', 'name: basket')));
      else resolve();
      return [];
    });
  });
  agent.start();
  await told;
  const [cart, basket] = ['cart.default.svc.cluster.local', 'basket.default.svc.cluster.local'];
  assert.deepEqual(tables, [[cart], [basket, cart]]);
});
