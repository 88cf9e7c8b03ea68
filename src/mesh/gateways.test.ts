// Which Gateways are for a proxy, and where it listens for them.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseDocuments } from '../config/index.ts';
import { type GatewayObject, type GatewayTarget, gatewayPortsOf } from './gateways.ts';

const labels = { istio: 'ingressgateway' };
const target = (port: number, targetPort: number, more: Partial<GatewayTarget> = {}): GatewayTarget => ({
  hostname: 'gw.edge.svc.cluster.local',
  namespace: 'edge',
  port,
  targetPort,
  direct: false,
  ...more,
});

/**
 * `namespace/name: server, server`; a server is `port/protocol host [tls mode]`. Annotated Gateways have no
 * selector.
 */
function gateway(text: string, service?: string): GatewayObject {
  const [full = '', servers = ''] = text.split(': ');
  const [namespace, name] = full.split('/');
  const list = servers.split(', ').map((server) => {
    const [port = '', host, mode] = server.split(' ');
    const [number, protocol] = port.split('/');
    const tls = mode ? `, tls: {mode: ${mode}${mode === 'SIMPLE' ? ', credentialName: c' : ''}}` : '';
    return `{port: {number: ${number}, protocol: ${protocol}, name: p${number}-${protocol}-${host?.replace(/\W/g, '')}}, hosts: ["${host}"]${tls}}`;
  });
  const annotations = service ? `, annotations: {internal.istio.io/gateway-service: "${service}"}` : '';
  const selector = service ? '' : 'selector: {istio: ingressgateway}, ';
  const { resources, issues } = parseDocuments(
    `apiVersion: networking.istio.io/v1\nkind: Gateway\nmetadata: {name: ${name}, namespace: ${namespace}${annotations}}\nspec: {${selector}servers: [${list}]}`,
    'test.yaml',
  );
  assert.deepEqual(
    issues.filter(({ severity }) => severity === 'error'),
    [],
  );
  return resources.find((resource) => resource.kind === 'Gateway') ?? assert.fail('no Gateway');
}

const cases: readonly {
  readonly name: string;
  readonly gateways: readonly GatewayObject[];
  readonly targets?: readonly GatewayTarget[];
  /** `port kind: gateway port, …` */
  readonly expected: readonly string[];
}[] = [
  {
    name: 'a port that no service has',
    gateways: [gateway('edge/a: 80/HTTP x.y')],
    expected: ['80 http: edge/a 80'],
  },
  {
    name: 'the first service that has the port decides',
    gateways: [gateway('edge/a: 80/HTTP x.y')],
    targets: [target(81, 9), target(80, 8080), target(80, 8081)],
    expected: ['8080 http: edge/a 80'],
  },
  {
    name: 'a service whose ports are taken as they are is passed over',
    gateways: [gateway('edge/a: 80/HTTP x.y'), gateway('edge/b: 8081/HTTP x.y')],
    targets: [target(80, 8081, { direct: true }), target(80, 8080)],
    expected: ['8080 http: edge/a 80', '8081 http: edge/b 8081'],
  },
  {
    name: 'a Gateway of services has all their target ports, and no other port',
    gateways: [gateway('edge/a: 80/HTTP x.y, 82/HTTP x.y', 'gw.edge.svc.cluster.local,more.com')],
    targets: [target(80, 8081, { hostname: 'more.com' }), target(80, 8080)],
    expected: ['8080 http: edge/a 80', '8081 http: edge/a 80'],
  },
  {
    name: 'a Gateway of services of another namespace',
    gateways: [gateway('edge/a: 80/HTTP x.y', 'gw.edge.svc.cluster.local')],
    targets: [target(80, 8080, { namespace: 'other' })],
    expected: [],
  },
  {
    name: 'HTTP servers share a port',
    gateways: [gateway('edge/b: 80/HTTP x.y'), gateway('edge/a: 80/HTTP x.y')],
    expected: ['80 http: edge/a 80, edge/b 80'],
  },
  {
    name: 'of two plain TCP servers the first has the port, by name and namespace',
    gateways: [gateway('edge/a: 80/TCP x.y'), gateway('alpha/a: 80/TCP x.y')],
    expected: ['80 tcp: alpha/a 80'],
  },
  {
    name: 'TLS and plain TCP share a port, HTTP does not join them',
    gateways: [
      gateway('edge/a: 80/TLS x.y PASSTHROUGH'),
      gateway('edge/b: 80/TCP x.y'),
      gateway('edge/c: 80/HTTP x.y'),
    ],
    expected: ['80 tls: edge/a 80, edge/b 80'],
  },
];

for (const { name, gateways, targets = [], expected } of cases)
  test(`gateway ports: ${name}`, () => {
    const found = gatewayPortsOf(gateways, labels, targets);
    const text = found.map(
      ({ port, kind, servers }) =>
        `${port} ${kind}: ${servers.map((server) => `${server.gateway} ${server.portNumber}`).join(', ')}`,
    );
    assert.deepEqual(text, expected);
  });

test('labels choose', () => {
  assert.deepEqual(gatewayPortsOf([gateway('edge/a: 80/HTTP x.y')], { istio: 'other' }, []), []);
});
