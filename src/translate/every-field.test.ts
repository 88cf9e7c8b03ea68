// Every field of Istio's kinds that claims an effect has one: changed in an example, it changes what some
// proxy gets. Examples are testdata/fields/*.yaml: first the clients and the MeshConfig, then the resources.
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parseAllDocuments } from 'yaml';
import {
  changesOf,
  claimsOf,
  type Kind,
  kinds,
  meshConfigSchema,
  readMeshConfig,
  readObject,
} from '../config/index.ts';
import { convertIngresses, type ProxyNode } from '../mesh/index.ts';
import { meshOfText, type TestMesh, testClient } from './testdata-mesh.ts';
import { proxyResources } from './testdata-proxy.ts';

const checked = [
  'VirtualService',
  'DestinationRule',
  'ServiceEntry',
  'WorkloadEntry',
  'Gateway',
  'Sidecar',
  'PeerAuthentication',
] as const satisfies readonly Kind[];

type Document = Readonly<Record<string, unknown>> & {
  readonly kind: string;
  readonly spec: Readonly<Record<string, unknown>>;
};

interface Example {
  readonly clients: readonly ProxyNode[];
  readonly mesh: TestMesh;
  readonly meshConfig: unknown;
  readonly documents: readonly Document[];
}

function readExample(file: string): Example {
  const [head, ...documents] = parseAllDocuments(readFileSync(file, 'utf8')).map((document) =>
    document.toJSON(),
  );
  const all = documents.flatMap(variants);
  const mesh = meshOfText(
    all.map((document) => JSON.stringify(document)).join('\n---\n'),
    readMeshConfig(head.mesh ?? {}).value,
  );
  const clients = head.clients.map((client: Partial<ProxyNode>) => ({ ...testClient, ...client }));
  return { clients, mesh, meshConfig: head.mesh ?? {}, documents: all };
}

/** A traffic policy works the same in a subset and for a port: `x-places`, a port, puts it there too. */
function variants(document: Document): readonly Document[] {
  const { 'x-places': places, ...plain } = document;
  if (!places) return [document];
  const spec = plain.spec as {
    readonly host: string;
    readonly trafficPolicy: Readonly<Record<string, unknown>>;
  };
  const { tunnel: _t, proxyProtocol: _p, retryBudget: _r, ...ofPort } = spec.trafficPolicy;
  const byPort = { portLevelSettings: [{ port: { number: places }, ...ofPort }] };
  const name = (suffix: string, policy: object): Document => {
    const host = `${suffix}.${spec.host}`;
    return {
      ...plain,
      metadata: { name: host },
      kind: 'DestinationRule',
      spec: { ...spec, host, ...policy },
    };
  };
  const subset = (trafficPolicy: object): object => ({
    trafficPolicy: undefined,
    subsets: [{ name: 'v1', labels: {}, trafficPolicy }],
  });
  const ports =
    Object.keys(ofPort).length > 0 ? [name('p', { trafficPolicy: byPort }), name('sp', subset(byPort))] : [];
  return [{ ...plain, kind: document.kind, spec }, name('s', subset(spec.trafficPolicy)), ...ports];
}

/** What the clients get, in one text that differs when anything of it does. */
function fingerprint({ mesh, clients }: Example): string {
  const fromIngresses = convertIngresses(mesh.store, mesh.mesh.settings.config);
  for (const object of fromIngresses) mesh.store.put(object);
  const resources = clients.flatMap((client) => [
    ...proxyResources(mesh.translator, mesh.translator.viewOf(client)),
  ]);
  for (const { kind, metadata } of fromIngresses) mesh.store.remove(kind, metadata.namespace, metadata.name);
  return resources.map(([name, { version }]) => `${name} ${version}`).join('\n');
}

/** The fields of one resource of an example that have an effect, of those wanted. */
function effective(example: Example, document: Document, wanted: Set<string>): void {
  const kind = checked.find((name) => name === document.kind);
  const original = kind && readObject(document).resource;
  if (!kind || !original) return;
  const before = fingerprint(example);
  // A status stands beside the spec, and our schemas have it inside.
  const { spec, status } = document;
  for (const { field, changed } of changesOf(kinds[kind].schema, {
    ...spec,
    ...(status ? { status } : {}),
  })) {
    if (!wanted.has(`${kind}.${field}`)) continue;
    const { status: changedStatus, ...changedSpec } = changed as Document['spec'];
    const { resource } = readObject({ ...document, spec: changedSpec, status: changedStatus });
    if (!resource || !example.mesh.store.put(resource)) continue;
    if (fingerprint(example) !== before) wanted.delete(`${kind}.${field}`);
    example.mesh.store.put(original);
  }
}

function effectiveOfMesh(example: Example, wanted: Set<string>): void {
  const { mesh } = example.mesh;
  const original = mesh.settings.config;
  const before = fingerprint(example);
  for (const { field, changed } of changesOf(meshConfigSchema, example.meshConfig)) {
    if (!wanted.has(`MeshConfig.${field}`)) continue;
    const { value, findings } = readMeshConfig(changed);
    if (!value || findings.some(({ code }) => code.startsWith('MT01')) || !mesh.setConfig(value)) continue;
    if (fingerprint(example) !== before) wanted.delete(`MeshConfig.${field}`);
    mesh.setConfig(original);
  }
}

/**
 * Claims of a message that kinds share, in places where they do not hold; a finding (MT0401) says so to
 * whoever sets them.
 */
const notHere = [
  'Sidecar.ingress.connectionPool.http.h2UpgradePolicy',
  'Sidecar.inboundConnectionPool.http.h2UpgradePolicy',
];

test('every field that claims an effect has one', () => {
  const wanted = new Set([
    ...checked.flatMap((kind) => claimsOf(kinds[kind].schema).map((field) => `${kind}.${field}`)),
    ...claimsOf(meshConfigSchema).map((field) => `MeshConfig.${field}`),
  ]);
  assert.ok(wanted.size > 300, `${wanted.size} claims`);
  for (const file of globSync(join(import.meta.dirname, 'testdata/fields/*.yaml'))) {
    const example = readExample(file);
    for (const document of example.documents) effective(example, document, wanted);
    effectiveOfMesh(example, wanted);
  }
  assert.deepEqual([...wanted], notHere, 'claim an effect, and no example shows it');
});
