// Pods that come and go under ever-new names and addresses leave nothing behind.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AnyConfig, Kind } from '../config/index.ts';
import type { ResourceId } from '../sources/index.ts';
import { typeUrlOf } from '../xds/index.ts';
import { Pilot } from './pilot.ts';
import { testClient } from './testing/test-client.ts';

const rounds = 250;
const podsOfRound = 400;
const podsOfSlice = 100;
/** Half of the pods are in slices, a quarter is selected, a quarter is workloads of a ServiceEntry. */
const sliced = podsOfRound / 2;
const selected = sliced + podsOfRound / 4;

interface Parts {
  readonly labels?: Readonly<Record<string, string>>;
  readonly spec: object;
}

function object(kind: Kind, name: string, { labels = {}, spec }: Parts): AnyConfig {
  const origin = { kind, namespace: 'default', name, path: '' };
  return {
    kind,
    apiVersion: 'v1',
    metadata: { name, namespace: 'default', labels, annotations: {} },
    spec,
    origin,
  } as AnyConfig;
}

const lasting: readonly AnyConfig[] = [
  ...['sliced', 'selected'].map((name) =>
    object('Service', name, {
      spec: { clusterIP: '10.0.0.1', ports: [{ name: 'http', port: 80 }], selector: { app: name } },
    }),
  ),
  object('ServiceEntry', 'workloads', {
    spec: {
      hosts: ['workloads.example'],
      resolution: 'STATIC',
      ports: [{ number: 80, name: 'http', protocol: 'HTTP' }],
      workloadSelector: { labels: { app: 'workloads' } },
    },
  }),
];

/** What there is in one round and in no other. */
function objectsOf(round: number): readonly AnyConfig[] {
  const numbers = Array.from({ length: podsOfRound }, (_, i) => round * podsOfRound + i);
  const addressOf = (n: number): string => `10.${1 + (n >> 16)}.${(n >> 8) & 255}.${n & 255}`;
  const pods = numbers.slice(0, selected).map((n, i) =>
    object('Pod', `pod-${n}`, {
      labels: { app: i < sliced ? 'sliced' : 'selected' },
      spec: { nodeName: `node-${n}`, status: { phase: 'Running', podIP: addressOf(n) } },
    }),
  );
  const slices = Array.from({ length: sliced / podsOfSlice }, (_, i) =>
    object('EndpointSlice', `slice-${round}-${i}`, {
      labels: { 'kubernetes.io/service-name': 'sliced' },
      spec: {
        ports: [{ name: 'http', port: 8080 }],
        endpoints: numbers.slice(i * podsOfSlice, (i + 1) * podsOfSlice).map((n, at) => ({
          addresses: [addressOf(n)],
          // Half of them name no pod, which is looked for by address then.
          ...(at % 2 === 0 ? { targetRef: { kind: 'Pod', name: `pod-${n}`, namespace: 'default' } } : {}),
        })),
      },
    }),
  );
  const workloads = numbers
    .slice(selected)
    .map((n) =>
      object('WorkloadEntry', `vm-${n}`, { spec: { address: addressOf(n), labels: { app: 'workloads' } } }),
    );
  return [...pods, ...slices, ...workloads];
}

function idOf({ kind, metadata: { namespace, name } }: AnyConfig): ResourceId {
  return { kind, namespace, name };
}

test('100,000 addresses leave no values, cells, indexes or rows behind', async (t) => {
  const pilot = new Pilot();
  const failures: string[] = [];
  pilot.subscribe((event) => event.kind === 'failed' && failures.push(String(event.error)));
  pilot.apply({ changed: lasting, removed: [], issues: [] });
  const server = await pilot.serve('127.0.0.1:0');
  t.after(() => server.close());
  const client = testClient({
    address: server.address,
    id: 'sidecar~10.9.9.9~client.default~default.svc.cluster.local',
    metadata: { NAMESPACE: 'default' },
  });
  t.after(() => client.stop());
  const clusters = [
    'sliced.default.svc.cluster.local',
    'selected.default.svc.cluster.local',
    'workloads.example',
  ];
  client.subscribe(typeUrlOf('cluster'), [], () => []);
  client.subscribe(
    typeUrlOf('endpoint'),
    clusters.map((host) => `outbound|80||${host}`),
    () => [],
  );
  client.start();
  const isSettled = (): boolean => pilot.proxies.length === 1 && pilot.unsettled.length === 0;
  const settled = async (): Promise<void> => {
    while (!isSettled()) await new Promise(setImmediate);
  };

  let before: readonly AnyConfig[] = [];
  let most = 0;
  const round = async (n: number): Promise<void> => {
    const changed = objectsOf(n);
    pilot.apply({ changed, removed: before.map(idOf), issues: [] });
    before = changed;
    await settled();
    const { live, inputs } = pilot.engine.statistics();
    most = Math.max(most, live + inputs);
  };
  const counts = (): object => {
    pilot.engine.sweep();
    const { live, inputs } = pilot.engine.statistics();
    const rows = (['Pod', 'EndpointSlice', 'WorkloadEntry'] as const).map(
      (kind) => pilot.store.table(kind).size,
    );
    return { live, inputs, rows, inForce: pilot.size };
  };

  await round(0);
  await round(1);
  const first = counts();
  for (let n = 2; n < rounds; n++) await round(n);
  assert.deepEqual(counts(), first);
  assert.ok(most < 30_000, `at most ${most} values at a time`);
  assert.deepEqual(failures, []);
});
