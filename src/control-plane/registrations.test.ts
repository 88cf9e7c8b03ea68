// Joining and leaving a WorkloadGroup, without a connection.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MemoEngine } from '../base/index.ts';
import { type AnyConfig, parseDocuments } from '../config/index.ts';
import { Mesh, type ProxyNode } from '../mesh/index.ts';
import { ConfigStore, Registry } from '../registry/index.ts';
import type { ResourceId } from '../sources/index.ts';
import { Layers } from './layers/index.ts';
import { graceMs, Registrations } from './registrations.ts';

const node: ProxyNode = {
  id: 'sidecar~10.0.0.7~vm.shop~shop.svc.cluster.local',
  type: 'sidecar',
  name: 'vm',
  namespace: 'shop',
  addresses: ['10.0.0.7'],
  labels: { track: 'own' },
  serviceAccount: 'default',
  clusterId: '',
  locality: 'eu/one',
  network: '',
  captured: true,
  applicationPorts: new Map(),
  httpProxyPort: 0,
};

const group = (port: number): readonly AnyConfig[] =>
  parseDocuments(
    `apiVersion: networking.istio.io/v1
kind: WorkloadGroup
metadata: {name: reviews, namespace: shop}
spec:
  metadata: {labels: {app: reviews, track: group}, annotations: {note: here}}
  template: {ports: {http: ${port}}, labels: {app: template, tier: back}, serviceAccount: reviews, locality: us/two}
`,
    'group.yaml',
  ).resources;

interface Table {
  readonly store: ConfigStore;
  readonly registration: Registrations;
  put(objects: readonly AnyConfig[]): void;
  remove(id: ResourceId): void;
  /** Lets the grace period of whoever left pass. */
  pass(): void;
  entries(): readonly string[];
  left: number;
}

function table(): Table {
  const engine = new MemoEngine();
  const store = new ConfigStore(engine, { domain: 'cluster.local' });
  const mesh = new Mesh(engine, store, new Registry(engine, store));
  const layers = new Layers({ engine, mesh, order: [], failed: (_, error) => assert.fail(String(error)) });
  const apply = (changed: readonly AnyConfig[], removed: readonly ResourceId[]): void => {
    const update = { changed, removed, issues: [] };
    layers.write('test', update);
    layers.admit('test', update);
    layers.settle();
  };
  const waiting = new Set<() => void>();
  const after = (ms: number, run: () => void): (() => void) => {
    assert.equal(ms, graceMs);
    waiting.add(run);
    return () => waiting.delete(run);
  };
  const made: Table = {
    store,
    registration: new Registrations({ engine, store, layers, after, onLeft: () => made.left++ }),
    put: (objects) => apply(objects, []),
    remove: (id) => apply([], [id]),
    pass: () => {
      for (const run of waiting) run();
      waiting.clear();
    },
    entries: () =>
      store
        .table('WorkloadEntry')
        .values()
        .map(
          ({ metadata, spec }) =>
            `${metadata.namespace}/${metadata.name} ${spec.address} ${JSON.stringify(spec.ports)}`,
        ),
    left: 0,
  };
  return made;
}

test('a member is what the proxy says, then what the group says of members, then the template', () => {
  const { registration, put, store } = table();
  put(group(8080));
  const joined = registration.join(node, 'reviews');
  const entry = store.table('WorkloadEntry').get('shop/reviews-10.0.0.7');
  assert.deepEqual(entry?.spec, {
    ports: { http: 8080 },
    serviceAccount: 'reviews',
    address: '10.0.0.7',
    locality: 'eu/one',
    labels: { app: 'reviews', tier: 'back', track: 'own' },
  });
  assert.deepEqual(entry?.metadata.annotations, {
    note: 'here',
    'istio.io/autoRegistrationGroup': 'reviews',
  });
  assert.deepEqual(joined.node.labels, { app: 'reviews', tier: 'back', track: 'own' });
});

test('a member stays while it only reconnects, and goes when it stays away', () => {
  const made = table();
  made.put(group(8080));
  const first = made.registration.join(node, 'reviews');
  first.leave();
  const second = made.registration.join(node, 'reviews');
  made.pass();
  assert.equal(made.entries().length, 1);
  second.leave();
  assert.equal(made.entries().length, 1);
  made.pass();
  assert.deepEqual([made.entries(), made.left], [[], 1]);
});

test('two streams of one proxy are one member', () => {
  const { registration, put, pass, entries } = table();
  put(group(8080));
  const streams = [registration.join(node, 'reviews'), registration.join(node, 'reviews')];
  streams[0]?.leave();
  pass();
  assert.equal(entries().length, 1);
  streams[1]?.leave();
  pass();
  assert.equal(entries().length, 0);
});

test('members follow their group: it may come later, change and go', () => {
  const { registration, put, entries, remove } = table();
  registration.join(node, 'reviews');
  assert.deepEqual(entries(), []);
  put(group(8080));
  assert.deepEqual(entries(), ['shop/reviews-10.0.0.7 10.0.0.7 {"http":8080}']);
  put(group(9090));
  assert.deepEqual(entries(), ['shop/reviews-10.0.0.7 10.0.0.7 {"http":9090}']);
  remove({ kind: 'WorkloadGroup', namespace: 'shop', name: 'reviews' });
  assert.deepEqual(entries(), []);
});

test('an entry that somebody wrote by hand is left alone', () => {
  const { registration, put, pass, entries } = table();
  put(group(8080));
  put(
    parseDocuments(
      'apiVersion: networking.istio.io/v1\nkind: WorkloadEntry\nmetadata: {name: reviews-10.0.0.7, namespace: shop}\nspec: {address: 10.0.0.9}\n',
      'entry.yaml',
    ).resources,
  );
  registration.join(node, 'reviews').leave();
  pass();
  assert.deepEqual(entries(), ['shop/reviews-10.0.0.7 10.0.0.9 undefined']);
});

test('networks and IPv6 addresses make names that Kubernetes takes', () => {
  const { registration, put, entries } = table();
  put(group(1));
  registration.join({ ...node, addresses: ['fd00::7'], network: 'vm-net' }, 'reviews');
  assert.deepEqual(entries(), ['shop/reviews-fd00--7-vm-net fd00::7 {"http":1}']);
});
