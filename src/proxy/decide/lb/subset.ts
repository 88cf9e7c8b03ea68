// Only the hosts whose metadata is what the route asks for.
// https://www.envoyproxy.io/docs/envoy/latest/intro/arch_overview/upstream/load_balancing/subsets
import type { SubsetPlan, SubsetSelector } from '../../plan/cluster/subset-plan.ts';
import type { LbExplanation, PassedHost, SubsetChoice } from './explanation.ts';
import type { LbContext, LbHost, LoadBalancer, LocalityHosts } from './host.ts';

type Criteria = Readonly<Record<string, unknown>>;

export class SubsetBalancer<H extends LbHost> implements LoadBalancer<H> {
  readonly #plan: SubsetPlan;
  readonly #create: (localities: readonly LocalityHosts<H>[]) => LoadBalancer<H>;
  readonly #any: LoadBalancer<H>;
  readonly #subsets = new Map<string, LoadBalancer<H> | undefined>();
  #localities: readonly LocalityHosts<H>[];

  constructor(
    plan: SubsetPlan,
    localities: readonly LocalityHosts<H>[],
    create: (localities: readonly LocalityHosts<H>[]) => LoadBalancer<H>,
  ) {
    this.#plan = plan;
    this.#create = create;
    this.#localities = localities;
    this.#any = create(localities);
  }

  choose(context: LbContext<H>): H | undefined {
    const chosen = this.#resolve(context.match ?? {}).balancer?.choose(context);
    return chosen ?? (this.#plan.panicAny ? this.#any.choose(context) : undefined);
  }

  explain(context: LbContext<H>): LbExplanation {
    const wanted = context.match ?? {};
    const { used, criteria, balancer } = this.#resolve(wanted);
    const inner = balancer?.explain(context);
    if (inner?.chosen === undefined && this.#plan.panicAny)
      return { ...this.#any.explain(context), subset: { wanted, used: 'anyEndpoint', criteria: undefined } };
    const subset = { wanted, used, criteria };
    const known = new Set(inner?.passed.map(({ host }) => host));
    const outside = this.#localities
      .flatMap(({ hosts }) => hosts)
      .filter(({ address }) => address !== inner?.chosen && !known.has(address))
      .map(({ address }): PassedHost => ({ host: address, reason: { kind: 'subset' } }));
    return { ...(inner ?? nobody), subset, passed: [...(inner?.passed ?? []), ...outside] };
  }

  update(localities: readonly LocalityHosts<H>[]): void {
    this.#localities = localities;
    this.#any.update(localities);
    for (const [key, subset] of this.#subsets) {
      const hosts = this.#within(JSON.parse(key));
      if (subset && hosts.length > 0) subset.update(hosts);
      else this.#subsets.delete(key);
    }
  }

  refresh(): void {
    this.#any.refresh();
    for (const subset of this.#subsets.values()) subset?.refresh();
  }

  /** Which hosts the criteria lead to. */
  #resolve(criteria: Criteria, used: SubsetChoice['used'] = 'subset'): Resolved<H> {
    const selector = this.#selector(Object.keys(criteria));
    const balancer = selector && this.#subset(criteria);
    if (balancer) return { used, criteria, balancer };
    switch (selector?.fallback ?? this.#plan.fallback) {
      case 'any':
        return { used: 'anyEndpoint', criteria: undefined, balancer: this.#any };
      case 'default': {
        const { defaultSubset } = this.#plan;
        return { used: 'defaultSubset', criteria: defaultSubset, balancer: this.#subset(defaultSubset) };
      }
      case 'keys':
        return this.#resolve(fewer(criteria, selector?.fallbackKeys ?? []), 'fewerKeys');
      default:
        return { used: 'nothing', criteria: undefined, balancer: undefined };
    }
  }

  #selector(keys: readonly string[]): SubsetSelector | undefined {
    const wanted = [...keys].sort().join('\n');
    return keys.length === 0 ? undefined : this.#plan.selectors.find((one) => one.keys.join('\n') === wanted);
  }

  #subset(criteria: Criteria): LoadBalancer<H> | undefined {
    const key = JSON.stringify(
      Object.fromEntries(Object.entries(criteria).sort(([a], [b]) => (a < b ? -1 : 1))),
    );
    if (!this.#subsets.has(key)) {
      const hosts = this.#within(criteria);
      this.#subsets.set(key, hosts.length > 0 ? this.#create(hosts) : undefined);
    }
    return this.#subsets.get(key);
  }

  #within(criteria: Criteria): readonly LocalityHosts<H>[] {
    const wanted = Object.entries(criteria);
    const groups = this.#localities.map((group) => ({
      ...group,
      hosts: group.hosts.filter((host) => this.#fits(host, wanted)),
    }));
    return groups.some((group) => group.hosts.length > 0) ? groups : [];
  }

  #fits(host: H, wanted: readonly (readonly [string, unknown])[]): boolean {
    const own = host.metadata?.['envoy.lb'] ?? {};
    return wanted.every(([key, value]) => {
      const has = own[key];
      if (this.#plan.listAsAny && Array.isArray(has)) return has.some((one) => same(one, value));
      return has !== undefined && same(has, value);
    });
  }
}

interface Resolved<H extends LbHost> extends Omit<SubsetChoice, 'wanted'> {
  readonly balancer: LoadBalancer<H> | undefined;
}

/** Of a choice among no hosts. */
const nobody: LbExplanation = {
  chosen: undefined,
  subset: undefined,
  priorities: [],
  place: undefined,
  localities: undefined,
  candidates: [],
  passed: [],
};

function fewer(criteria: Criteria, keys: readonly string[]): Criteria {
  return Object.fromEntries(Object.entries(criteria).filter(([key]) => keys.includes(key)));
}

function same(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
