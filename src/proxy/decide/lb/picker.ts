// What a balancing policy is once it has its hosts.
import type { Millis } from '../../../base/index.ts';
import type { LbContext, LbHost } from './host.ts';
import type { Hash64 } from './xx-hash.ts';

export interface Picker<H extends LbHost> {
  /** `hash` is the request's, or drawn when it has none. `attempt` counts from 0 within one choice. */
  pick(context: LbContext<H>, hash: Hash64 | undefined, attempt: number): H | undefined;
  /** Which part of many choices each host gets; undefined where that depends on what is in flight. */
  shares(now: Millis): readonly HostShare<H>[] | undefined;
}

/** A host with its part of the whole, locality weights included; parts add up to 1. */
export interface HostShare<H extends LbHost> {
  readonly host: H;
  readonly share: number;
}

export function equalShares<H extends LbHost>(hosts: readonly H[]): readonly HostShare<H>[] {
  return hosts.map((host) => ({ host, share: 1 / hosts.length }));
}

/** One entry a host, in the order in which they first come; parts of the whole. */
export function sharesOf<H extends LbHost>(
  parts: Iterable<readonly [host: H, part: number]>,
): readonly HostShare<H>[] {
  const sums = new Map<H, number>();
  let total = 0;
  for (const [host, part] of parts) {
    sums.set(host, (sums.get(host) ?? 0) + part);
    total += part;
  }
  return [...sums].map(([host, sum]) => ({ host, share: total === 0 ? 0 : sum / total }));
}

/** What a host is called on rings and tables. */
export function hashKeyOf(host: LbHost, useHostname: boolean): string {
  return host.hashKey ?? (useHostname && host.hostname ? host.hostname : host.address);
}
