import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DnsDiscovery } from './dns-discovery.ts';
import { endpointsAt, type FakeCluster, fakeCluster } from './fake-cluster.ts';
import type { Answer } from './resolver.ts';

interface World extends FakeCluster {
  /** What each name has; a name that is missing cannot be looked up. */
  readonly names: Map<string, Answer>;
  readonly asked: string[];
  readonly changes: () => number;
  readonly discovery: DnsDiscovery;
}

const answer = (...addresses: readonly string[]): Answer => ({ addresses, ttlMs: 20_000 });

function start(type: string, names: Readonly<Record<string, Answer>>, more: object = {}): World {
  const known = new Map(Object.entries(names));
  const asked: string[] = [];
  let changes = 0;
  const fake = fakeCluster({
    type,
    ...endpointsAt('a.example', 'b.example'),
    dns_refresh_rate: '5s',
    ...more,
  });
  const resolve = async (name: string): Promise<Answer | undefined> => {
    asked.push(name);
    return known.get(name);
  };
  const discovery = new DnsDiscovery(fake.cluster, resolve, () => changes++);
  return { ...fake, names: known, asked, changes: () => changes, discovery };
}

/** Lets what has been looked up arrive. */
const settle = async (): Promise<void> => {
  for (let i = 0; i < 5; i++) await Promise.resolve();
};

async function later({ clock }: World, ms: number): Promise<void> {
  clock.advance(ms);
  await settle();
}

const hosts = ({ cluster }: World): readonly string[] => [...cluster.hosts.keys()];

test('the cluster is ready when every name has been looked up', async () => {
  const world = start('STRICT_DNS', { 'a.example': answer('10.0.0.1', '10.0.0.2') });
  assert.equal(world.cluster.ready, false);
  await settle();
  assert.deepEqual([world.cluster.ready, hosts(world)], [true, ['10.0.0.1:80', '10.0.0.2:80']]);
  assert.equal(world.cluster.hosts.get('10.0.0.1:80')?.hostname, 'a.example');
});

test('a logical name has one address at a time', async () => {
  const names = { 'a.example': answer('10.0.0.1', '10.0.0.2'), 'b.example': answer('10.0.0.3') };
  const world = start('LOGICAL_DNS', names);
  await settle();
  assert.deepEqual(hosts(world), ['10.0.0.1:80', '10.0.0.3:80']);
});

test('looked up again and again; what did not change is no change', async () => {
  const world = start('STRICT_DNS', { 'a.example': answer('10.0.0.1'), 'b.example': answer('10.0.0.2') });
  await settle();
  assert.equal(world.changes(), 1);
  await later(world, 5000);
  assert.deepEqual([world.asked.length, world.changes()], [4, 1]);
  world.names.set('b.example', answer('10.0.0.3'));
  await later(world, 5000);
  assert.deepEqual([world.changes(), hosts(world)], [2, ['10.0.0.1:80', '10.0.0.3:80']]);
});

test('a lookup that fails keeps what was known, and is tried again soon', async () => {
  const world = start('STRICT_DNS', { 'a.example': answer('10.0.0.1'), 'b.example': answer('10.0.0.2') });
  await settle();
  world.names.delete('b.example');
  await later(world, 5000);
  assert.deepEqual(hosts(world), ['10.0.0.1:80', '10.0.0.2:80']);
  world.names.set('b.example', answer('10.0.0.4'));
  await later(world, 1000);
  assert.deepEqual(hosts(world), ['10.0.0.1:80', '10.0.0.4:80']);
});

test('an answer may say how long it holds', async () => {
  const names = { 'a.example': answer('10.0.0.1'), 'b.example': answer('10.0.0.2') };
  const world = start('STRICT_DNS', names, { respect_dns_ttl: true });
  await settle();
  await later(world, 19_999);
  assert.equal(world.asked.length, 2);
  await later(world, 1);
  assert.equal(world.asked.length, 4);
});

test('nothing is looked up after the end', async () => {
  const world = start('STRICT_DNS', { 'a.example': answer('10.0.0.1'), 'b.example': answer('10.0.0.2') });
  await settle();
  world.discovery.stop();
  await later(world, 60_000);
  assert.equal(world.asked.length, 2);
});

test('without names there is nothing to wait for', async () => {
  const fake = fakeCluster({ type: 'STRICT_DNS' });
  new DnsDiscovery(
    fake.cluster,
    async () => undefined,
    () => undefined,
  );
  assert.equal(fake.cluster.ready, true);
});
