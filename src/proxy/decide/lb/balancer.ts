// The load balancer: priority first, then health or panic, then locality, then the policy's picker.
// https://www.envoyproxy.io/docs/envoy/latest/intro/arch_overview/upstream/load_balancing/load_balancing
import type { LbPlan } from '../../plan/cluster/lb-plan.ts';
import { type Choice, explainChoice } from './explain-choice.ts';
import type { LbExplanation, Place } from './explanation.ts';
import type { LbContext, LbHost, LoadBalancer, LocalityHosts } from './host.ts';
import { modulo } from './maglev.ts';
import type { Picker } from './picker.ts';
import { PriorityHosts } from './priority-hosts.ts';
import { type PriorityLoads, priorityLoads } from './priority-load.ts';
import { SubsetBalancer } from './subset.ts';
import type { Hash64 } from './xx-hash.ts';

export function createLoadBalancer<H extends LbHost>(
  plan: LbPlan,
  localities: readonly LocalityHosts<H>[] = [],
): LoadBalancer<H> {
  const whole = (list: readonly LocalityHosts<H>[]): LoadBalancer<H> => new PriorityLoadBalancer(plan, list);
  return plan.subsets ? new SubsetBalancer(plan.subsets, localities, whole) : whole(localities);
}

class PriorityLoadBalancer<H extends LbHost> implements LoadBalancer<H> {
  readonly #plan: LbPlan;
  readonly #hashes: boolean;
  #localities: readonly LocalityHosts<H>[];
  #priorities: readonly PriorityHosts<H>[] = [];
  #loads: PriorityLoads = { healthy: [], degraded: [], panic: [] };
  /** The only picker that can be asked for, in the usual case of one healthy priority. */
  #only: Picker<H> | undefined;

  constructor(plan: LbPlan, localities: readonly LocalityHosts<H>[]) {
    this.#plan = plan;
    this.#hashes = plan.policy.kind === 'ringHash' || plan.policy.kind === 'maglev';
    this.#localities = localities;
    this.refresh();
  }

  choose(context: LbContext<H>): H | undefined {
    return this.#choose(context, undefined);
  }

  explain(context: LbContext<H>): LbExplanation {
    const places: (Place | undefined)[] = [];
    const host = this.#choose(context, places);
    const place = places.at(-1);
    const choice: Choice<H> = {
      plan: this.#plan,
      priorities: this.#priorities,
      loads: this.#loadsFor(context),
      place,
      picker: place && this.#pickerAt(place),
      host,
    };
    return explainChoice(choice, context);
  }

  update(localities: readonly LocalityHosts<H>[]): void {
    this.#localities = localities;
    this.refresh();
  }

  refresh(): void {
    const count = this.#localities.reduce((max, { priority }) => Math.max(max, priority + 1), 0);
    const before = this.#priorities;
    this.#priorities = Array.from({ length: count }, (_, priority) => {
      const own = this.#localities.filter((locality) => locality.priority === priority);
      return new PriorityHosts(this.#plan, own, before[priority]);
    });
    this.#loads = this.#loadsWithout([]);
    this.#only = this.#loads.healthy[0] === 100 ? this.#pickerAt(this.#placeOf(0, 'healthy')) : undefined;
  }

  /** `places` is given where one wants to be told where each draw fell. */
  #choose(context: LbContext<H>, places: (Place | undefined)[] | undefined): H | undefined {
    const hash = this.#hashes ? (context.hash ?? drawHash(context.random)) : undefined;
    const attempts = context.avoid ? (context.maxAttempts ?? 0) + 1 : 1;
    let host: H | undefined;
    for (let attempt = 0; attempt < attempts; attempt++) {
      host = this.#picker(context, hash, places)?.pick(context, hash, attempt);
      if (host === undefined || !context.avoid?.(host)) return host;
    }
    return host;
  }

  #picker(
    context: LbContext<H>,
    hash: Hash64 | undefined,
    places: (Place | undefined)[] | undefined,
  ): Picker<H> | undefined {
    if (this.#only && !context.avoidPriorities?.length) {
      places?.push(this.#placeOf(0, 'healthy'));
      return this.#only;
    }
    const place = this.#draw(context, hash);
    places?.push(place);
    return place && this.#pickerAt(place);
  }

  #draw(context: LbContext<H>, hash: Hash64 | undefined): Place | undefined {
    const loads = this.#loadsFor(context);
    // 1 to 100, as the loads are percentages.
    let draw = (hash ? modulo(hash, 100) : Math.floor(context.random() * 100)) + 1;
    for (const health of ['healthy', 'degraded'] as const) {
      for (const [priority, load] of loads[health].entries()) {
        if (draw <= load) return this.#placeOf(priority, health);
        draw -= load;
      }
    }
    return undefined;
  }

  #placeOf(priority: number, health: 'healthy' | 'degraded'): Place {
    return { priority, hosts: this.#loads.panic[priority] ? 'all' : health };
  }

  #pickerAt({ priority, hosts }: Place): Picker<H> | undefined {
    const fails = hosts === 'all' && this.#plan.failOnPanic;
    return fails ? undefined : this.#priorities[priority]?.picker(hosts);
  }

  #loadsFor({ avoidPriorities }: LbContext<H>): PriorityLoads {
    return avoidPriorities?.length ? this.#loadsWithout(avoidPriorities) : this.#loads;
  }

  // Once every usable priority has been tried, all of them count again.
  #loadsWithout(excluded: readonly number[]): PriorityLoads {
    const all = this.#priorities.map((priority) => priority.availability);
    const left = all.map((p, i) => (excluded.includes(i) ? { ...p, healthy: 0, degraded: 0 } : p));
    const usable = left.some((p) => p.healthy + p.degraded > 0);
    return priorityLoads(usable ? left : all, this.#plan);
  }
}

function drawHash(random: () => number): Hash64 {
  return { hi: Math.floor(random() * 2 ** 32), lo: Math.floor(random() * 2 ** 32) };
}
