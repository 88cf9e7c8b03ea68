// Maglev's lookup table, filled as Envoy fills it: constant-time choice, little disruption when hosts change.
// https://research.google/pubs/maglev-a-fast-and-reliable-software-network-load-balancer/ (section 3.4)
import type { LbContext, LbHost } from './host.ts';
import { type HostShare, hashKeyOf, type Picker, sharesOf } from './picker.ts';
import { type Hash64, xxHash64 } from './xx-hash.ts';

interface Candidate<H> {
  readonly host: H;
  readonly offset: number;
  readonly skip: number;
  readonly weight: number;
  target: number;
  next: number;
}

export class MaglevTable<H extends LbHost> implements Picker<H> {
  readonly #table: readonly (H | undefined)[];

  constructor(shares: readonly HostShare<H>[], options: { tableSize: number; useHostname: boolean }) {
    this.#table = shares.length === 0 ? [] : fill(shares, options.tableSize, options.useHostname);
  }

  /** A retry looks at another slot. */
  pick(_context: LbContext<H>, hash: Hash64 | undefined, attempt: number): H | undefined {
    const size = this.#table.length;
    if (size === 0 || hash === undefined) return undefined;
    // Envoy flips the hash with the complement of attempt - 1.
    return this.#table[
      modulo(attempt > 0 ? { hi: ~hash.hi >>> 0, lo: (hash.lo ^ ~(attempt - 1)) >>> 0 } : hash, size)
    ];
  }

  /** By slots. */
  shares(): readonly HostShare<H>[] {
    return sharesOf(this.#table.flatMap((host) => (host ? [[host, 1] as const] : [])));
  }
}

function fill<H extends LbHost>(
  shares: readonly HostShare<H>[],
  size: number,
  useHostname: boolean,
): readonly (H | undefined)[] {
  const candidates = shares.map(({ host, share }) =>
    candidate(hashKeyOf(host, useHostname), host, share, size),
  );
  const heaviest = candidates.reduce((max, { weight }) => Math.max(max, weight), 0);
  const table = new Array<H | undefined>(size).fill(undefined);
  let filled = 0;
  for (let round = 1; filled < size; round++) {
    for (const entry of candidates) {
      if (filled === size) break;
      // The heaviest host places in every round, the others as often as their weight allows.
      if (round * entry.weight < entry.target) continue;
      entry.target += heaviest;
      let slot = slotOf(entry, size);
      while (table[slot] !== undefined) slot = slotOf(entry, size);
      table[slot] = entry.host;
      filled++;
    }
  }
  return table;
}

function candidate<H extends LbHost>(key: string, host: H, weight: number, size: number): Candidate<H> {
  return {
    host,
    offset: modulo(xxHash64(key), size),
    skip: modulo(xxHash64(key, { hi: 0, lo: 1 }), size - 1) + 1,
    weight,
    target: 0,
    next: 0,
  };
}

function slotOf(entry: Candidate<unknown>, size: number): number {
  return (entry.offset + entry.skip * entry.next++) % size;
}

/** Exact for sizes below 2^26. */
export function modulo(value: Hash64, size: number): number {
  return ((value.hi % size) * (2 ** 32 % size) + (value.lo % size)) % size;
}
