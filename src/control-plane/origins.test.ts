// From what a proxy was sent back to the lines that a user wrote: elements of the bookinfo mesh, with a delegate
// and DestinationRules that are merged.
import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { after, test } from 'node:test';
import type { Origin } from '../base/index.ts';
import type { ProxyNode } from '../mesh/index.ts';
import { FileSource } from '../sources/index.ts';
import type { ResourceType } from '../translate/index.ts';
import { testClient } from '../translate/testdata-mesh.ts';
import { Pilot } from './pilot.ts';

const more = `
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: ratings}
spec:
  hosts: [ratings]
  http:
  - match: [{uri: {prefix: /ratings}}]
    delegate: {name: stars}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: stars}
spec:
  http:
  - match:
    - uri: {prefix: /ratings/v2}
    route: [{destination: {host: ratings}}]
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: ratings-policy, creationTimestamp: "2020-01-01T00:00:00Z"}
spec:
  host: ratings
  trafficPolicy:
    loadBalancer: {simple: RANDOM}
    portLevelSettings:
    - port: {number: 9080}
      connectionPool: {tcp: {maxConnections: 3}}
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: ratings-subsets, creationTimestamp: "2021-01-01T00:00:00Z"}
spec:
  host: ratings
  trafficPolicy: {loadBalancer: {simple: ROUND_ROBIN}}
  subsets:
  - name: gold
    labels: {version: gold}
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: db}
spec:
  hosts: [db.example.com]
  addresses: [10.77.0.1]
  resolution: STATIC
  ports:
  - {number: 5432, name: tcp, protocol: TCP}
  endpoints: [{address: 10.9.9.9}]
`;

const folder = mkdtempSync(join(tmpdir(), 'meltemi-origins-'));
after(() => rmSync(folder, { recursive: true }));
cpSync(join(import.meta.dirname, '../../examples/bookinfo'), folder, { recursive: true });
writeFileSync(join(folder, 'more.yaml'), more.slice(1));

const source = new FileSource({ paths: [folder] });
const pilot = new Pilot();
pilot.apply(source.load());
// What is in force was read when it stood elsewhere: its lines are those of now.
writeFileSync(join(folder, 'more.yaml'), `# A line more.\n${more.slice(1)}`);
pilot.apply(source.load());

const sidecar: ProxyNode = testClient;
const gateway: ProxyNode = { ...testClient, type: 'router', labels: { istio: 'ingressgateway' } };

/** `file: text of the line`, with which of several such lines it is. */
function lineOf(origin: Origin): string {
  const { file = '', line = 0 } = source.place({ code: '', severity: 'info', message: '', origin }).origin;
  const lines = readFileSync(file, 'utf8')
    .split('\n')
    .map((text) => text.trim());
  const text = lines[line - 1] ?? '';
  const numbered = lines.filter((one) => one === text).length > 1;
  const which = lines.slice(0, line).filter((one) => one === text).length;
  return `${basename(file)}: ${text}${numbered ? ` (${which})` : ''}`;
}

interface Case {
  readonly of: ProxyNode;
  readonly type: ResourceType;
  readonly name: string;
  readonly path: string;
  readonly lines: readonly string[];
}

const productpage = 'productpage.default.svc.cluster.local';
const ratings = 'ratings.default.svc.cluster.local';
const inSidecar = (name: string, path: string, ...lines: readonly string[]): Case => ({
  of: sidecar,
  type: 'route',
  name,
  path,
  lines,
});
const atGateway = (path: string, ...lines: readonly string[]): Case => ({
  of: gateway,
  type: 'route',
  name: 'http.80',
  path,
  lines,
});
const cluster = (name: string, ...lines: readonly string[]): Case => ({
  of: sidecar,
  type: 'cluster',
  name,
  path: '',
  lines,
});
const listener = (of: ProxyNode, name: string, path: string, ...lines: readonly string[]): Case => ({
  of,
  type: 'listener',
  name,
  path,
  lines,
});

const ports = ['productpage', 'details', 'reviews', 'ratings'];
/** The services of the example write their ports in one way, in this order. */
const portLine = (service: string): string =>
  `services.yaml: ports: [{name: http, port: 9080}] (${ports.indexOf(service) + 1})`;

const cases: readonly Case[] = [
  inSidecar('9080', 'virtual_hosts[0]', portLine('details')),
  inSidecar('9080', 'virtual_hosts[0].routes[0]', portLine('details')),
  inSidecar('9080', 'virtual_hosts[1]', portLine('productpage')),
  inSidecar(
    '9080',
    'virtual_hosts[1].routes[0]',
    'virtualservice.yaml: - headers: {end-user: {exact: alice}}',
    'virtualservice.yaml: - match: (1)',
  ),
  inSidecar(
    '9080',
    'virtual_hosts[1].routes[0].route',
    'virtualservice.yaml: - destination: {host: productpage, subset: v1} (1)',
  ),
  inSidecar(
    '9080',
    'virtual_hosts[1].routes[1]',
    'virtualservice.yaml: - headers: {end-user: {exact: bob}}',
    'virtualservice.yaml: - match: (2)',
  ),
  inSidecar('9080', 'virtual_hosts[1].routes[2]', 'virtualservice.yaml: - route:'),
  inSidecar(
    '9080',
    'virtual_hosts[1].routes[2].route.weighted_clusters.clusters[1]',
    'virtualservice.yaml: - destination: {host: productpage, subset: v2}',
  ),
  inSidecar(
    '9080',
    'virtual_hosts[2].routes[0]',
    'more.yaml: - uri: {prefix: /ratings/v2}',
    'more.yaml: - match: [{uri: {prefix: /ratings}}]',
    'more.yaml: - match:',
    'more.yaml: - match: [{uri: {prefix: /ratings}}]',
  ),
  inSidecar('9080', 'virtual_hosts[2].routes[0].route', 'more.yaml: route: [{destination: {host: ratings}}]'),
  inSidecar('80', 'virtual_hosts[0]', 'virtualservice.yaml: hosts: [productpage]'),
  atGateway(
    'virtual_hosts[0]',
    'gateway.yaml: hosts: ["*"] (2)',
    'gateway.yaml: - port: {number: 80, name: http, protocol: HTTP}',
  ),
  atGateway(
    'virtual_hosts[0].routes[1]',
    'gateway.yaml: - uri: {exact: /logout}',
    'gateway.yaml: - name: session',
  ),
  atGateway(
    'virtual_hosts[0].routes[2]',
    'gateway.yaml: - uri: {exact: /productpage} (1)',
    'gateway.yaml: - name: alice',
  ),
  atGateway(
    'virtual_hosts[0].routes[11]',
    'gateway.yaml: - uri: {prefix: /api/v1/products} (5)',
    'gateway.yaml: - name: everybody',
  ),
  listener(
    gateway,
    '0.0.0.0_80',
    'filter_chains[0]',
    'gateway.yaml: - port: {number: 80, name: http, protocol: HTTP}',
  ),
  cluster(
    `outbound|9080||${productpage}`,
    'destinationrule.yaml: trafficPolicy: (1)',
    portLine('productpage'),
  ),
  cluster(
    `outbound|9080|v2|${productpage}`,
    'destinationrule.yaml: - name: v2',
    'destinationrule.yaml: trafficPolicy: (1)',
    portLine('productpage'),
  ),
  cluster(
    `outbound|9080||${ratings}`,
    'more.yaml: - port: {number: 9080}',
    'more.yaml: trafficPolicy:',
    portLine('ratings'),
  ),
  cluster(
    `outbound|9080|gold|${ratings}`,
    'more.yaml: - name: gold',
    'more.yaml: - port: {number: 9080}',
    'more.yaml: trafficPolicy:',
    portLine('ratings'),
  ),
  listener(sidecar, '10.77.0.1_5432', '', 'more.yaml: - {number: 5432, name: tcp, protocol: TCP}'),
  listener(
    sidecar,
    '10.77.0.1_5432',
    'filter_chains[0]',
    'more.yaml: - {number: 5432, name: tcp, protocol: TCP}',
  ),
  listener(
    sidecar,
    '0.0.0.0_9080',
    '',
    portLine('details'),
    portLine('productpage'),
    portLine('ratings'),
    portLine('reviews'),
  ),
];

for (const { of, type, name, path, lines } of cases)
  test(`${type} ${name} ${path} of a ${of.type}`, () => {
    const view = pilot.translator.viewOf(of);
    const elements = pilot.translator.origins(type, view, name);
    const found = elements.find((element) => element.path === path);
    assert.ok(found, `among ${elements.map((element) => element.path).join(' ')}`);
    assert.deepEqual(found.origins.map(lineOf), lines);
  });
