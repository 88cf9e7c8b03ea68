// A mesh of random resources around a few services that are always there, and what three kinds of proxies get
// of it.
import { MemoEngine } from '../../src/base/index.ts';
import { type AnyConfig, type Kind, parseDocuments } from '../../src/config/index.ts';
import { convertGatewayApi, convertIngresses, Mesh, type ProxyNode } from '../../src/mesh/index.ts';
import { ConfigStore, Registry } from '../../src/registry/index.ts';
import { Translator } from '../../src/translate/index.ts';
import { testClient } from '../../src/translate/testdata-mesh.ts';
import { type ProxyResources, proxyResources } from '../../src/translate/testdata-proxy.ts';
import { randomMeshConfig, randomResource } from './generate.ts';
import { Random } from './random.ts';

export interface TranslatedMesh {
  readonly seed: number;
  readonly resources: readonly AnyConfig[];
  readonly proxies: ReadonlyMap<string, ProxyResources>;
}

const service = (name: string, spec: string): string =>
  `{apiVersion: v1, kind: Service, metadata: {name: ${name}}, spec: ${spec}}`;
const slice = (name: string, address: string, ports: string): string =>
  `{apiVersion: discovery.k8s.io/v1, kind: EndpointSlice, metadata: {name: ${name}, labels: {kubernetes.io/service-name: ${name}}}, addressType: IPv4, endpoints: [{addresses: [${address}], conditions: {ready: true}}], ports: ${ports}}`;
const ports =
  '[{name: http, port: 80}, {name: tcp, port: 3306}, {name: grpc, port: 7070}, {name: https, port: 443}, {name: auto, port: 8080}]';

const always = [
  service('shop', `{clusterIP: 10.96.0.1, ports: ${ports}}`),
  service('cart', '{clusterIP: 10.96.0.2, ports: [{name: http, port: 80}]}'),
  service('db', '{clusterIP: 10.96.0.3, ports: [{name: tcp, port: 3306}]}'),
  service('headless', '{clusterIP: None, ports: [{name: http, port: 80}, {name: tcp, port: 3306}]}'),
  service('alias', '{type: ExternalName, externalName: shop.default.svc.cluster.local}'),
  slice('shop', '10.0.0.1', ports),
  slice('headless', '10.0.0.7', '[{name: http, port: 80}, {name: tcp, port: 3306}]'),
].join('\n---\n');

/**
 * How many of each kind, at most, and under which names; several of a name in one namespace would replace
 * each other.
 */
const plan: readonly (readonly [Kind, readonly string[]])[] = [
  ['ServiceEntry', ['se1', 'se2', 'se3']],
  ['WorkloadEntry', ['we1', 'we2']],
  ['DestinationRule', ['dr1', 'dr2', 'dr3', 'dr4']],
  ['VirtualService', ['vs1', 'vs2', 'vs3', 'vs4', 'vs5']],
  ['Gateway', ['front', 'back']],
  ['Sidecar', ['sc1']],
  ['PeerAuthentication', ['pa1']],
  ['gateway.networking.k8s.io/Gateway', ['kube']],
  ['HTTPRoute', ['hr1', 'hr2']],
  ['Ingress', ['in1']],
];

export const randomKinds = plan.map(([kind]) => kind);

const clients: Readonly<Record<string, Partial<ProxyNode>>> = {
  sidecar: { labels: { app: 'a', version: 'v1' }, locality: 'r1/z1/s1' },
  uncaptured: { labels: { app: 'b' }, addresses: ['10.0.0.1'], captured: false, httpProxyPort: 3128 },
  router: {
    type: 'router',
    name: 'gateway',
    labels: { istio: 'ingress', 'gateway.networking.k8s.io/gateway-name': 'kube' },
    addresses: ['10.0.0.8'],
  },
};

export function translatedMesh(seed: number): TranslatedMesh {
  const random = new Random(seed);
  const resources = plan.flatMap(([kind, names]) =>
    names.flatMap((name) => {
      const metadata = {
        name,
        namespace: random.chance(0.85) ? 'default' : 'other',
        creationTimestamp: '2024-01-01T00:00:00Z',
      };
      return random.chance(kind === 'Sidecar' ? 0.3 : 0.95)
        ? (randomResource(random, kind, metadata) ?? [])
        : [];
    }),
  );
  const config = random.chance(0.6) ? randomMeshConfig(random) : {};
  const engine = new MemoEngine();
  const store = new ConfigStore(engine, { domain: 'cluster.local' });
  for (const resource of [...parseDocuments(always, 'always.yaml').resources, ...resources])
    store.put(resource);
  const mesh = new Mesh(engine, store, new Registry(engine, store), config);
  for (const generated of [...convertIngresses(store, config), ...convertGatewayApi(store)])
    store.put(generated);
  const translator = new Translator(engine, mesh);
  const proxies = Object.entries(clients).map(
    ([name, client]) =>
      [name, proxyResources(translator, translator.viewOf({ ...testClient, ...client }))] as const,
  );
  return { seed, resources, proxies: new Map(proxies) };
}
