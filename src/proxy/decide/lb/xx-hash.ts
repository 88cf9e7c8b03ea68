// xxHash64, as Envoy uses it for hash policies, rings and tables. 32-bit halves instead of BigInt, which is
// far slower here.
// https://github.com/Cyan4973/xxHash/blob/dev/doc/xxhash_spec.md#xxh64-algorithm-description

/** An unsigned 64-bit value in two unsigned halves. */
export interface Hash64 {
  readonly hi: number;
  readonly lo: number;
}

const zero: Hash64 = { hi: 0, lo: 0 };
const prime1 = word(0x9e3779b1, 0x85ebca87);
const prime2 = word(0xc2b2ae3d, 0x27d4eb4f);
const prime3 = word(0x165667b1, 0x9e3779f9);
const prime4 = word(0x85ebca77, 0xc2b2ae63);
const prime5 = word(0x27d4eb2f, 0x165667c5);

/**
 * Hash of a text whose characters are bytes (as header lines and addresses are); other texts are hashed as
 * UTF-8.
 */
export function xxHash64(text: string, seed: Hash64 = zero): Hash64 {
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code > 0xff) return xxHash64Bytes(new TextEncoder().encode(text), seed);
    bytes[i] = code;
  }
  return xxHash64Bytes(bytes, seed);
}

export function xxHash64Bytes(bytes: Uint8Array, seed: Hash64 = zero): Hash64 {
  const hash = bytes.length >= 32 ? stripes(bytes, seed) : add(copy(seed), prime5);
  add(hash, word(0, bytes.length));
  tail(hash, bytes, bytes.length & ~31);
  return avalanche(hash);
}

interface Word {
  hi: number;
  lo: number;
}

function word(hi: number, lo: number): Word {
  return { hi: hi >>> 0, lo: lo >>> 0 };
}

function copy(value: Hash64): Word {
  return { hi: value.hi, lo: value.lo };
}

function stripes(bytes: Uint8Array, seed: Hash64): Word {
  const v1 = add(add(copy(seed), prime1), prime2);
  const v2 = add(copy(seed), prime2);
  const v3 = copy(seed);
  const v4 = add(copy(seed), negated(prime1));
  for (let i = 0; i + 32 <= bytes.length; i += 32) {
    round(v1, read64(bytes, i));
    round(v2, read64(bytes, i + 8));
    round(v3, read64(bytes, i + 16));
    round(v4, read64(bytes, i + 24));
  }
  const hash = add(
    add(add(rotate(copy(v1), 1), rotate(copy(v2), 7)), rotate(copy(v3), 12)),
    rotate(copy(v4), 18),
  );
  for (const lane of [v1, v2, v3, v4]) add(multiply(xor(hash, round(word(0, 0), lane)), prime1), prime4);
  return hash;
}

function tail(hash: Word, bytes: Uint8Array, start: number): void {
  let i = start;
  for (; i + 8 <= bytes.length; i += 8)
    add(multiply(rotate(xor(hash, round(word(0, 0), read64(bytes, i))), 27), prime1), prime4);
  if (i + 4 <= bytes.length) {
    add(multiply(rotate(xor(hash, multiply(word(0, read32(bytes, i)), prime1)), 23), prime2), prime3);
    i += 4;
  }
  for (; i < bytes.length; i++)
    multiply(rotate(xor(hash, multiply(word(0, bytes[i] ?? 0), prime5)), 11), prime1);
}

function avalanche(hash: Word): Word {
  // x ^= x >>> 33; x *= prime2; x ^= x >>> 29; x *= prime3; x ^= x >>> 32
  hash.lo = (hash.lo ^ (hash.hi >>> 1)) >>> 0;
  multiply(hash, prime2);
  hash.lo = (hash.lo ^ ((hash.lo >>> 29) | (hash.hi << 3))) >>> 0;
  hash.hi = (hash.hi ^ (hash.hi >>> 29)) >>> 0;
  multiply(hash, prime3);
  hash.lo = (hash.lo ^ hash.hi) >>> 0;
  return hash;
}

function round(acc: Word, input: Hash64): Word {
  return multiply(rotate(add(acc, multiply(copy(input), prime2)), 31), prime1);
}

function add(a: Word, b: Hash64): Word {
  const lo = a.lo + b.lo;
  a.hi = (a.hi + b.hi + (lo > 0xffffffff ? 1 : 0)) >>> 0;
  a.lo = lo >>> 0;
  return a;
}

function xor(a: Word, b: Hash64): Word {
  a.hi = (a.hi ^ b.hi) >>> 0;
  a.lo = (a.lo ^ b.lo) >>> 0;
  return a;
}

// Bits are between 1 and 31.
function rotate(a: Word, bits: number): Word {
  const hi = (a.hi << bits) | (a.lo >>> (32 - bits));
  a.lo = ((a.lo << bits) | (a.hi >>> (32 - bits))) >>> 0;
  a.hi = hi >>> 0;
  return a;
}

// Schoolbook on 16-bit digits for the low product; the crossed halves only reach the high word.
function multiply(a: Word, b: Hash64): Word {
  const a0 = a.lo & 0xffff;
  const a1 = a.lo >>> 16;
  const b0 = b.lo & 0xffff;
  const b1 = b.lo >>> 16;
  const low = a0 * b0;
  const middle = a0 * b1 + Math.floor(low / 65536);
  const middle2 = a1 * b0 + (middle % 65536);
  const high = a1 * b1 + Math.floor(middle / 65536) + Math.floor(middle2 / 65536);
  a.hi = (high + Math.imul(a.hi, b.lo) + Math.imul(a.lo, b.hi)) >>> 0;
  a.lo = (((middle2 % 65536) << 16) | (low & 0xffff)) >>> 0;
  return a;
}

function negated(a: Hash64): Word {
  return add(word(~a.hi, ~a.lo), word(0, 1));
}

function read32(bytes: Uint8Array, i: number): number {
  return (
    ((bytes[i] ?? 0) |
      ((bytes[i + 1] ?? 0) << 8) |
      ((bytes[i + 2] ?? 0) << 16) |
      ((bytes[i + 3] ?? 0) << 24)) >>>
    0
  );
}

function read64(bytes: Uint8Array, i: number): Word {
  return { hi: read32(bytes, i + 4), lo: read32(bytes, i) };
}
