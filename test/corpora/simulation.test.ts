// The reference's own scenarios of listeners and routes (shared corpora, not part of this repository), through the whole translation.
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { MemoEngine } from '../../src/base/index.ts';
import { parseDocuments, readMeshConfig } from '../../src/config/index.ts';
import { convertGatewayApi, convertIngresses, Mesh, type ProxyNode } from '../../src/mesh/index.ts';
import { ConfigStore, Registry } from '../../src/registry/index.ts';
import { Translator, viewOf } from '../../src/translate/index.ts';
import { resourceJson } from '../../src/translate/testdata-mesh.ts';
import { type Call, type Json, type Outcome, simulate } from './simulate.ts';

interface Scenario {
  readonly id: string;
  readonly mesh: unknown;
  readonly features: Readonly<Record<string, unknown>>;
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
  readonly calls: readonly { readonly name: string; readonly filled: Call; readonly asserted: Partial<Outcome> }[];
  readonly vhosts?: { readonly routeConfig: string; readonly asserted: Readonly<Record<string, readonly string[] | null>> };
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

/** Share of scenarios that must pass, in per cent. */
const target = 82;
const folder = join(import.meta.dirname, '..', '..', '..', 'shared', 'corpora', 'simulation', 'scenarios');

if (!existsSync(folder)) {
  test('simulation corpus', { skip: 'SKIPPED: the shared corpora are not beside this checkout; nothing of them was checked' }, () => {});
} else {
  const scenarios = readdirSync(folder).flatMap((file) => JSON.parse(readFileSync(join(folder, file), 'utf8')) as Scenario[]);
  test(`simulation corpus: ${scenarios.length} scenarios`, (t) => {
    const failures = scenarios.flatMap((scenario) =>
      failuresOf(scenario)
        .slice(0, 1)
        .map((failure) => `${scenario.id}: ${failure}`),
    );
    const passed = scenarios.length - failures.length;
    t.diagnostic(`${passed} of ${scenarios.length} scenarios as recorded`);
    for (const failure of failures) t.diagnostic(failure);
    assert.ok(scenarios.length >= 137);
    assert.ok((passed * 100) / scenarios.length >= target, `${passed} of ${scenarios.length} scenarios pass, ${target} % are wanted`);
  });
}

function failuresOf(scenario: Scenario): readonly string[] {
  try {
    const run = translated(scenario);
    return [...scenario.calls.flatMap((call) => callFailures(call, run)), ...(scenario.vhosts ? hostFailures(scenario.vhosts, run) : [])];
  } catch (error) {
    return [`threw ${error instanceof Error ? error.message : String(error)}`];
  }
}

interface Run {
  readonly listeners: readonly Json[];
  routes(name: string): Json | undefined;
}

function translated(scenario: Scenario): Run {
  const engine = new MemoEngine();
  const store = new ConfigStore(engine, { domain: scenario.kubeYaml.trim() ? 'cluster.local' : '' });
  const text = [scenario.istioYaml, scenario.kubeYaml, registryYaml(scenario.registry)].join('\n---\n');
  for (const resource of parseDocuments(text, scenario.id).resources) store.put(resource);
  const mesh = new Mesh(engine, store, new Registry(engine, store), readMeshConfig(scenario.mesh).value ?? {});
  for (const object of [...convertIngresses(store, mesh.settings.config), ...convertGatewayApi(store)]) store.put(object);
  const translator = new Translator(engine, mesh);
  const view = viewOf(mesh, nodeOf(scenario.proxy));
  const json = (type: 'listener' | 'route', name: string): Json | undefined =>
    resourceJson(translator, view, type, name) as unknown as Json | undefined;
  const listeners = translator
    .names('listener', view)
    .get()
    .flatMap((name) => json('listener', name) ?? []);
  return { listeners, routes: (name) => json('route', name) };
}

/** Services and instances given as objects, as service entries. */
function registryYaml(registry: GivenRegistry | undefined): string {
  const entries = (registry?.services ?? []).map(({ hostname, ports }, index) => {
    const portOf = (wanted: { readonly name: string } | number): string =>
      typeof wanted === 'number' ? (ports.find(({ port }) => port === wanted)?.name ?? '') : wanted.name;
    const byAddress = new Map<string, Record<string, number>>();
    for (const instance of registry?.instances ?? []) {
      if (instance.hostname !== hostname) continue;
      for (const address of instance.addresses)
        byAddress.set(address, { ...byAddress.get(address), [portOf(instance.servicePort)]: instance.endpointPort });
    }
    return JSON.stringify({
      apiVersion: 'networking.istio.io/v1',
      kind: 'ServiceEntry',
      metadata: { name: `given-${index}` },
      spec: {
        hosts: [hostname],
        location: 'MESH_INTERNAL',
        resolution: 'STATIC',
        ports: ports.map(({ name, port, protocol }) => ({ name, number: port, protocol })),
        endpoints: [...byAddress].map(([address, own]) => ({ address, ports: own })),
      },
    });
  });
  return entries.join('\n---\n');
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
  };
}

function callFailures({ name, filled, asserted }: Scenario['calls'][number], run: Run): readonly string[] {
  const actual = simulate(run, filled);
  return Object.entries(asserted).flatMap(([field, wanted]) => {
    const got = actual[field as keyof Outcome];
    return got === wanted ? [] : [`${name}: ${field} is "${got}", recorded "${wanted}" (${JSON.stringify(actual)})`];
  });
}

function hostFailures(wanted: NonNullable<Scenario['vhosts']>, run: Run): readonly string[] {
  const table = run.routes(wanted.routeConfig);
  const byDomain = new Map<string, string[]>();
  for (const host of (table?.['virtual_hosts'] as unknown as readonly Json[] | undefined) ?? []) {
    const clusters = ((host['routes'] as unknown as readonly Json[] | undefined) ?? []).map((route) =>
      String(route['route']?.['cluster'] ?? ''),
    );
    for (const domain of (host['domains'] as unknown as readonly string[]) ?? []) byDomain.set(domain, clusters);
  }
  return Object.entries(wanted.asserted).flatMap(([domain, clusters]) => {
    const got = byDomain.get(domain) ?? null;
    return JSON.stringify(got) === JSON.stringify(clusters)
      ? []
      : [`${wanted.routeConfig} ${domain}: ${JSON.stringify(got)}, recorded ${JSON.stringify(clusters)}`];
  });
}
