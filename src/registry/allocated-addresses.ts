// Addresses for service entries that have none, so that applications whose names the proxy resolves can be
// told apart by address.
// https://istio.io/latest/docs/ops/configuration/traffic-management/dns-proxy/#address-auto-allocation
import type { ConfigStore } from './config-store.ts';
import { needsAddress } from './service-entries.ts';

export interface AllocatedAddresses {
  readonly ipv4: string;
  readonly ipv6: string;
}

// 240.240.0.0/16 less the addresses that end in 0 or 255.
const slotCount = 256 * 254;
const largestPrime = 65_011;

/**
 * The position of each service's address in the range. It depends on the name alone, unless two names hash to
 * one slot; the services that several entries declare take a slot an entry, as in the reference, and answer
 * at the first of them.
 */
export function allocate(store: ConfigStore): ReadonlyMap<string, number> {
  const slots = new Map<number, string>();
  for (const key of keysInNeed(store)) if (slots.size < slotCount) slots.set(freeSlot(hash(key), slots), key);
  const positions = new Map<string, number>();
  let shift = 1;
  for (const [slot, key] of [...slots].sort(([a], [b]) => a - b)) {
    // No address ends in 0.
    if ((slot + shift) % 255 === 0) shift++;
    if (!positions.has(key)) positions.set(key, slot + shift);
  }
  return positions;
}

export function addressesAt(position: number): AllocatedAddresses {
  const [high, low] = [Math.trunc(position / 255), position % 255];
  return {
    ipv4: `240.240.${high}.${low}`,
    ipv6: `2001:2::f0f0:${high === 0 ? '' : high.toString(16)}${low.toString(16)}`,
  };
}

/** `namespace/host`, once for each entry that declares it. */
function keysInNeed(store: ConfigStore): readonly string[] {
  return store.entryHosts
    .buckets()
    .flatMap((host) =>
      store.entryHosts
        .get(host)
        .flatMap((entry) => (needsAddress(entry, host) ? [`${entry.metadata.namespace}/${host}`] : [])),
    )
    .sort();
}

/** Double hashing: https://en.wikipedia.org/wiki/Double_hashing */
function freeSlot(hashed: number, slots: ReadonlyMap<number, string>): number {
  let slot = hashed % slotCount;
  const step = largestPrime - (hashed % largestPrime);
  for (let i = 1; slots.has(slot); i++) slot = ((hashed + i * step) >>> 0) % (slotCount - 1);
  return slot;
}

/** FNV-1a of 32 bits: https://datatracker.ietf.org/doc/html/draft-eastlake-fnv */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(text)) value = Math.imul(value ^ byte, 0x01000193) >>> 0;
  return value;
}
