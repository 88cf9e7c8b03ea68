// Ketama hash ring, built as Envoy builds it, so that a mixed fleet agrees on where a key belongs.
// https://github.com/envoyproxy/envoy/blob/main/source/extensions/load_balancing_policies/ring_hash/ring_hash_lb.cc
import type { LbContext, LbHost } from './host.ts';
import { type HostShare, hashKeyOf, type Picker, sharesOf } from './picker.ts';
import { type Hash64, xxHash64 } from './xx-hash.ts';

interface RingOptions {
  readonly minSize: number;
  readonly maxSize: number;
  readonly useHostname: boolean;
}

interface Point<H> extends Hash64 {
  readonly host: H;
}

export class HashRing<H extends LbHost> implements Picker<H> {
  readonly #points: readonly Point<H>[];

  constructor(shares: readonly HostShare<H>[], options: RingOptions) {
    this.#points = buildRing(shares, options);
  }

  /** A retry moves on along the ring. */
  pick(_context: LbContext<H>, hash: Hash64 | undefined, attempt: number): H | undefined {
    const size = this.#points.length;
    return size === 0 || hash === undefined
      ? undefined
      : this.#points[(this.#search(hash) + attempt) % size]?.host;
  }

  /** By the arcs before their points. */
  shares(): readonly HostShare<H>[] {
    const last = this.#points.at(-1);
    let before = last ? turnsAt(last) - 1 : 0;
    return sharesOf(
      this.#points.map((point) => {
        const at = turnsAt(point);
        const arc = at - before;
        before = at;
        return [point.host, arc];
      }),
    );
  }

  get size(): number {
    return this.#points.length;
  }

  // The first point that is not before the hash, around the end.
  #search(hash: Hash64): number {
    let low = 0;
    let high = this.#points.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const point = this.#points[middle];
      if (point !== undefined && compare(point, hash) < 0) low = middle + 1;
      else high = middle;
    }
    return low === this.#points.length ? 0 : low;
  }
}

// The lightest host gets a whole number of points; the running sums keep rounding from favouring anybody.
function buildRing<H extends LbHost>(
  shares: readonly HostShare<H>[],
  options: RingOptions,
): readonly Point<H>[] {
  if (shares.length === 0) return [];
  const least = shares.reduce((min, { share }) => Math.min(min, share), 1);
  const scale = Math.min(Math.ceil(least * options.minSize) / least, options.maxSize);
  const points: Point<H>[] = [];
  let target = 0;
  for (const { host, share } of shares) {
    const key = hashKeyOf(host, options.useHostname);
    target += scale * share;
    for (let i = 0; points.length < target; i++) {
      const { hi, lo } = xxHash64(`${key}_${i}`);
      points.push({ hi, lo, host });
    }
  }
  return points.sort(compare);
}

/** In [0, 1). */
function turnsAt({ hi, lo }: Hash64): number {
  return (hi + lo / 2 ** 32) / 2 ** 32;
}

function compare(a: Hash64, b: Hash64): number {
  return a.hi - b.hi || a.lo - b.lo;
}
