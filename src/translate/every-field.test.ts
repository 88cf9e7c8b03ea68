// Every field of Istio's kinds that claims an effect has that effect: changed in an example, it changes the
// field of Envoy's API that the claim names in what some proxy gets. Examples are testdata/fields/*.yaml: first the clients and the MeshConfig, then the resources.
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parseAllDocuments } from 'yaml';
import { type Kind, kinds, meshConfigSchema, readMeshConfig, readObject } from '../config/index.ts';
import { type Claim, changesOf, claimsOf } from '../config/testing/field-changes.ts';
import { convertIngresses, type ProxyNode } from '../mesh/index.ts';
import type { EncodedResource } from './encoded-resource.ts';
import { meshOfText, registry, type TestMesh, testClient } from './testdata-mesh.ts';
import { proxyResources } from './testdata-proxy.ts';
import { knowsField, touchedFields } from './testdata-touched.ts';

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

type Resources = ReadonlyMap<string, EncodedResource>;

/** What the clients get, by client and name. */
function resourcesOf({ mesh, clients }: Example): Resources {
  const fromIngresses = convertIngresses(mesh.store, mesh.mesh.settings.config);
  for (const object of fromIngresses) mesh.store.put(object);
  const found = clients.flatMap((client, i) =>
    [...proxyResources(mesh.translator, mesh.translator.viewOf(client))].map(
      ([name, resource]) => [`${i} ${name}`, resource] as const,
    ),
  );
  for (const { kind, metadata } of fromIngresses) mesh.store.remove(kind, metadata.namespace, metadata.name);
  return new Map(found);
}

/** Claims that nothing has shown yet, by kind and field. */
type Open = Map<string, Claim>;

/** Strikes the claim out if it holds for the difference between what there was and what there is. */
function settle(open: Open, key: string, before: Resources, after: Resources): void {
  const claim = open.get(key);
  if (!claim) return;
  const changed = [...new Set([...before.keys(), ...after.keys()])].filter(
    (name) => before.get(name)?.version !== after.get(name)?.version,
  );
  if (changed.length > 0 && holds(claim, changed, before, after)) open.delete(key);
}

function namesIn(effect: string): readonly string[] {
  return [...effect.matchAll(/\b[A-Z]\w*(?:\.[A-Z]\w*)*(?:\.[a-z_0-9]+)+/g)].map(([name]) => name);
}

/** A claim that names fields of Envoy's API holds if one of these differs, another one if anything does. */
function holds({ effect }: Claim, changed: readonly string[], before: Resources, after: Resources): boolean {
  const named = namesIn(effect);
  if (named.length === 0) return true;
  return changed.some((name) => {
    const fields = touchedFields(registry, before.get(name), after.get(name));
    return named.some((one) => fields.has(one));
  });
}

/** Strikes out what changes of one resource of an example show. */
function effective(example: Example, document: Document, open: Open): void {
  const kind = checked.find((name) => name === document.kind);
  const original = kind && readObject(document).resource;
  if (!kind || !original) return;
  const before = resourcesOf(example);
  // A status stands beside the spec, and our schemas have it inside.
  const { spec, status } = document;
  for (const { field, changed } of changesOf(kinds[kind].schema, {
    ...spec,
    ...(status ? { status } : {}),
  })) {
    if (!open.has(`${kind}.${field}`)) continue;
    const { status: changedStatus, ...changedSpec } = changed as Document['spec'];
    const { resource } = readObject({ ...document, spec: changedSpec, status: changedStatus });
    if (!resource || !example.mesh.store.put(resource)) continue;
    settle(open, `${kind}.${field}`, before, resourcesOf(example));
    example.mesh.store.put(original);
  }
}

function effectiveOfMesh(example: Example, open: Open): void {
  const { mesh } = example.mesh;
  const original = mesh.settings.config;
  const before = resourcesOf(example);
  for (const { field, changed } of changesOf(meshConfigSchema, example.meshConfig)) {
    if (!open.has(`MeshConfig.${field}`)) continue;
    const { value, findings } = readMeshConfig(changed);
    if (!value || findings.some(({ code }) => code.startsWith('MT01')) || !mesh.setConfig(value)) continue;
    settle(open, `MeshConfig.${field}`, before, resourcesOf(example));
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

test('every field that claims an effect has it', () => {
  const open: Open = new Map([
    ...checked.flatMap((kind) =>
      claimsOf(kinds[kind].schema).map((claim) => [`${kind}.${claim.field}`, claim] as const),
    ),
    ...claimsOf(meshConfigSchema).map((claim) => [`MeshConfig.${claim.field}`, claim] as const),
  ]);
  assert.ok(open.size > 300, `${open.size} claims`);
  for (const file of globSync(join(import.meta.dirname, 'testdata/fields/*.yaml'))) {
    const example = readExample(file);
    for (const document of example.documents) effective(example, document, open);
    effectiveOfMesh(example, open);
  }
  const left = [...open].map(([field, { effect }]) => `${field}: ${effect}`);
  assert.deepEqual(
    left.filter((text) => !notHere.some((field) => text.startsWith(`${field}:`))),
    [],
    'claim an effect that no example shows',
  );
});

test('every field that a claim names is one of the API', () => {
  const claims = [...Object.values(kinds), { schema: meshConfigSchema }].flatMap(({ schema }) =>
    claimsOf(schema),
  );
  const names = new Set(claims.flatMap(({ effect }) => namesIn(effect)));
  assert.ok(names.size > 100, `${names.size} names`);
  assert.deepEqual(
    [...names].filter((name) => !knowsField(registry, name)),
    [],
  );
});
