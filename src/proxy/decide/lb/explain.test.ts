// Explained choices are those that `choose` makes, and every other host has a reason.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { LbPlan } from '../../plan/cluster/lb-plan.ts';
import { createLoadBalancer } from './balancer.ts';
import { explanationLines, type LbExplanation, passedText } from './explanation.ts';
import { config, type FakeHost, host, hosts, localities, policies, seeded } from './fake-host.ts';
import type { LbContext } from './host.ts';
import { xxHash64 } from './xx-hash.ts';

interface Asked {
  readonly policy?: LbPlan['policy'];
  readonly more?: Partial<LbPlan>;
  readonly weights?: Readonly<Record<string, number>>;
  readonly context?: Partial<LbContext<FakeHost>>;
}

function explained(all: readonly FakeHost[], asked: Asked = {}): LbExplanation {
  const { policy = policies.roundRobin, more, weights, context } = asked;
  const balancer = createLoadBalancer(config(policy, more), localities(all, weights));
  return balancer.explain({ random: () => 0, now: 0, ...context });
}

/** `0: reason` by the last number of the address. */
function reasons(all: readonly FakeHost[], asked?: Asked): readonly string[] {
  return explained(all, asked).passed.map(
    (one) => `${/(\d+):80$/.exec(one.host)?.[1]}: ${passedText(one.reason)}`,
  );
}

const someHost = fc.record({
  health: fc.constantFrom('healthy', 'healthy', 'degraded', 'unhealthy', 'draining'),
  ejected: fc.boolean(),
  weight: fc.integer({ min: 1, max: 3 }),
  priority: fc.integer({ min: 0, max: 2 }),
  locality: fc.constantFrom('a', 'b'),
});

for (const [name, policy] of Object.entries(policies))
  test(`${name}: an explained choice is the one that would be made`, () => {
    const property = fc.property(
      fc.array(someHost, { maxLength: 8 }),
      fc.record({
        seed: fc.nat(),
        localityWeighted: fc.boolean(),
        failOnPanic: fc.boolean(),
        retry: fc.boolean(),
      }),
      (list, { seed, retry, ...flags }) => {
        const all = list.map((more, index) => host(index, { ...more } as Partial<FakeHost>));
        const small: LbPlan['policy'] = policy.kind === 'maglev' ? { ...policy, tableSize: 251 } : policy;
        const make = () => createLoadBalancer(config(small, flags), localities(all, { a: 1, b: 2 }));
        const context = (): LbContext<FakeHost> => ({
          random: seeded(seed),
          now: 0,
          ...(retry ? { avoid: (one) => one === all[0], maxAttempts: 2, avoidPriorities: [0] } : {}),
        });
        const explanation = make().explain(context());
        assert.equal(explanation.chosen, make().choose(context())?.address);
        const told = [
          ...explanation.passed.map((one) => one.host),
          ...(explanation.chosen ? [explanation.chosen] : []),
        ];
        assert.deepEqual(told.sort(), all.map(({ address }) => address).sort());
        assert.deepEqual(structuredClone(explanation), explanation);
        if (explanation.chosen !== undefined)
          assert.ok(explanation.candidates.some((one) => one.host === explanation.chosen));
        assert.ok(explanationLines(explanation).length >= explanation.passed.length + 1);
      },
    );
    fc.assert(property, { numRuns: 150, seed: 1 });
  });

for (const kind of ['roundRobin', 'random', 'ringHash', 'maglev'] as const)
  test(`${kind}: shares are what many choices come to`, () => {
    const all = [host(0), host(1, { weight: kind === 'random' ? 1 : 3 }), host(2)];
    const { candidates } = explained(all, { policy: policies[kind] });
    assert.ok(Math.abs(candidates.reduce((sum, { share = 0 }) => sum + share, 0) - 100) < 1e-6);
    const balancer = createLoadBalancer(config(policies[kind]), localities(all));
    const random = seeded(7);
    const counts = new Map<string, number>();
    for (let i = 0; i < 20_000; i++) {
      const address = balancer.choose({ random })?.address ?? '';
      counts.set(address, (counts.get(address) ?? 0) + 1 / 200);
    }
    for (const { host: address, share = 0 } of candidates)
      assert.ok(
        Math.abs(share - (counts.get(address) ?? 0)) < 1.5,
        `${address}: ${share}, ${counts.get(address)}`,
      );
  });

test('the shares of localities with weights', () => {
  const all = [host(0), host(1), host(2, { locality: 'b' })];
  const { candidates, localities: shares } = explained(all, {
    more: { localityWeighted: true },
    weights: { a: 1, b: 3 },
  });
  assert.deepEqual(
    candidates.map(({ share }) => share),
    [12.5, 12.5, 75],
  );
  assert.deepEqual(
    shares?.map(({ locality, weight, share }) => [locality, weight, share]),
    [
      ['a', 1, 25],
      ['b', 3, 75],
    ],
  );
});

test('why not: health', () => {
  const all = [
    host(0),
    host(1, { health: 'unhealthy' }),
    host(2, { ejected: true }),
    host(3, { health: 'draining' }),
    host(4),
    host(5),
    host(6),
    host(7, { health: 'degraded' }),
  ];
  assert.deepEqual(reasons(all), [
    '1: it is unhealthy',
    '2: outlier detection has ejected it',
    '3: it is draining',
    '4: its turn did not come',
    '5: its turn did not come',
    '6: its turn did not come',
    '7: it is degraded, and enough others are healthy',
  ]);
  const fewHealthy = [host(0), host(1, { health: 'degraded' }), host(2, { health: 'degraded' })];
  assert.deepEqual(reasons(fewHealthy, { context: { random: () => 0.99 } }), [
    '0: it is healthy, and the draw fell to the degraded ones',
    '1: its turn did not come',
  ]);
});

test('why not: priority, and panic', () => {
  const two = [host(0), host(1, { priority: 1 }), host(2, { priority: 1, health: 'unhealthy' })];
  assert.deepEqual(reasons(two), ['1: it has priority 1', '2: it is unhealthy']);
  const bad = [host(0), ...hosts(5, { health: 'unhealthy' }).slice(1)];
  const inPanic = explained(bad);
  assert.deepEqual(inPanic.place, { priority: 0, hosts: 'all' });
  assert.ok(inPanic.priorities[0]?.panic);
  assert.deepEqual(new Set(inPanic.passed.map(({ reason }) => reason.kind)), new Set(['turn']));
  const failing = explained(bad, { more: { failOnPanic: true } });
  assert.equal(failing.chosen, undefined);
  assert.deepEqual(new Set(failing.passed.map(({ reason }) => reason.kind)), new Set(['panic']));
});

test('why not: locality', () => {
  const all = [host(0), host(1, { locality: 'b' }), host(2, { locality: 'c' })];
  const more = { localityWeighted: true };
  assert.deepEqual(reasons(all, { more, weights: { a: 5, b: 1, c: 0 } }), [
    '1: the turn of its locality b did not come',
    '2: its locality c has no weight',
  ]);
  const ring = reasons(all, { more, weights: { a: 5, b: 1, c: 0 }, policy: policies.ringHash });
  assert.ok(ring.includes('2: its locality c has no weight'));
});

test('why not: tried before', () => {
  const all = hosts(3);
  const context = { avoid: (one: FakeHost) => one === all[0], maxAttempts: 3 };
  assert.deepEqual(reasons(all, { context }), [
    '0: it was tried before, or retries leave it out',
    '2: its turn did not come',
  ]);
});

test('why not: subset', () => {
  const labelled = (index: number, version: string): FakeHost =>
    host(index, { metadata: { 'envoy.lb': { version } } });
  const all = [labelled(0, 'v1'), labelled(1, 'v2'), labelled(2, 'v1')];
  const subsets = {
    fallback: 'any',
    defaultSubset: {},
    selectors: [{ keys: ['version'], fallback: undefined, fallbackKeys: [] }],
    listAsAny: false,
    panicAny: false,
  } as const;
  const ask = (version: string, fallback: 'any' | 'none' = 'any'): LbExplanation =>
    explained(all, { more: { subsets: { ...subsets, fallback } }, context: { match: { version } } });
  assert.deepEqual(
    ask('v1').passed.map(({ host: address, reason }) => [address, reason.kind]),
    [
      ['10.0.0.2:80', 'turn'],
      ['10.0.0.1:80', 'subset'],
    ],
  );
  assert.deepEqual(ask('v1').subset, {
    wanted: { version: 'v1' },
    used: 'subset',
    criteria: { version: 'v1' },
  });
  assert.equal(ask('v3').subset?.used, 'anyEndpoint');
  const none = ask('v3', 'none');
  assert.deepEqual([none.chosen, none.subset?.used, none.passed.length], [undefined, 'nothing', 3]);
});

test('a hash decides, and is told by shares of the ring', () => {
  const all = hosts(4);
  const context = { hash: xxHash64('10.1.2.3') };
  const one = explained(all, { policy: policies.ringHash, context });
  assert.equal(one.chosen, explained(all, { policy: policies.ringHash, context }).chosen);
  assert.equal(one.candidates.length, 4);
});

test('lines for people', () => {
  const all = [host(0), host(1, { health: 'unhealthy' })];
  assert.deepEqual(explanationLines(explained(all, { more: { localityWeighted: true } })), [
    'priority 0: 1 healthy and 0 degraded of 2, load 100 %, degraded 0 %, used',
    'locality a: weight 1, 100 % of its priority',
    '10.0.0.0:80: 100 %',
    'chosen: 10.0.0.0:80',
    'not 10.0.0.1:80: it is unhealthy',
  ]);
});
