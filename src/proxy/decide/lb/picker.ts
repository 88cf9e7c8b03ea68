// What a balancing policy is once it has its hosts.
import type { LbContext, LbHost } from './host.ts';
import type { Hash64 } from './xx-hash.ts';

export interface Picker<H extends LbHost> {
  /** `hash` is the request's, or drawn when it has none. `attempt` counts from 0 within one choice. */
  pick(context: LbContext<H>, hash: Hash64 | undefined, attempt: number): H | undefined;
}

/** A host with its part of the whole, locality weights included; parts add up to 1. */
export interface HostShare<H extends LbHost> {
  readonly host: H;
  readonly share: number;
}

/** What a host is called on rings and tables. */
export function hashKeyOf(host: LbHost, useHostname: boolean): string {
  return host.hashKey ?? (useHostname && host.hostname ? host.hostname : host.address);
}
