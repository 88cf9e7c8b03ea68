// Hosts and configurations for tests, written the short way.
import type { LbPlan, LbPolicyPlan } from '../../plan/cluster/lb-plan.ts';
import type { LbHost, LocalityHosts } from './host.ts';

export type FakeHost = LbHost & { locality: string; priority: number; addedAt: number };

export function host(index: number, more: Partial<FakeHost> = {}): FakeHost {
  const address = `10.0.0.${index}:80`;
  return {
    address,
    weight: 1,
    health: 'healthy',
    ejected: false,
    activeRequests: 0,
    locality: 'a',
    priority: 0,
    addedAt: 0,
    ...more,
  };
}

export function hosts(count: number, more: Partial<FakeHost> = {}): FakeHost[] {
  return Array.from({ length: count }, (_, i) => host(i, more));
}

/** Groups by locality and priority; weights by name of locality. */
export function localities(
  all: readonly FakeHost[],
  weights: Readonly<Record<string, number>> = {},
): LocalityHosts<FakeHost>[] {
  const groups = Map.groupBy(all, ({ locality, priority }) => `${priority} ${locality}`);
  return [...groups.values()].map((group) => {
    const { locality = '', priority = 0 } = group[0] ?? {};
    return { locality, priority, weight: weights[locality] ?? 1, hosts: group };
  });
}

export const policies: Readonly<
  Record<'roundRobin' | 'leastRequest' | 'random' | 'ringHash' | 'maglev', LbPolicyPlan>
> = {
  roundRobin: { kind: 'roundRobin', slowStart: undefined },
  leastRequest: { kind: 'leastRequest', choices: 2, bias: 1, slowStart: undefined },
  random: { kind: 'random' },
  ringHash: { kind: 'ringHash', minSize: 1024, maxSize: 8_388_608 },
  maglev: { kind: 'maglev', tableSize: 65_537 },
};

export function config(policy: LbPolicyPlan, more: Partial<LbPlan> = {}): LbPlan {
  return {
    policy,
    panicThreshold: 50,
    failOnPanic: false,
    localityWeighted: false,
    useHostnameForHashing: false,
    overprovisioning: 140,
    weightedPriorityHealth: false,
    subsets: undefined,
    ...more,
  };
}

/** mulberry32: a small seeded generator, so that statistical tests are the same every time. */
export function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}
