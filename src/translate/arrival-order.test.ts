// The same objects give the same bytes, in whatever order they arrive and whatever was there in between.
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseAllDocuments } from 'yaml';
import { MemoEngine } from '../base/index.ts';
import { type AnyConfig, type MeshConfig, parseDocuments, readMeshConfig } from '../config/index.ts';
import { convertGatewayApi, convertIngresses, Mesh, type ProxyNode } from '../mesh/index.ts';
import { ConfigStore, Registry } from '../registry/index.ts';
import { testClient } from './testdata-mesh.ts';
import { proxyResources } from './testdata-proxy.ts';
import { Translator } from './translator.ts';

interface Step {
  readonly object: AnyConfig;
  readonly kind: 'put' | 'remove';
}

interface Example {
  readonly objects: readonly AnyConfig[];
  readonly clients: readonly ProxyNode[];
  readonly config: MeshConfig;
}

function readExample(file: string): Example {
  const text = readFileSync(file, 'utf8');
  const head = parseAllDocuments(text)[0]?.toJS() as {
    clients: readonly Partial<ProxyNode>[];
    mesh?: unknown;
  };
  const { resources } = parseDocuments(
    text.slice(text.indexOf('\n---\n') + 5).replaceAll(/^x-places:.*\n/gm, ''),
    file,
  );
  return {
    objects: resources,
    clients: head.clients.map((client) => ({ ...testClient, ...client })),
    config: readMeshConfig(head.mesh ?? {}).value ?? {},
  };
}

/**
 * Everything that the clients get, in the order in which they get it. `readEarly`: as if they had been there
 * from the beginning.
 */
function outcome(
  { clients, config }: Example,
  steps: readonly Step[],
  readEarly: boolean,
): readonly string[] {
  const engine = new MemoEngine();
  const store = new ConfigStore(engine, { domain: 'cluster.local' });
  const mesh = new Mesh(engine, store, new Registry(engine, store), config);
  const translator = new Translator(engine, mesh);
  const read = (): readonly string[] =>
    clients.flatMap((client, i) =>
      [...proxyResources(translator, translator.viewOf(client))].map(
        ([name, { any }]) => `${i} ${name} ${Buffer.from(any).toString('base64')}`,
      ),
    );
  const early = Math.trunc(steps.length / 2);
  steps.forEach(({ object, kind }, i) => {
    if (kind === 'put') store.put(object);
    else store.remove(object.kind, object.metadata.namespace, object.metadata.name);
    if (readEarly && i === early) read();
  });
  for (const object of [...convertIngresses(store, config), ...convertGatewayApi(store)]) store.put(object);
  return read();
}

const folder = join(import.meta.dirname, 'testdata');

for (const file of [join(folder, 'arrival.yaml'), ...globSync(join(folder, 'fields', '*.yaml')).sort()])
  test(`in any order: ${basename(file, '.yaml')}`, () => {
    const example = readExample(file);
    const { objects } = example;
    const isEmpty = objects.length === 0;
    assert.equal(isEmpty, basename(file).startsWith('mesh-tls-of-secrets'));
    const put = (object: AnyConfig): Step => ({ object, kind: 'put' });
    const expected = outcome(example, objects.map(put), false);
    const order = fc.shuffledSubarray([...objects], { minLength: objects.length });
    fc.assert(
      fc.property(order, fc.subarray([...objects]), fc.boolean(), (all, removed, readEarly) => {
        // Some come, go, and come again.
        const steps = [
          ...removed.flatMap((object) => [put(object), { object, kind: 'remove' } as const]),
          ...all.map(put),
        ];
        assert.deepEqual(outcome(example, steps, readEarly), expected);
      }),
      { numRuns: file.endsWith('arrival.yaml') ? 40 : 5, seed: 7 },
    );
  });
