// Keeps the hosts of a DNS cluster up to date: each configured name resolved again and again.
import { clone } from '@bufbuild/protobuf';
import {
  type LbEndpoint,
  LbEndpointSchema,
} from '@meltemi/envoy-api/envoy/config/endpoint/v3/endpoint_components';
import { readAddress } from '../net/address.ts';
import type { Cluster } from './cluster.ts';
import type { Answer, Resolve } from './resolver.ts';

interface Target {
  readonly group: number;
  readonly endpoint: LbEndpoint;
  readonly name: string;
  readonly port: number;
  addresses: readonly string[];
  resolved: boolean;
  timer: NodeJS.Timeout | undefined;
}

const failureRetryMs = 1000;

export class DnsDiscovery {
  readonly #cluster: Cluster;
  readonly #resolve: Resolve;
  readonly #onChange: () => void;
  readonly #targets: Target[] = [];
  #stopped = false;

  constructor(cluster: Cluster, resolve: Resolve, onChange: () => void) {
    this.#cluster = cluster;
    this.#resolve = resolve;
    this.#onChange = onChange;
    cluster.config.assignment?.endpoints.forEach((group, index) => {
      for (const endpoint of group.lbEndpoints) this.#add(index, endpoint);
    });
    if (this.#targets.length === 0) cluster.assign([]);
    for (const target of this.#targets) void this.#refresh(target);
  }

  stop(): void {
    this.#stopped = true;
    for (const target of this.#targets) clearTimeout(target.timer);
  }

  #add(group: number, endpoint: LbEndpoint): void {
    const identity = endpoint.hostIdentifier;
    const address = identity.case === 'endpoint' ? readAddress(identity.value.address) : undefined;
    if (address)
      this.#targets.push({
        group,
        endpoint,
        name: address.ip,
        port: address.port,
        addresses: [],
        resolved: false,
        timer: undefined,
      });
  }

  async #refresh(target: Target): Promise<void> {
    const dns = this.#cluster.config.dns;
    const answer = await this.#resolve(target.name, dns.family);
    if (this.#stopped) return;
    const first = !target.resolved;
    target.resolved = true;
    // A failed lookup keeps what was known.
    if (answer && (answer.addresses.length > 0 || first)) this.#set(target, answer);
    else if (first) this.#set(target, { addresses: [], ttlMs: failureRetryMs });
    const wait = !answer
      ? failureRetryMs
      : dns.respectTtl && answer.addresses.length > 0
        ? Math.max(answer.ttlMs, 1000)
        : dns.refreshMs;
    target.timer = setTimeout(() => void this.#refresh(target), wait);
    target.timer.unref();
  }

  #set(target: Target, answer: Answer): void {
    const addresses =
      this.#cluster.config.discovery === 'logicalDns' ? answer.addresses.slice(0, 1) : answer.addresses;
    const same =
      addresses.length === target.addresses.length &&
      addresses.every((address) => target.addresses.includes(address));
    target.addresses = addresses;
    if (!this.#targets.every((one) => one.resolved) || (same && this.#cluster.initialized)) return;
    this.#assign();
    this.#onChange();
  }

  #assign(): void {
    const groups = this.#cluster.config.assignment?.endpoints ?? [];
    this.#cluster.assign(
      groups.map((group, index) => ({
        ...group,
        lbEndpoints: this.#targets
          .filter((one) => one.group === index)
          .flatMap((one) => one.addresses.map((address) => withAddress(one, address))),
      })),
    );
  }
}

function withAddress(target: Target, address: string): LbEndpoint {
  const endpoint = clone(LbEndpointSchema, target.endpoint);
  const identity = endpoint.hostIdentifier;
  if (identity.case !== 'endpoint') return endpoint;
  if (!identity.value.hostname) identity.value.hostname = target.name;
  const kind = identity.value.address?.address;
  if (kind?.case === 'socketAddress') kind.value.address = address;
  return endpoint;
}
