// Nothing that we accept is refused by Envoy: random valid resources, translated for a sidecar, a sidecar
// without capture and a gateway, and given to a real Envoy. A sample by default; the whole run is
//
//     NACK_RESOURCES=10000 node_modules/.bin/node --test test/nack/nack.test.ts
//
// NACK_SEED chooses other resources (a mesh is made of its seed alone; a failure names it). ENVOY names
// another binary.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { kinds } from '../../src/config/index.ts';
import { claimsOf, fieldsOf } from '../../src/config/testing/field-changes.ts';
import { envoyBinary, reasonToSkipWithoutEnvoy } from '../real-software.ts';
import { type Item, itemsOf } from './bootstrap.ts';
import { randomKinds, type TranslatedMesh, translatedMesh } from './mesh.ts';
import { refusals } from './validation.ts';

const wanted = Number(process.env['NACK_RESOURCES'] ?? 1000);
const seed = Number(process.env['NACK_SEED'] ?? 1);
/** Envoy's start costs more than a cluster: many meshes share one. */
const meshesAtOnce = 20;
/** From so many resources on, every field has appeared but for a few that are deep inside. */
const wholeRun = 10_000;

/** Addresses that two listeners of one proxy claim. */
function clashes(items: readonly Item[]): readonly string[] {
  const seen = new Map<string, string>();
  return items.flatMap(({ name, resource }) => {
    const address = resource.kind === 'listener' ? resource.listener.address?.address : undefined;
    if (address?.case !== 'socketAddress') return [];
    const key = `${address.value.address} ${address.value.portSpecifier.value}`;
    const other = seen.get(key);
    seen.set(key, name);
    return other === undefined ? [] : [`${name} and ${other} both listen on ${key}`];
  });
}

/** Translation never throws, whatever it is given. */
function attempt(meshSeed: number, problems: string[]): TranslatedMesh | undefined {
  try {
    return translatedMesh(meshSeed);
  } catch (error) {
    problems.push(`mesh ${meshSeed}: ${error instanceof Error ? error.stack : String(error)}`);
    return undefined;
  }
}

test(`Envoy takes what is made of ${wanted} random resources`, {
  skip: reasonToSkipWithoutEnvoy(),
}, (context) => {
  const envoy = envoyBinary();
  assert.ok(envoy);
  const problems: string[] = [];
  const seen = new Set<string>();
  let resources = 0;
  let items = 0;
  const seeds = fc
    .sample(fc.integer({ min: 0, max: 0x7fffffff }), { seed, numRuns: wanted })
    [Symbol.iterator]();
  while (resources < wanted) {
    const batch: Item[] = [];
    for (let i = 0; i < meshesAtOnce && resources < wanted; i++) {
      const mesh = attempt(seeds.next().value ?? i, problems);
      if (!mesh) continue;
      resources += mesh.resources.length;
      for (const { kind, spec } of mesh.resources)
        for (const field of fieldsOf(kinds[kind].schema, spec)) seen.add(`${kind}.${field}`);
      for (const [proxy, found] of mesh.proxies) {
        const own = itemsOf(mesh.seed, proxy, found);
        problems.push(...clashes(own).map((text) => `mesh ${mesh.seed}, ${proxy}: ${text}`));
        batch.push(...own);
      }
    }
    items += batch.length;
    problems.push(
      ...refusals(envoy, batch).map(
        ({ item, reason }) =>
          `mesh ${item.seed}, ${item.proxy}, ${item.resource.kind} ${item.name}: ${reason}`,
      ),
    );
  }
  context.diagnostic(`${resources} resources made ${items} clusters and listeners`);
  assert.deepEqual(problems, []);
  const all = randomKinds.flatMap((kind) =>
    claimsOf(kinds[kind].schema).map(({ field }) => `${kind}.${field}`),
  );
  context.diagnostic(`${seen.size} of ${all.length} fields appeared`);
  const missing = all.filter((field) => !seen.has(field));
  if (wanted >= wholeRun)
    assert.ok(missing.length <= all.length / 100, `these fields did not appear: ${missing.join(', ')}`);
});
