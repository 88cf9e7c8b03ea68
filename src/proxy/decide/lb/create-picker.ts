// Pickers take a fixed list of hosts; the balancer decides which list applies.
import { type Millis, unreachable } from '../../../base/index.ts';
import type { LbPlan, LbPolicyPlan, SlowStart } from '../../plan/cluster/lb-plan.ts';
import { EdfScheduler } from './edf.ts';
import type { LbContext, LbHost } from './host.ts';
import { MaglevTable } from './maglev.ts';
import { equalShares, type HostShare, type Picker, sharesOf } from './picker.ts';
import { HashRing } from './ring-hash.ts';

export interface PickerInput<H extends LbHost> {
  readonly hosts: readonly H[];
  /** Asked for by hashing policies only. */
  readonly shares: () => readonly HostShare<H>[];
  readonly plan: LbPlan;
  /** Lives as long as the balancer: where rotation stands for this list. */
  readonly rotation: Rotation;
}

export interface Rotation {
  index: number | undefined;
}

export function createPicker<H extends LbHost>(input: PickerInput<H>): Picker<H> {
  const { policy } = input.plan;
  switch (policy.kind) {
    case 'roundRobin':
      return needsWeights(input.hosts, policy.slowStart)
        ? new EdfPicker(input.hosts, policy)
        : new RoundRobinPicker(input.hosts, input.rotation);
    case 'leastRequest':
      return needsWeights(input.hosts, policy.slowStart)
        ? new EdfPicker(input.hosts, policy)
        : new LeastRequestPicker(input.hosts, policy.choices);
    case 'random':
    case 'clusterProvided':
      return new RandomPicker(input.hosts);
    case 'ringHash':
      return new HashRing(input.shares(), { ...policy, useHostname: input.plan.useHostnameForHashing });
    case 'maglev':
      return new MaglevTable(input.shares(), { ...policy, useHostname: input.plan.useHostnameForHashing });
    default:
      return unreachable(policy);
  }
}

function needsWeights(hosts: readonly LbHost[], slowStart: SlowStart | undefined): boolean {
  return slowStart !== undefined || hosts.some((host) => host.weight !== hosts[0]?.weight);
}

class RoundRobinPicker<H extends LbHost> implements Picker<H> {
  readonly #hosts: readonly H[];
  readonly #rotation: Rotation;

  constructor(hosts: readonly H[], rotation: Rotation) {
    this.#hosts = hosts;
    this.#rotation = rotation;
  }

  // Starts anywhere, so that many proxies do not all begin at the same host.
  pick(context: LbContext<H>): H | undefined {
    const size = this.#hosts.length;
    const index = (this.#rotation.index ?? Math.floor(context.random() * size)) % size;
    this.#rotation.index = index + 1;
    return this.#hosts[index];
  }

  shares(): readonly HostShare<H>[] {
    return equalShares(this.#hosts);
  }
}

class RandomPicker<H extends LbHost> implements Picker<H> {
  readonly #hosts: readonly H[];

  constructor(hosts: readonly H[]) {
    this.#hosts = hosts;
  }

  pick(context: LbContext<H>): H | undefined {
    return this.#hosts[Math.floor(context.random() * this.#hosts.length)];
  }

  shares(): readonly HostShare<H>[] {
    return equalShares(this.#hosts);
  }
}

class LeastRequestPicker<H extends LbHost> implements Picker<H> {
  readonly #hosts: readonly H[];
  readonly #choices: number;

  constructor(hosts: readonly H[], choices: number) {
    this.#hosts = hosts;
    this.#choices = choices;
  }

  pick(context: LbContext<H>): H | undefined {
    const hosts = this.#hosts;
    if (hosts.length === 1) return hosts[0];
    let best: H | undefined;
    for (let i = 0; i < this.#choices; i++) {
      const candidate = hosts[Math.floor(context.random() * hosts.length)];
      if (candidate && (best === undefined || candidate.activeRequests < best.activeRequests))
        best = candidate;
    }
    return best;
  }

  shares(): undefined {}
}

type WeightedPolicy = LbPolicyPlan & { kind: 'roundRobin' | 'leastRequest' };

/**
 * Unequal weights, or hosts warming up. For least request the weight shrinks with the requests that a host
 * has in flight.
 */
class EdfPicker<H extends LbHost> implements Picker<H> {
  readonly #hosts: readonly H[];
  readonly #policy: WeightedPolicy;
  readonly #scheduler = new EdfScheduler<H>();
  #now: Millis = 0;
  #started = false;

  constructor(hosts: readonly H[], policy: WeightedPolicy) {
    this.#hosts = hosts;
    this.#policy = policy;
  }

  pick(context: LbContext<H>): H | undefined {
    this.#now = context.now ?? 0;
    if (!this.#started) {
      for (const host of this.#hosts) this.#scheduler.add(host, this.#weight(host), context.random());
      this.#started = true;
    }
    return this.#scheduler.next((host) => this.#weight(host));
  }

  shares(now: Millis): readonly HostShare<H>[] | undefined {
    if (this.#policy.kind === 'leastRequest') return undefined;
    this.#now = now;
    return sharesOf(this.#hosts.map((host) => [host, this.#weight(host)]));
  }

  #weight(host: H): number {
    const policy = this.#policy;
    const busy =
      policy.kind === 'leastRequest' && policy.bias > 0 ? (host.activeRequests + 1) ** policy.bias : 1;
    return (host.weight / busy) * (policy.slowStart ? warmth(host, policy.slowStart, this.#now) : 1);
  }
}

/** The part of its weight that a host has while it warms up. */
function warmth(host: LbHost, slowStart: SlowStart, now: Millis): number {
  const age = now - (host.addedAt ?? Number.NEGATIVE_INFINITY);
  if (age >= slowStart.window) return 1;
  return Math.max((Math.max(age, 1) / slowStart.window) ** (1 / slowStart.aggression), slowStart.minWeight);
}
