// The hosts of one priority, split by health, with a picker for each list that is asked for.
import type { LbPlan } from '../../plan/cluster/lb-plan.ts';
import { createPicker, type Rotation } from './create-picker.ts';
import { EdfScheduler } from './edf.ts';
import type { LbContext, LbHost, LocalityHosts } from './host.ts';
import type { HostShare, Picker } from './picker.ts';
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
  readonly #config: LbPlan;
  readonly #localities: readonly LocalityLists<H>[];
  readonly #rotations: Map<string, Rotation>;
  readonly #pickers = new Map<HostSource, Picker<H> | undefined>();

  /** `before` hands on where rotations stand. */
  constructor(config: LbPlan, localities: readonly LocalityHosts<H>[], before: PriorityHosts<H> | undefined) {
    this.#config = config;
    this.#localities = localities.map(splitByHealth);
    this.#rotations = before ? before.#rotations : new Map();
    const size = (source: HostSource | 'counted') =>
      measure(this.#hosts(source), config.weightedPriorityHealth);
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

  #create(source: HostSource): Picker<H> | undefined {
    const hosts = this.#hosts(source);
    if (hosts.length === 0) return undefined;
    const hashing = this.#config.policy.kind === 'ringHash' || this.#config.policy.kind === 'maglev';
    const weighted = this.#config.localityWeighted && source !== 'all';
    if (weighted && !hashing) return this.#byLocality(source);
    return this.#listPicker(source, hosts, () => this.#shares(source));
  }

  #byLocality(source: HostSource): Picker<H> | undefined {
    const entries = this.#localities.flatMap((locality) => {
      const hosts = locality.lists[source];
      const weight = effectiveWeight(locality, source, this.#config.overprovisioning);
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
    return createPicker({ hosts, shares, config: this.#config, rotation });
  }

  #hosts(source: HostSource | 'counted'): readonly H[] {
    return this.#localities.flatMap(({ lists }) => lists[source]);
  }

  // For rings and tables locality weights are folded into the hosts' own.
  #shares(source: HostSource): readonly HostShare<H>[] {
    const weighted = this.#config.localityWeighted && source !== 'all';
    const raw = this.#localities.flatMap((locality) => {
      const hosts = locality.lists[source];
      const factor = weighted
        ? effectiveWeight(locality, source, this.#config.overprovisioning) / measure(hosts, true)
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

function splitByHealth<H extends LbHost>(locality: LocalityHosts<H>): LocalityLists<H> {
  const health = (host: H) => (host.ejected && host.health !== 'draining' ? 'unhealthy' : host.health);
  return {
    name: locality.locality,
    weight: locality.weight,
    lists: {
      all: locality.hosts,
      counted: locality.hosts.filter((host) => host.health !== 'draining'),
      healthy: locality.hosts.filter((host) => health(host) === 'healthy'),
      degraded: locality.hosts.filter((host) => health(host) === 'degraded'),
    },
  };
}

function measure(hosts: readonly LbHost[], byWeight: boolean): number {
  return byWeight ? hosts.reduce((sum, host) => sum + host.weight, 0) : hosts.length;
}
