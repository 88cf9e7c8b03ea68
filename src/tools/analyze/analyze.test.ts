// What each check finds, and what it leaves in peace.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseDocuments } from '../../config/index.ts';
import { analyze } from './index.ts';

const service = (name: string, ports: string, namespace = 'default'): string =>
  `apiVersion: v1\nkind: Service\nmetadata: {name: ${name}, namespace: ${namespace}}\nspec: {clusterIP: 10.0.0.1, ports: [${ports}]}`;
const istio = (kind: string, name: string, spec: string, namespace = 'default'): string =>
  `apiVersion: networking.istio.io/v1\nkind: ${kind}\nmetadata: {name: ${name}, namespace: ${namespace}}\nspec: ${spec}`;
const shop = service('shop', '{name: http, port: 80}');
const route = '[{route: [{destination: {host: shop}}]}]';
const rule = (spec: string, name = 'v', namespace = 'default'): string =>
  istio('VirtualService', name, spec, namespace);

const cases: readonly {
  readonly name: string;
  readonly mesh: readonly string[];
  readonly found: readonly string[];
}[] = [
  { name: 'a sound mesh', mesh: [shop, rule(`{hosts: [shop], http: ${route}}`)], found: [] },
  {
    name: 'nothing is known of hosts without services',
    mesh: [rule(`{hosts: [shop], http: ${route}}`), istio('DestinationRule', 'd', '{host: x}')],
    found: [],
  },
  {
    name: 'a wildcard of a DestinationRule is no reference',
    mesh: [shop, istio('DestinationRule', 'd', '{host: "*.example.com"}')],
    found: [],
  },

  {
    name: 'a host routed twice',
    mesh: [shop, rule(`{hosts: [shop], http: ${route}}`, 'a'), rule(`{hosts: [shop], http: ${route}}`, 'b')],
    found: ['MT0207 b spec.hosts[0]'],
  },
  {
    name: 'a host routed for some clients, then for all',
    mesh: [
      shop,
      rule(
        `{hosts: [shop], http: [{match: [{sourceLabels: {app: x}}], route: [{destination: {host: shop}}]}]}`,
        'a',
      ),
      rule(`{hosts: [shop], http: ${route}}`, 'b'),
    ],
    found: [],
  },
  {
    name: 'a host routed in two namespaces, each for itself',
    mesh: [
      service('shop', '{name: http, port: 80}', 'a'),
      rule(
        `{hosts: [shop.a.svc.cluster.local], exportTo: ["."], http: [{route: [{destination: {host: shop.a.svc.cluster.local}}]}]}`,
        'v',
        'a',
      ),
      rule(
        `{hosts: [shop.a.svc.cluster.local], exportTo: ["."], http: [{route: [{destination: {host: shop.a.svc.cluster.local}}]}]}`,
        'v',
        'b',
      ),
    ],
    found: [],
  },
  {
    name: 'http and tcp rules for one host',
    mesh: [
      service('shop', '{name: http, port: 80}, {name: tcp, port: 90}'),
      rule(`{hosts: [shop], http: ${route}}`, 'a'),
      rule(`{hosts: [shop], tcp: ${route}}`, 'b'),
    ],
    found: [],
  },

  {
    name: 'http rules on a TCP port',
    mesh: [service('shop', '{name: tcp-web, port: 80}'), rule(`{hosts: [shop], http: ${route}}`)],
    found: ['MT0405 v spec.hosts[0]'],
  },
  {
    name: 'http rules on a detected port',
    mesh: [service('shop', '{name: web, port: 80}'), rule(`{hosts: [shop], http: ${route}}`)],
    found: [],
  },
  {
    name: 'tcp rules on an HTTP port',
    mesh: [shop, rule(`{hosts: [shop], tcp: ${route}}`)],
    found: ['MT0405 v spec.hosts[0]'],
  },
  {
    name: 'http rules at a Gateway that passes TLS on',
    mesh: [
      shop,
      istio(
        'Gateway',
        'g',
        '{servers: [{port: {number: 443, name: tls, protocol: TLS}, hosts: [a.example.com], tls: {mode: PASSTHROUGH}}]}',
      ),
      rule(`{hosts: [a.example.com], gateways: [g], http: ${route}}`),
    ],
    found: ['MT0405 v spec.gateways[0]'],
  },
  {
    name: 'http rules at a Gateway that passes TLS on for others',
    mesh: [
      shop,
      istio(
        'Gateway',
        'g',
        '{servers: [{port: {number: 443, name: tls, protocol: TLS}, hosts: [b.example.com], tls: {mode: PASSTHROUGH}}, {port: {number: 80, name: http, protocol: HTTP}, hosts: [a.example.com]}]}',
      ),
      rule(`{hosts: [a.example.com], gateways: [g], http: ${route}}`),
    ],
    found: [],
  },

  {
    name: 'TLS in TLS on one port only',
    mesh: [
      service('api', '{name: https, port: 443}, {name: http, port: 80}'),
      istio('DestinationRule', 'd', '{host: api, trafficPolicy: {tls: {mode: SIMPLE}}}'),
    ],
    found: ['MT0211 d spec.trafficPolicy.tls'],
  },
  {
    name: 'TLS switched off where it is TLS already',
    mesh: [
      service('api', '{name: https, port: 443}, {name: http, port: 80}'),
      istio(
        'DestinationRule',
        'd',
        '{host: api, trafficPolicy: {tls: {mode: SIMPLE}, portLevelSettings: [{port: {number: 443}, tls: {mode: DISABLE}}]}}',
      ),
    ],
    found: [],
  },
  {
    name: 'TLS for what an HTTP rule sends to the port',
    mesh: [
      service('api', '{name: https, port: 443}, {name: http, port: 80}'),
      istio(
        'DestinationRule',
        'd',
        '{host: api, trafficPolicy: {portLevelSettings: [{port: {number: 443}, tls: {mode: SIMPLE}}]}}',
      ),
      rule('{hosts: [api], http: [{route: [{destination: {host: api, port: {number: 443}}}]}]}'),
    ],
    found: [],
  },

  {
    name: 'port names',
    mesh: [
      service(
        'shop',
        ['htpp', 'gprc-x', 'tco-80', 'web', 'mysqlx', 'rediss', 'api', 'http2-x']
          .map((name, i) => `{name: ${name}, port: ${1000 + i}}`)
          .join(', '),
      ),
    ],
    found: [
      'MT0212 shop spec.ports[0].name',
      'MT0212 shop spec.ports[1].name',
      'MT0212 shop spec.ports[2].name',
    ],
  },
  {
    name: 'a port name with appProtocol',
    mesh: [service('shop', '{name: htpp, port: 80, appProtocol: tcp}')],
    found: [],
  },

  {
    name: 'a TCP entry without addresses',
    mesh: [
      istio(
        'ServiceEntry',
        'e',
        '{hosts: [db.example.com], resolution: DNS, ports: [{number: 5432, name: tcp, protocol: TCP}, {number: 443, name: tls, protocol: TLS}]}',
      ),
    ],
    found: ['MT0210 e spec.ports[0]'],
  },
  {
    name: 'a TCP entry that only lets connections pass',
    mesh: [
      istio(
        'ServiceEntry',
        'e',
        '{hosts: [db.example.com], resolution: NONE, ports: [{number: 5432, name: tcp, protocol: TCP}]}',
      ),
    ],
    found: [],
  },
  {
    name: 'a TCP entry with addresses',
    mesh: [
      istio(
        'ServiceEntry',
        'e',
        '{hosts: [db.example.com], addresses: [10.9.9.9], resolution: DNS, ports: [{number: 5432, name: tcp, protocol: TCP}]}',
      ),
    ],
    found: [],
  },

  {
    name: 'a destination with weight 0',
    mesh: [
      shop,
      rule(
        '{hosts: [shop], http: [{route: [{destination: {host: shop}, weight: 0}, {destination: {host: shop}, weight: 10}]}]}',
      ),
    ],
    found: [],
  },
  {
    name: 'destinations without any weight',
    mesh: [
      shop,
      rule('{hosts: [shop], tcp: [{route: [{destination: {host: shop}}]}]}'),
      service('t', '{name: tcp, port: 1}'),
    ],
    found: ['MT0405 v spec.hosts[0]'],
  },
  {
    name: 'a fault of 2018 with its percent',
    mesh: [
      shop,
      rule(
        `{hosts: [shop], http: [{fault: {delay: {percent: 5, fixedDelay: 1s}, abort: {httpStatus: 500}}, route: [{destination: {host: shop}}]}]}`,
      ),
    ],
    found: ['MT0404 v spec.http[0].fault.abort'],
  },

  {
    name: 'a certificate in another namespace than the pods',
    mesh: [
      'apiVersion: v1\nkind: Pod\nmetadata: {name: gw, namespace: infra, labels: {istio: gw}}\nspec: {}',
      'apiVersion: v1\nkind: Secret\nmetadata: {name: cert, namespace: default}\ndata: {}',
      istio(
        'Gateway',
        'g',
        '{selector: {istio: gw}, servers: [{port: {number: 443, name: https, protocol: HTTPS}, hosts: ["*"], tls: {mode: SIMPLE, credentialName: cert}}]}',
      ),
    ],
    found: ['MT0209 g spec.servers[0].tls.credentialName'],
  },
  {
    name: 'a certificate beside the pods',
    mesh: [
      'apiVersion: v1\nkind: Pod\nmetadata: {name: gw, namespace: infra, labels: {istio: gw}}\nspec: {}',
      'apiVersion: v1\nkind: Secret\nmetadata: {name: cert, namespace: infra}\ndata: {}',
      istio(
        'Gateway',
        'g',
        '{selector: {istio: gw}, servers: [{port: {number: 443, name: https, protocol: HTTPS}, hosts: ["*"], tls: {mode: SIMPLE, credentialName: cert}}]}',
      ),
    ],
    found: [],
  },

  {
    name: 'a subset for other namespaces',
    mesh: [
      shop,
      istio(
        'DestinationRule',
        'd',
        '{host: shop.default.svc.cluster.local, exportTo: ["."], subsets: [{name: v1, labels: {v: v1}}]}',
        'client',
      ),
      rule('{hosts: [shop], http: [{route: [{destination: {host: shop, subset: v1}}]}]}'),
    ],
    found: [],
  },
  {
    name: 'a subset that nobody declares',
    mesh: [shop, rule('{hosts: [shop], http: [{route: [{destination: {host: shop, subset: v1}}]}]}')],
    found: ['MT0203 v spec.http[0].route[0].destination.subset'],
  },
  {
    name: 'a mirror that leads nowhere',
    mesh: [
      shop,
      rule('{hosts: [shop], http: [{mirror: {host: ghost}, route: [{destination: {host: shop}}]}]}'),
    ],
    found: ['MT0201 v spec.http[0].mirror.host'],
  },
];

for (const { name, mesh, found } of cases)
  test(name, () => {
    const { resources, issues } = parseDocuments(mesh.join('\n---\n'), 'mesh.yaml');
    assert.deepEqual(
      issues.filter(({ severity }) => severity === 'error'),
      [],
    );
    assert.deepEqual(
      analyze(resources).map(({ code, origin }) => `${code} ${origin.name} ${origin.path}`),
      found,
    );
  });
