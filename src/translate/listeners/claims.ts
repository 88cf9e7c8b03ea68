// Who takes which connections of a listener: the first that claims a server name and range keeps it, since
// Envoy refuses a listener with two filter chains for the same thing.
import { singleRange } from './cidr-range.ts';

export interface Claim {
  /** Lower-case; empty for any. */
  readonly sniHosts: readonly string[];
  /** Empty for any. */
  readonly subnets: readonly string[];
}

const any = '';

export class Claims {
  readonly #taken = new Set<string>();

  /**
   * What of a claim is still free, in parts that a filter chain each can match; nothing when others have it
   * all.
   */
  take({ sniHosts, subnets }: Claim): readonly Claim[] {
    const hosts =
      sniHosts.length === 0 || sniHosts.includes('*') ? [any] : sniHosts.map((host) => host.toLowerCase());
    const ranges = subnets.length === 0 ? [any] : subnets.map(singleRange);
    const byRanges = new Map<string, { readonly free: readonly string[]; readonly hosts: string[] }>();
    for (const host of new Set(hosts)) {
      const free = [...new Set(ranges)].filter((range) => !this.#taken.has(`${host} ${range}`));
      for (const range of free) this.#taken.add(`${host} ${range}`);
      const key = free.join();
      const part = byRanges.get(key);
      if (part) part.hosts.push(host);
      else if (free.length > 0) byRanges.set(key, { free, hosts: [host] });
    }
    return [...byRanges.values()].map(({ free, hosts: names }) => ({
      sniHosts: names.filter(isNamed),
      subnets: free.filter(isNamed),
    }));
  }

  /** Takes the names, whatever the address, if all of them are free. */
  takeWhole(sniHosts: readonly string[]): boolean {
    const names = sniHosts.includes('*') ? [any] : sniHosts.map((host) => host.toLowerCase());
    if (names.some((name) => this.#taken.has(`${name} ${any}`))) return false;
    this.take({ sniHosts, subnets: [] });
    return true;
  }
}

function isNamed(text: string): boolean {
  return text !== any;
}
