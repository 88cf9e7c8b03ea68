// The reference's own conversions of Gateway API (shared corpora, not part of this repository): the status of
// the objects, and what they become.
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { parseAllDocuments } from 'yaml';
import { MemoEngine } from '../../src/base/index.ts';
import { parseDocuments } from '../../src/config/index.ts';
import { kinds } from '../../src/config/kinds/table.ts';
import { decode, Findings, type Schema } from '../../src/config/schema/index.ts';
import { convertGatewayApi, type Generated, gatewayApiStatus } from '../../src/mesh/index.ts';
import { ConfigStore, Registry } from '../../src/registry/index.ts';
import { type CertificatePair, type Fixtures, fixtureDocuments, selfSigned } from './gateway-api-fixtures.ts';
import { meaningOf, text } from './gateway-api-meaning.ts';

interface Case {
  readonly name: string;
  readonly input: string;
  readonly golden: string;
  readonly status: string;
  readonly tags: readonly string[];
}

type Document = Readonly<Record<string, unknown>> & {
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly annotations?: Record<string, string>;
  };
};

/** Plain cases that do not go as recorded, on purpose, by what is compared. */
const knownFailures: Readonly<Record<'status' | 'conversion', Readonly<Record<string, string>>>> = {
  status: {},
  conversion: {},
};

const corpus = join(import.meta.dirname, '..', '..', '..', 'shared', 'corpora', 'gateway-api');
const isThere = existsSync(corpus);
const options = {
  skip: !isThere && 'SKIPPED: the shared corpora are not beside this checkout; nothing of them was checked',
};

const read = (path: string): string => readFileSync(join(corpus, path), 'utf8');
const documents = (path: string): readonly Document[] =>
  parseAllDocuments(read(path)).flatMap((document) => (document.toJS() as Document | null) ?? []);

let pair: CertificatePair;
let fixtures: Fixtures;
let cases: readonly Case[] = [];
before(async () => {
  if (!isThere) return;
  pair = await selfSigned();
  fixtures = JSON.parse(read('fixtures.json')) as Fixtures;
  cases = JSON.parse(read('cases.json')) as readonly Case[];
});

for (const [tier, failuresOf] of [
  ['status', statusFailures],
  ['conversion', conversionFailures],
] as const)
  test(`gateway-api corpus: ${tier}`, options, (t) => {
    const failures = new Map(
      cases.flatMap((one) =>
        failuresOf(one)
          .slice(0, 1)
          .map((failure) => [one.name, failure] as const),
      ),
    );
    const plain = cases.filter(({ tags }) => tags.length === 0).map(({ name }) => name);
    const failed = plain.filter((name) => failures.has(name));
    t.diagnostic(
      `${plain.length - failed.length} of ${plain.length} plain cases, ${cases.length - failures.size} of all ${cases.length}`,
    );
    for (const [name, failure] of failures) t.diagnostic(`${name}: ${failure}`);
    assert.ok(plain.length >= 28);
    assert.deepEqual(failed, Object.keys(knownFailures[tier]));
  });

function meshOf(one: Case): { readonly store: ConfigStore; readonly registry: Registry } {
  const engine = new MemoEngine();
  const store = new ConfigStore(engine, { domain: fixtures.domain });
  const namespaces = new Set(documents(one.input).map(({ metadata }) => metadata.namespace ?? 'default'));
  const all = [fixtureDocuments(fixtures, pair, [...namespaces]), read(one.input)].join('\n---\n');
  for (const resource of parseDocuments(all, one.input).resources) store.put(resource);
  return { store, registry: new Registry(engine, store) };
}

function statusFailures(one: Case): readonly string[] {
  const { store, registry } = meshOf(one);
  const got = new Map(
    gatewayApiStatus(store, registry).map((object) => [keyOf(object), statusMeaning(object.status)]),
  );
  const wanted = new Map(
    documents(one.status)
      .filter(({ status }) => Object.keys(status ?? {}).length > 0)
      .map((document) => [keyOf(document), statusMeaning(document['status'])]),
  );
  return differences(got, wanted);
}

function keyOf({ kind, metadata }: Pick<Document, 'kind' | 'metadata'>): string {
  return `${kind} ${metadata.namespace ?? ''}/${metadata.name}`;
}

type Conditions = readonly { readonly type: string; readonly status: string; readonly reason: string }[];

interface AnyStatus {
  readonly conditions?: Conditions;
  readonly listeners?: readonly {
    readonly name: string;
    readonly attachedRoutes: number;
    readonly supportedKinds: readonly { readonly kind: string }[];
    readonly conditions: Conditions;
  }[];
  readonly ancestors?: readonly {
    readonly ancestorRef: unknown;
    readonly controllerName: string;
    readonly conditions: Conditions;
  }[];
  readonly parents?: readonly {
    readonly parentRef: unknown;
    readonly controllerName: string;
    readonly conditions: Conditions;
  }[];
}

function statusMeaning(status: unknown): string {
  const { conditions = [], listeners = [], parents = [], ancestors = [] } = status as AnyStatus;
  const byType = (list: Conditions): unknown =>
    Object.fromEntries(list.map(({ type, status: value, reason }) => [type, `${value} ${reason}`]));
  return text({
    conditions: byType(conditions),
    listeners: Object.fromEntries(
      listeners.map((listener) => [
        listener.name,
        {
          routes: listener.attachedRoutes,
          kinds: listener.supportedKinds.map(({ kind }) => kind).sort(),
          ...(byType(listener.conditions) as object),
        },
      ]),
    ),
    ancestors: ancestors
      .map((one) =>
        text({ ref: one.ancestorRef, by: one.controllerName, ...(byType(one.conditions) as object) }),
      )
      .sort(),
    parents: parents
      .map((parent) =>
        text({ ref: parent.parentRef, by: parent.controllerName, ...(byType(parent.conditions) as object) }),
      )
      .sort(),
  });
}

function conversionFailures(one: Case): readonly string[] {
  const golden = documents(one.golden);
  // Objects of kinds that nothing is converted to here.
  const others = golden.filter(({ kind }) => !isConverted(kind)).map((document) => `no ${keyOf(document)}`);
  const got = meaningOf(convertGatewayApi(meshOf(one).store), true);
  return [...differences(got, meaningOf(golden.flatMap(asGenerated), false)), ...others];
}

const isConverted = (kind: string): kind is Generated['kind'] =>
  kind === 'Gateway' || kind === 'VirtualService' || kind === 'DestinationRule';

/** As our schemas read it, with no rules applied. */
function asGenerated(document: Document): readonly Generated[] {
  const { kind, metadata } = document;
  if (!isConverted(kind)) return [];
  const { name, namespace = 'default', annotations = {} } = metadata;
  const facts = { kind, name, namespace, labels: {}, annotations };
  const schema: Schema<unknown> = kinds[kind].schema;
  const spec = decode(schema, document['spec'] ?? {}, {
    path: [],
    resource: facts,
    findings: new Findings(),
  });
  const origin = { kind, namespace, name, path: '' };
  return [
    {
      kind,
      apiVersion: '',
      metadata: { name, namespace, labels: {}, annotations },
      spec: spec ?? {},
      origin,
    } as Generated,
  ];
}

function differences(
  got: ReadonlyMap<string, string>,
  wanted: ReadonlyMap<string, string>,
): readonly string[] {
  return [...new Set([...got.keys(), ...wanted.keys()])].sort().flatMap((key) => {
    const [ours, theirs] = [got.get(key), wanted.get(key)];
    return ours === theirs ? [] : [`${key}: ${ours ?? 'nothing'}, recorded ${theirs ?? 'nothing'}`];
  });
}
