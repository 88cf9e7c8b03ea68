// The reference's own scenarios of listeners and routes (shared corpora, not part of this repository),
// through the whole translation.
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { MemoEngine } from '../../src/base/index.ts';
import { parseDocuments, readMeshConfig } from '../../src/config/index.ts';
import {
  convertGatewayApi,
  convertIngresses,
  Mesh,
  type ProxyNode,
  readFeatures,
} from '../../src/mesh/index.ts';
import { ConfigStore, Registry } from '../../src/registry/index.ts';
import { Translator } from '../../src/translate/index.ts';
import { resourceJson } from '../../src/translate/testdata-mesh.ts';
import { type Call, type Json, type Outcome, simulate } from './simulate.ts';

interface Scenario {
  readonly id: string;
  readonly mesh: unknown;
  readonly features: Readonly<Record<string, boolean>>;
  readonly quirk?: string;
  readonly invalidXds?: unknown;
  readonly proxy: {
    readonly type: 'sidecar' | 'router';
    readonly ips: readonly string[];
    readonly namespace: string;
    readonly labels?: Record<string, string>;
    readonly metadata: Readonly<Record<string, unknown>>;
  };
  readonly istioYaml: string;
  readonly kubeYaml: string;
  readonly registry?: GivenRegistry;
  readonly calls: readonly { readonly name: string; readonly filled: Call; readonly expect: Outcome }[];
  /** Endpoints of the application by cluster; null where the dialled address is kept. */
  readonly inboundClusters?: Readonly<Record<string, { readonly endpoints: readonly string[] | null }>>;
  readonly vhosts?: {
    readonly routeConfig: string;
    readonly asserted: Readonly<Record<string, readonly string[] | null>>;
  };
}

interface GivenRegistry {
  readonly services: readonly {
    readonly hostname: string;
    readonly defaultAddress?: string;
    readonly ports: readonly { readonly name: string; readonly port: number; readonly protocol: string }[];
  }[];
  readonly instances: readonly {
    readonly hostname: string;
    readonly servicePort: { readonly name: string } | number;
    readonly addresses: readonly string[];
    readonly endpointPort: number;
  }[];
}

/** Scenarios that do not go as recorded, on purpose. */
const knownFailures: Readonly<Record<string, string>> = {
  'gateway/gateway-conflicts/duplicate-tls-gateway':
    'the reference makes a listener that Envoy refuses whole; here the younger server is left out',
  'gateway/ingress/ingress-shared-tls-cert-conflict-beta-first':
    'the reference loses the HTTPS side of both Ingresses; here both are served',
};
const folder = join(import.meta.dirname, '..', '..', '..', 'shared', 'corpora', 'simulation', 'scenarios');

if (!existsSync(folder)) {
  test('simulation corpus', {
    skip: 'SKIPPED: the shared corpora are not beside this checkout; nothing of them was checked',
  }, () => {});
} else {
  const scenarios = readdirSync(folder).flatMap(
    (file) => JSON.parse(readFileSync(join(folder, file), 'utf8')) as Scenario[],
  );
  test(`simulation corpus: ${scenarios.length} scenarios`, (t) => {
    const failures = new Map(
      scenarios.flatMap((scenario) => failuresOf(scenario).map((failure) => [scenario.id, failure] as const)),
    );
    t.diagnostic(`${scenarios.length - failures.size} of ${scenarios.length} scenarios as recorded`);
    for (const [id, failure] of failures) if (!(id in knownFailures)) t.diagnostic(`${id}: ${failure}`);
    assert.ok(scenarios.length >= 137);
    assert.deepEqual([...failures.keys()].sort(), Object.keys(knownFailures).sort());
  });
}

function failuresOf(scenario: Scenario): readonly string[] {
  try {
    const run = translated(scenario);
    return [
      ...scenario.calls.flatMap((call) => callFailures(call, run)),
      ...(scenario.vhosts ? hostFailures(scenario.vhosts, run) : []),
      ...(scenario.inboundClusters ? clusterFailures(scenario.inboundClusters, run) : []),
    ];
  } catch (error) {
    return [`threw ${error instanceof Error ? error.message : String(error)}`];
  }
}

interface Run {
  readonly listeners: readonly Json[];
  readonly clusters: readonly Json[];
  routes(name: string): Json | undefined;
}

function translated(scenario: Scenario): Run {
  const engine = new MemoEngine();
  const store = new ConfigStore(engine, {
    domain: scenario.kubeYaml.trim() || scenario.registry ? 'cluster.local' : '',
  });
  // Annotations of the reference's own making, which users may not write.
  const text = [scenario.istioYaml, scenario.kubeYaml, registryYaml(scenario.registry)]
    .join('\n---\n')
    .replaceAll(/^ +internal\.istio\.io\/parents:.*$/gm, '');
  for (const resource of parseDocuments(text, scenario.id).resources) store.put(resource);
  const features = readFeatures(scenario.features);
  const mesh = new Mesh(
    engine,
    store,
    new Registry(engine, store),
    readMeshConfig(scenario.mesh).value ?? {},
    features,
  );
  for (const object of [...convertIngresses(store, mesh.settings.config), ...convertGatewayApi(store)])
    store.put(object);
  const translator = new Translator(engine, mesh);
  const view = translator.viewOf(nodeOf(scenario.proxy));
  const json = (type: 'cluster' | 'listener' | 'route', name: string): Json | undefined =>
    resourceJson(translator, view, type, name) as unknown as Json | undefined;
  const all = (type: 'cluster' | 'listener'): readonly Json[] =>
    translator
      .names(type, view)
      .get()
      .flatMap((name) => json(type, name) ?? []);
  return { listeners: all('listener'), clusters: all('cluster'), routes: (name) => json('route', name) };
}

/**
 * Services and instances given as objects, as those of Kubernetes: an instance is a slice, for it may lack
 * ports of its service.
 */
function registryYaml(registry: GivenRegistry | undefined): string {
  const services = (registry?.services ?? []).map(({ hostname, defaultAddress, ports }) => ({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: nameOf(hostname),
    spec: {
      clusterIP: defaultAddress || undefined,
      ports: ports.map(({ name, port, protocol }) => ({ name, port, appProtocol: protocol.toLowerCase() })),
    },
  }));
  const slices = (registry?.instances ?? []).map(
    ({ hostname, servicePort, addresses, endpointPort }, index) => {
      const { name, namespace } = nameOf(hostname);
      const ports = registry?.services.find((service) => service.hostname === hostname)?.ports ?? [];
      const port =
        typeof servicePort === 'number'
          ? ports.find((candidate) => candidate.port === servicePort)?.name
          : servicePort.name;
      return {
        apiVersion: 'discovery.k8s.io/v1',
        kind: 'EndpointSlice',
        metadata: { name: `${name}-${index}`, namespace, labels: { 'kubernetes.io/service-name': name } },
        addressType: 'IPv4',
        ports: [{ name: port, port: endpointPort }],
        endpoints: [{ addresses }],
      };
    },
  );
  return [...services, ...slices].map((object) => JSON.stringify(object)).join('\n---\n');
}

function nameOf(hostname: string): { readonly name: string; readonly namespace: string } {
  const [name = '', namespace = ''] = hostname.split('.');
  return { name, namespace };
}

function nodeOf(proxy: Scenario['proxy']): ProxyNode {
  return {
    id: 'test',
    type: proxy.type,
    name: 'test',
    namespace: proxy.namespace,
    addresses: proxy.ips,
    labels: proxy.labels ?? {},
    serviceAccount: 'default',
    clusterId: 'Kubernetes',
    locality: '',
    network: '',
    captured: proxy.metadata['INTERCEPTION_MODE'] !== 'NONE',
    applicationPorts: new Map(),
    httpProxyPort: 0,
    capturesDns: proxy.metadata['DNS_CAPTURE'] === 'true',
  };
}

function callFailures({ name, filled, expect }: Scenario['calls'][number], run: Run): readonly string[] {
  const actual = simulate(run, filled);
  return Object.entries(expect).flatMap(([field, wanted]) => {
    const got = actual[field as keyof Outcome];
    return got === wanted
      ? []
      : [`${name}: ${field} is "${got}", recorded "${wanted}" (${JSON.stringify(actual)})`];
  });
}

function hostFailures(wanted: NonNullable<Scenario['vhosts']>, run: Run): readonly string[] {
  const table = run.routes(wanted.routeConfig);
  const byDomain = new Map<string, string[]>();
  for (const host of (table?.['virtual_hosts'] as unknown as readonly Json[] | undefined) ?? []) {
    const clusters = ((host['routes'] as unknown as readonly Json[] | undefined) ?? []).map((route) =>
      String(route['route']?.['cluster'] ?? ''),
    );
    for (const domain of (host['domains'] as unknown as readonly string[]) ?? [])
      byDomain.set(domain, clusters);
  }
  return Object.entries(wanted.asserted).flatMap(([domain, clusters]) => {
    const got = byDomain.get(domain) ?? null;
    return JSON.stringify(got) === JSON.stringify(clusters)
      ? []
      : [`${wanted.routeConfig} ${domain}: ${JSON.stringify(got)}, recorded ${JSON.stringify(clusters)}`];
  });
}

function clusterFailures(wanted: NonNullable<Scenario['inboundClusters']>, run: Run): readonly string[] {
  const got = run.clusters
    .filter(({ name }) => String(name).startsWith('inbound|'))
    .map((cluster) => [String(cluster['name']), endpointsOf(cluster)] as const);
  const recorded = Object.entries(wanted).map(([name, { endpoints }]) => [name, endpoints] as const);
  const text = (pairs: readonly (readonly [string, readonly string[] | null])[]): string =>
    JSON.stringify([...pairs].sort(([a], [b]) => (a < b ? -1 : 1)));
  return text(got) === text(recorded) ? [] : [`inbound clusters ${text(got)}, recorded ${text(recorded)}`];
}

/** Null when the cluster goes wherever the client dialled. */
function endpointsOf(cluster: Json): readonly string[] | null {
  if (String(cluster['type']) === 'ORIGINAL_DST') return null;
  const groups = cluster['load_assignment']?.['endpoints'] as unknown as readonly Json[] | undefined;
  return (groups ?? []).flatMap((group) =>
    (group['lb_endpoints'] as unknown as readonly Json[]).map(({ endpoint }) => {
      const { address } = endpoint as Json;
      const socket = address?.['socket_address'];
      return socket ? `${socket['address']}:${socket['port_value']}` : String(address?.['pipe']?.['path']);
    }),
  );
}
