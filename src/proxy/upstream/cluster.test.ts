import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fromJson, type JsonValue } from '@bufbuild/protobuf';
import { ClusterLoadAssignmentSchema } from '@meltemi/envoy-api/envoy/config/endpoint/v3/endpoint';
import { type LocalityPlan, planEndpoints } from '../plan/cluster/endpoints-plan.ts';
import { endpointsAt, type FakeCluster, fakeCluster } from './fake-cluster.ts';

interface HostText {
  readonly at: string;
  readonly health?: string;
  readonly weight?: number;
}

function localities(...hosts: readonly HostText[]): readonly LocalityPlan[] {
  const lb_endpoints = hosts.map(({ at, health = 'UNKNOWN', weight = 1 }) => ({
    endpoint: { address: { socket_address: { address: at, port_value: 80 } } },
    health_status: health,
    load_balancing_weight: weight,
  }));
  const json = { cluster_name: 'c', endpoints: [{ lb_endpoints }] } as JsonValue;
  return planEndpoints(fromJson(ClusterLoadAssignmentSchema, json).endpoints);
}

const addresses = ({ cluster }: FakeCluster): readonly string[] => [...cluster.hosts.keys()];
const counts = ({ count }: FakeCluster): readonly number[] => [
  count('membership_total'),
  count('membership_healthy'),
];
const choose = ({ cluster }: FakeCluster): string | undefined =>
  cluster.choose({ random: () => 0, now: 0 })?.address;

test('a static cluster has its hosts at once, another one when it is told', () => {
  const fixed = fakeCluster(endpointsAt('10.0.0.1', '10.0.0.2'));
  assert.deepEqual([fixed.cluster.ready, addresses(fixed).length, counts(fixed)], [true, 2, [2, 2]]);
  const eds = fakeCluster({ type: 'EDS' });
  assert.equal(eds.cluster.ready, false);
  eds.cluster.assign([]);
  assert.equal(eds.cluster.ready, true);
});

test('a cluster waits for its transport', () => {
  const fake = fakeCluster(endpointsAt('10.0.0.1'));
  fake.transport.settled = false;
  assert.equal(fake.cluster.ready, false);
});

test('hosts that stay keep what they are, with the health and weight of the last word', () => {
  const fake = fakeCluster({ type: 'EDS' });
  fake.cluster.assign(localities({ at: '10.0.0.1' }, { at: '10.0.0.2' }));
  const before = fake.cluster.hosts.get('10.0.0.1:80');
  fake.cluster.assign(localities({ at: '10.0.0.1', health: 'DRAINING', weight: 7 }, { at: '10.0.0.3' }));
  const after = fake.cluster.hosts.get('10.0.0.1:80');
  assert.equal(after, before);
  assert.deepEqual([after?.health, after?.weight], ['draining', 7]);
  assert.deepEqual(addresses(fake), ['10.0.0.1:80', '10.0.0.3:80']);
  assert.deepEqual([counts(fake), choose(fake)], [[2, 1], '10.0.0.3:80']);
});

test('the original destination of a connection', () => {
  const fake = fakeCluster({ type: 'ORIGINAL_DST', lb_policy: 'CLUSTER_PROVIDED' });
  const dialled = (redirected: boolean) => ({ localIp: '10.0.0.9', localPort: 99, redirected });
  const { cluster } = fake;
  assert.equal(cluster.originalFor(dialled(true), undefined)?.address, '10.0.0.9:99');
  assert.equal(cluster.originalFor(dialled(false), undefined), undefined);
  assert.equal(cluster.originalFor(dialled(false), '[::1]:80')?.address, '[::1]:80');
  assert.equal(cluster.originalFor(dialled(false), 'nonsense'), undefined);
  assert.equal(cluster.originalFor(dialled(true), undefined), cluster.originalFor(dialled(true), undefined));
  assert.deepEqual(addresses(fake), ['10.0.0.9:99', '[::1]:80']);
});

test('a scan of the network does not fill the memory', () => {
  const { cluster } = fakeCluster({ type: 'ORIGINAL_DST', lb_policy: 'CLUSTER_PROVIDED' });
  const busy = cluster.originalFor({ localIp: '10.0.0.1', localPort: 80, redirected: true }, undefined);
  assert.ok(busy);
  busy.connections = 1;
  for (let port = 1; port <= 5000; port++)
    cluster.originalFor({ localIp: '10.0.0.2', localPort: port, redirected: true }, undefined);
  assert.ok(cluster.hosts.size <= 2048, `${cluster.hosts.size} hosts`);
  assert.equal(cluster.hosts.get('10.0.0.1:80'), busy);
});

test('a host that fails too often is ejected, and comes back', () => {
  const fake = fakeCluster({
    ...endpointsAt('10.0.0.1', '10.0.0.2'),
    outlier_detection: {
      consecutive_5xx: 2,
      max_ejection_percent: 50,
      interval: '1s',
      base_ejection_time: '0s',
      max_ejection_time: '0.001s',
    },
  });
  const host = fake.cluster.hosts.get('10.0.0.1:80');
  assert.ok(host);
  fake.cluster.report(host, { kind: 'response', status: 500 });
  assert.equal(host.ejected, false);
  fake.cluster.report(host, { kind: 'response', status: 500 });
  assert.deepEqual([host.ejected, choose(fake), counts(fake)], [true, '10.0.0.2:80', [2, 1]]);
  assert.equal(fake.count('outlier_detection.ejections_active'), 1);
  const told = fake.cluster.explain({ random: () => 0, now: 0 });
  assert.deepEqual(told.passed, [{ host: '10.0.0.1:80', reason: { kind: 'ejected' } }]);
  fake.clock.advance(1000);
  assert.deepEqual([host.ejected, counts(fake)], [false, [2, 2]]);
  fake.cluster.destroy();
});

test('what counts as an error may be told otherwise', () => {
  assert.equal(fakeCluster().cluster.isError, undefined);
});
