import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DynamicPlan } from '../plan/cluster/dynamic-plan.ts';
import { DynamicHosts, type Lookup, namedIn } from './dynamic-hosts.ts';
import { Host } from './host.ts';
import type { Answer } from './resolver.ts';
import { rawTransport } from './transport/dial.ts';

class World {
  now = 0;
  readonly asked: string[] = [];
  readonly dropped: string[] = [];
  readonly answers = new Map<string, Answer>();
  readonly hosts: DynamicHosts;

  constructor(plan: Partial<DynamicPlan> = {}) {
    this.hosts = new DynamicHosts(
      { family: 'v4', refreshMs: 60_000, ttlMs: 300_000, maxHosts: 2, ...plan },
      {
        now: () => this.now,
        resolve: async (name) => {
          this.asked.push(name);
          return this.answers.get(name);
        },
        create: ({ name, port }, ip) =>
          new Host({
            ip,
            port,
            address: `${ip}:${port}`,
            hostname: name,
            weight: 1,
            health: 'healthy',
            metadata: {},
            addedAt: 0,
            transport: rawTransport,
          }),
        drop: (host) => this.dropped.push(host.ip),
      },
    );
  }

  find(name: string, port = 80): Promise<string> {
    return new Promise((resolve) =>
      this.hosts.find({ name, port }, (lookup: Lookup) =>
        resolve(lookup.kind === 'found' ? lookup.host.address : lookup.kind),
      ),
    );
  }

  is(name: string, ...addresses: string[]): void {
    this.answers.set(name, { addresses, ttlMs: 0 });
  }
}

test('one lookup serves all who wait, and then those who come', async () => {
  const world = new World();
  world.is('a.example', '10.0.0.1', '10.0.0.2');
  assert.deepEqual(await Promise.all([world.find('a.example'), world.find('A.example')]), [
    '10.0.0.1:80',
    '10.0.0.1:80',
  ]);
  assert.equal(await world.find('a.example'), '10.0.0.1:80');
  assert.deepEqual(world.asked, ['a.example']);
  assert.equal(await world.find('a.example', 8080), '10.0.0.1:8080');
});

test('what the resolver does not know is unknown, each time anew', async () => {
  const world = new World();
  assert.equal(await world.find('x.example'), 'unknown');
  world.is('x.example', '10.0.0.3');
  assert.equal(await world.find('x.example'), '10.0.0.3:80');
});

test('an old address serves while a newer one is asked for, and stays when that fails', async () => {
  const world = new World();
  world.is('a.example', '10.0.0.1');
  await world.find('a.example');
  world.answers.clear();
  world.now = 70_000;
  assert.equal(await world.find('a.example'), '10.0.0.1:80');
  await new Promise(setImmediate);
  assert.equal(await world.find('a.example'), '10.0.0.1:80');
  world.is('a.example', '10.0.0.9');
  world.now = 140_000;
  assert.equal(await world.find('a.example'), '10.0.0.1:80');
  await new Promise(setImmediate);
  assert.equal(await world.find('a.example'), '10.0.0.9:80');
  assert.deepEqual(world.dropped, ['10.0.0.1']);
});

test('at most so many names, until some have not been asked for in a while', async () => {
  const world = new World();
  for (const name of ['a', 'b', 'c']) world.is(name, '10.0.0.1');
  await world.find('a');
  await world.find('b');
  assert.equal(await world.find('c'), 'overflow');
  world.now = 200_000;
  await world.find('b');
  world.now = 400_000;
  assert.equal(await world.find('c'), '10.0.0.1:80');
  assert.equal(await world.find('a'), 'overflow');
});

test('names that came to nothing do not keep others out', async () => {
  const world = new World();
  world.is('good', '10.0.0.1');
  for (const name of ['x1', 'x2', 'x3']) assert.equal(await world.find(name), 'unknown');
  assert.equal(await world.find('good'), '10.0.0.1:80');
});

test('what an authority names', () => {
  const cases: readonly (readonly [string, string | undefined])[] = [
    ['a.example', 'a.example 80'],
    ['a.example:8080', 'a.example 8080'],
    ['10.0.0.1:1', '10.0.0.1 1'],
    ['[::1]', '::1 80'],
    ['[::1]:81', '::1 81'],
    ['a.example:0', undefined],
    ['a.example:65536', undefined],
    ['a:b:c', undefined],
    ['', undefined],
  ];
  for (const [authority, expected] of cases) {
    const named = namedIn(authority, 80);
    assert.equal(named && `${named.name} ${named.port}`, expected, authority);
  }
});
