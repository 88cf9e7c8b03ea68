// Keeps the hosts of a DNS cluster up to date: each configured name resolved again and again.
import type { Timer } from '../net/clock.ts';
import type { ClusterPlan } from '../plan/cluster/cluster-plan.ts';
import type { EndpointPlan } from '../plan/cluster/endpoints-plan.ts';
import type { Cluster } from './cluster.ts';
import type { Answer, Resolve } from './resolver.ts';

interface Target {
  readonly group: number;
  /** With the name in the place of the address. */
  readonly endpoint: EndpointPlan;
  addresses: readonly string[];
  resolved: boolean;
  timer: Timer | undefined;
}

const failureRetryMs = 1000;

export class DnsDiscovery {
  readonly #cluster: Cluster;
  readonly #resolve: Resolve;
  readonly #onChange: () => void;
  readonly #targets: readonly Target[];
  #stopped = false;

  constructor(cluster: Cluster, resolve: Resolve, onChange: () => void) {
    this.#cluster = cluster;
    this.#resolve = resolve;
    this.#onChange = onChange;
    this.#targets = cluster.plan.localities.flatMap(({ endpoints }, group) =>
      endpoints.map((endpoint) => target(group, endpoint)),
    );
    if (this.#targets.length === 0) cluster.assign([]);
    for (const target of this.#targets) void this.#refresh(target);
  }

  stop(): void {
    this.#stopped = true;
    for (const target of this.#targets) target.timer?.close();
  }

  async #refresh(target: Target): Promise<void> {
    const dns = this.#cluster.plan.dns;
    const answer = await this.#resolve(target.endpoint.address.ip, dns.family);
    if (this.#stopped) return;
    const first = !target.resolved;
    target.resolved = true;
    // A failed lookup keeps what was known.
    if (answer && (answer.addresses.length > 0 || first)) this.#set(target, answer);
    else if (first) this.#set(target, { addresses: [], ttlMs: failureRetryMs });
    target.timer = this.#cluster.clock.after(untilNext(answer, dns), () => void this.#refresh(target));
  }

  #set(target: Target, answer: Answer): void {
    const addresses =
      this.#cluster.plan.discovery === 'logicalDns' ? answer.addresses.slice(0, 1) : answer.addresses;
    const same =
      addresses.length === target.addresses.length &&
      addresses.every((address) => target.addresses.includes(address));
    target.addresses = addresses;
    if (!this.#targets.every((one) => one.resolved) || (same && this.#cluster.initialized)) return;
    this.#assign();
    this.#onChange();
  }

  #assign(): void {
    this.#cluster.assign(
      this.#cluster.plan.localities.map((locality, index) => ({
        ...locality,
        endpoints: this.#targets
          .filter((one) => one.group === index)
          .flatMap((one) => one.addresses.map((address) => withAddress(one, address))),
      })),
    );
  }
}

function target(group: number, endpoint: EndpointPlan): Target {
  return { group, endpoint, addresses: [], resolved: false, timer: undefined };
}

function untilNext(answer: Answer | undefined, dns: ClusterPlan['dns']): number {
  if (!answer) return failureRetryMs;
  return dns.respectTtl && answer.addresses.length > 0 ? Math.max(answer.ttlMs, 1000) : dns.refreshMs;
}

function withAddress({ endpoint }: Target, ip: string): EndpointPlan {
  const { address, hostname } = endpoint;
  return { ...endpoint, address: { ...address, ip }, hostname: hostname || address.ip };
}
