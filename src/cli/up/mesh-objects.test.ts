import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ObjectOfKind } from '../../config/index.ts';
import { parseDocuments } from '../../config/index.ts';
import { type MeshGateway, type MeshWorkload, meshObjects } from './mesh-objects.ts';
import { workloadPlans } from './workload-plan.ts';

const process = `apiVersion: meltemi.dev/v1
kind: Process
metadata: {name: web, namespace: shop, labels: {team: a}}
spec: {labels: {app: web}, serviceAccount: web, command: [node], replicas: REPLICAS, ports: [{name: http, port: 80}, {name: admin, port: 9000}]}
`;

const service = (spec: string, namespace = 'shop'): string =>
  `apiVersion: v1\nkind: Service\nmetadata: {name: web, namespace: ${namespace}}\nspec: ${spec}\n`;

interface Case {
  readonly name: string;
  readonly replicas?: number;
  readonly service: string;
  /** `slice ports ready` */
  readonly slices: readonly string[];
}

const cases: readonly Case[] = [
  {
    name: 'by number',
    service: service('{selector: {app: web}, ports: [{name: http, port: 80}]}'),
    slices: ['web.web http:20080'],
  },
  {
    name: 'by the name of a port, and by targetPort',
    service: service(
      '{selector: {team: a}, ports: [{name: x, port: 1, targetPort: admin}, {name: y, port: 2, targetPort: 80}]}',
    ),
    slices: ['web.web x:29000,y:20080'],
  },
  {
    name: 'one for each replica',
    replicas: 2,
    service: service('{selector: {app: web}, ports: [{name: http, port: 80}]}'),
    slices: ['web.web-0 http:20080', 'web.web-1 http:20080'],
  },
  {
    name: 'other labels',
    service: service('{selector: {app: other}, ports: [{name: http, port: 80}]}'),
    slices: [],
  },
  {
    name: 'another namespace',
    service: service('{selector: {app: web}, ports: [{name: http, port: 80}]}', 'prod'),
    slices: [],
  },
  { name: 'without a selector', service: service('{ports: [{name: http, port: 80}]}'), slices: [] },
  {
    name: 'a port that the process has not',
    service: service('{selector: {app: web}, ports: [{name: z, port: 5}]}'),
    slices: ['web.web '],
  },
];

for (const { name, replicas = 1, service: text, slices } of cases) {
  test(`endpoint slices: ${name}`, () => {
    const { workloads, services } = read(`${process.replace('REPLICAS', String(replicas))}---\n${text}`);
    const found = meshObjects(workloads, services, undefined).filter(
      (object) => object.kind === 'EndpointSlice',
    );
    assert.deepEqual(
      found.map(
        ({ metadata, spec }) =>
          `${metadata.name} ${(spec.ports ?? []).map((port) => `${port.name}:${port.port}`).join()}`,
      ),
      slices,
    );
    assert.ok(found.every(({ spec }) => spec.endpoints?.[0]?.conditions?.ready === false));
  });
}

test('pods carry identity, labels and the mark of a sidecar', () => {
  const { workloads } = read(process.replace('REPLICAS', '1'));
  const [pod] = meshObjects(workloads, [], undefined);
  assert.ok(pod?.kind === 'Pod');
  assert.deepEqual(pod.metadata.labels, { team: 'a', app: 'web', 'security.istio.io/tlsMode': 'istio' });
  assert.equal(pod.spec.serviceAccountName, 'web');
});

test('the gateway is a Service whose target ports are those that could be had', () => {
  const gateway: MeshGateway = {
    selector: { istio: 'ingressgateway' },
    ports: [{ port: 80, name: 'http-80', target: 8081 }],
  };
  const objects = meshObjects([], [], gateway);
  assert.deepEqual(
    objects.map(({ kind, metadata }) => `${kind} ${metadata.namespace}/${metadata.name}`),
    [
      'Service istio-system/istio-ingressgateway',
      'Pod istio-system/istio-ingressgateway',
      'EndpointSlice istio-system/istio-ingressgateway.istio-ingressgateway',
    ],
  );
  const slice = objects.find((object) => object.kind === 'EndpointSlice');
  assert.deepEqual(slice?.spec.ports, [{ name: 'http-80', port: 8081, protocol: 'TCP' }]);
});

function read(text: string): {
  workloads: readonly MeshWorkload[];
  services: readonly ObjectOfKind<'Service'>[];
} {
  const { resources } = parseDocuments(text, 'test.yaml');
  const listenPorts = new Map([
    [80, 20_080],
    [9000, 29_000],
  ]);
  const plans = resources.flatMap((resource) => (resource.kind === 'Process' ? workloadPlans(resource) : []));
  return {
    workloads: plans.map((plan) => ({ plan, listenPorts, ready: false })),
    services: resources.filter(
      (resource): resource is ObjectOfKind<'Service'> => resource.kind === 'Service',
    ),
  };
}
