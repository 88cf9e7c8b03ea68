// What validation would refuse, put past it: translation must not throw, whatever the input, for nothing else
// may stand in the way of the rest.
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { MemoEngine } from '../../src/base/index.ts';
import { type AnyConfig, parseDocuments } from '../../src/config/index.ts';
import { type Kind, kinds } from '../../src/config/kinds/table.ts';
import { decode, Findings, type Schema } from '../../src/config/schema/index.ts';
import { Mesh } from '../../src/mesh/index.ts';
import { ConfigStore, Registry } from '../../src/registry/index.ts';
import { Translator } from '../../src/translate/index.ts';
import { testClient } from '../../src/translate/testdata-mesh.ts';

const corpus = join(import.meta.dirname, '../../../shared/corpora/validation-webhook/cases.json');
const isThere = existsSync(corpus);
if (!isThere) process.stderr.write(`\n*** NOT RUN: ${corpus} is missing ***\n\n`);

interface Case {
  readonly id: string;
  readonly kind: string;
  readonly object: { readonly metadata?: Record<string, unknown>; readonly spec?: unknown };
}

const neighbours = parseDocuments(
  `apiVersion: v1
kind: Service
metadata: {name: foo, namespace: default}
spec: {clusterIP: 10.96.0.1, ports: [{name: http, port: 80}, {name: tcp, port: 81}, {name: https, port: 443}]}
`,
  'neighbours.yaml',
).resources;

const nodes = [
  { ...testClient, namespace: 'bar', labels: { app: 'foo' } },
  { ...testClient, type: 'router' as const, namespace: 'bar', labels: { app: 'foo' } },
];

/** The resource as its schema reads it, with everything in it that the rules object to. */
function unvalidated({ kind, object }: Case): AnyConfig | undefined {
  if (!Object.hasOwn(kinds, kind)) return undefined;
  const facts = { kind, name: 'foo', namespace: 'bar', labels: {}, annotations: {} };
  const schema: Schema<unknown> = kinds[kind as Kind].schema;
  const spec = decode(schema, object.spec ?? {}, { path: [], resource: facts, findings: new Findings() });
  return {
    kind,
    apiVersion: '',
    metadata: { name: 'foo', namespace: 'bar', labels: {}, annotations: {} },
    spec: spec ?? {},
    origin: { kind, namespace: 'bar', name: 'foo', path: '' },
  } as AnyConfig;
}

/** Every resource of every node. */
function translateAll(objects: readonly AnyConfig[]): number {
  const engine = new MemoEngine();
  const store = new ConfigStore(engine, { domain: 'cluster.local' });
  for (const object of objects) store.put(object);
  const mesh = new Mesh(engine, store, new Registry(engine, store));
  const translator = new Translator(engine, mesh);
  let count = 0;
  for (const node of nodes) {
    const view = translator.viewOf(node);
    for (const type of ['cluster', 'listener'] as const)
      for (const name of translator.names(type, view).get()) {
        if (translator.resource(type, view, name).get()) count++;
        if (type === 'cluster') translator.resource('endpoint', view, name).get();
      }
    for (const route of ['80', '81', '443', 'http.80', 'https.443.name1.foo.bar'])
      translator.resource('route', view, route).get();
  }
  return count;
}

test('translation takes every case of the validation corpus, valid or not', {
  skip: !isThere && 'the corpus is missing',
}, () => {
  const cases = JSON.parse(readFileSync(corpus, 'utf8')) as readonly Case[];
  const thrown = cases.flatMap((one) => {
    const object = unvalidated(one);
    if (!object) return [];
    try {
      assert.ok(translateAll([...neighbours, object]) > 0);
      return [];
    } catch (error) {
      return [
        `${one.id}: ${error instanceof Error ? error.stack?.split('\n').slice(0, 3).join(' ') : error}`,
      ];
    }
  });
  assert.deepEqual(thrown, []);
});
