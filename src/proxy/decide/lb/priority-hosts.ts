// The hosts of one priority, split by health, with a picker for each list that is asked for.
import type { Millis } from '../../../base/index.ts';
import type { Health } from '../../plan/cluster/endpoints-plan.ts';
import type { LbPlan } from '../../plan/cluster/lb-plan.ts';
import { createPicker, type Rotation } from './create-picker.ts';
import { EdfScheduler } from './edf.ts';
import type { LocalityShare, PassedReason } from './explanation.ts';
import type { LbContext, LbHost, LocalityHosts } from './host.ts';
import { type HostShare, type Picker, sharesOf } from './picker.ts';
import type { Availability } from './priority-load.ts';
import type { Hash64 } from './xx-hash.ts';

export type HostSource = 'all' | 'healthy' | 'degraded';

interface LocalityLists<H extends LbHost> {
  readonly name: string;
  readonly weight: number;
  readonly lists: Readonly<Record<HostSource | 'counted', readonly H[]>>;
}

export class PriorityHosts<H extends LbHost> {
  readonly availability: Availability;
  readonly #plan: LbPlan;
  readonly #localities: readonly LocalityLists<H>[];
  readonly #rotations: Map<string, Rotation>;
  readonly #pickers = new Map<HostSource, Picker<H> | undefined>();

  /** `before` hands on where rotations stand. */
  constructor(plan: LbPlan, localities: readonly LocalityHosts<H>[], before: PriorityHosts<H> | undefined) {
    this.#plan = plan;
    this.#localities = localities.map(splitByHealth);
    this.#rotations = before ? before.#rotations : new Map();
    const size = (source: HostSource | 'counted') =>
      measure(this.#hosts(source), plan.weightedPriorityHealth);
    this.availability = {
      all: size('all'),
      total: size('counted'),
      healthy: size('healthy'),
      degraded: size('degraded'),
    };
  }

  picker(source: HostSource): Picker<H> | undefined {
    if (!this.#pickers.has(source)) this.#pickers.set(source, this.#create(source));
    return this.#pickers.get(source);
  }

  /** How its load is shared out to localities; undefined where their weights do not count. */
  localityShares(source: HostSource): readonly LocalityShare[] | undefined {
    if (!this.#isWeighted(source)) return undefined;
    const weights = this.#localities.map((one) => effectiveWeight(one, source, this.#plan.overprovisioning));
    const sum = weights.reduce((total, weight) => total + weight, 0);
    return this.#localities.map(({ name, weight, lists }, index) => ({
      locality: name,
      weight,
      usable: lists[source].length,
      total: lists.counted.length,
      share: sum === 0 ? 0 : (100 * (weights[index] ?? 0)) / sum,
    }));
  }

  /** Every host, with its locality. */
  *members(): Iterable<readonly [host: H, locality: string]> {
    for (const { name, lists } of this.#localities) for (const host of lists.all) yield [host, name];
  }

  #isWeighted(source: HostSource): boolean {
    return this.#plan.localityWeighted && source !== 'all';
  }

  #create(source: HostSource): Picker<H> | undefined {
    const hosts = this.#hosts(source);
    if (hosts.length === 0) return undefined;
    const hashing = this.#plan.policy.kind === 'ringHash' || this.#plan.policy.kind === 'maglev';
    if (this.#isWeighted(source) && !hashing) return this.#byLocality(source);
    return this.#listPicker(source, hosts, () => this.#shares(source));
  }

  #byLocality(source: HostSource): Picker<H> | undefined {
    const entries = this.#localities.flatMap((locality) => {
      const hosts = locality.lists[source];
      const weight = effectiveWeight(locality, source, this.#plan.overprovisioning);
      return weight > 0
        ? [{ picker: this.#listPicker(`${source} ${locality.name}`, hosts, () => []), weight }]
        : [];
    });
    return entries.length === 0 ? undefined : new LocalityPicker(entries);
  }

  #listPicker(key: string, hosts: readonly H[], shares: () => readonly HostShare<H>[]): Picker<H> {
    let rotation = this.#rotations.get(key);
    if (!rotation) {
      rotation = { index: undefined };
      this.#rotations.set(key, rotation);
    }
    return createPicker({ hosts, shares, plan: this.#plan, rotation });
  }

  #hosts(source: HostSource | 'counted'): readonly H[] {
    return this.#localities.flatMap(({ lists }) => lists[source]);
  }

  // For rings and tables locality weights are folded into the hosts' own.
  #shares(source: HostSource): readonly HostShare<H>[] {
    const weighted = this.#isWeighted(source);
    const raw = this.#localities.flatMap((locality) => {
      const hosts = locality.lists[source];
      const factor = weighted
        ? effectiveWeight(locality, source, this.#plan.overprovisioning) / measure(hosts, true)
        : 1;
      return factor > 0 ? hosts.map((host) => ({ host, share: host.weight * factor })) : [];
    });
    const total = raw.reduce((sum, { share }) => sum + share, 0);
    return raw.map(({ host, share }) => ({ host, share: share / total }));
  }
}

interface LocalityEntry<H extends LbHost> {
  readonly picker: Picker<H>;
  readonly weight: number;
}

class LocalityPicker<H extends LbHost> implements Picker<H> {
  readonly #entries: readonly LocalityEntry<H>[];
  readonly #scheduler = new EdfScheduler<LocalityEntry<H>>();
  #started = false;

  constructor(entries: readonly LocalityEntry<H>[]) {
    this.#entries = entries;
  }

  pick(context: LbContext<H>, hash: Hash64 | undefined, attempt: number): H | undefined {
    if (!this.#started)
      for (const entry of this.#entries) this.#scheduler.add(entry, entry.weight, context.random());
    this.#started = true;
    return this.#scheduler.next((entry) => entry.weight)?.picker.pick(context, hash, attempt);
  }

  shares(now: Millis): readonly HostShare<H>[] | undefined {
    const inner = this.#entries.map(({ picker, weight }) => ({ weight, shares: picker.shares(now) }));
    if (inner.some(({ shares }) => shares === undefined)) return undefined;
    return sharesOf(
      inner.flatMap(({ weight, shares = [] }) =>
        shares.map(({ host, share }) => [host, share * weight] as const),
      ),
    );
  }
}

// A locality keeps its weight until too few of its hosts are usable, then loses it in proportion.
function effectiveWeight<H extends LbHost>(
  locality: LocalityLists<H>,
  source: HostSource,
  overprovisioning: number,
): number {
  const usable = locality.lists[source].length;
  const total = locality.lists.counted.length;
  return total === 0 ? 0 : locality.weight * Math.min(1, (overprovisioning / 100) * (usable / total));
}

/** Why its health keeps a host from taking requests of the source, if it does. */
export function unfit(host: LbHost, source: HostSource): PassedReason | undefined {
  if (source === 'all') return undefined;
  const health = healthOf(host);
  if (health === source) return undefined;
  return { kind: health === 'unhealthy' && host.health !== 'unhealthy' ? 'ejected' : health };
}

function healthOf(host: LbHost): Health {
  return host.ejected && host.health !== 'draining' ? 'unhealthy' : host.health;
}

function splitByHealth<H extends LbHost>(locality: LocalityHosts<H>): LocalityLists<H> {
  return {
    name: locality.locality,
    weight: locality.weight,
    lists: {
      all: locality.hosts,
      counted: locality.hosts.filter((host) => host.health !== 'draining'),
      healthy: locality.hosts.filter((host) => healthOf(host) === 'healthy'),
      degraded: locality.hosts.filter((host) => healthOf(host) === 'degraded'),
    },
  };
}

function measure(hosts: readonly LbHost[], byWeight: boolean): number {
  return byWeight ? hosts.reduce((sum, host) => sum + host.weight, 0) : hosts.length;
}
