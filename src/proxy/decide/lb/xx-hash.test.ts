import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Hash64, xxHash64, xxHash64Bytes } from './xx-hash.ts';

function check(hash: Hash64, expected: bigint, about: string): void {
  assert.equal((BigInt(hash.hi) << 32n) | BigInt(hash.lo), expected, about);
}

// From the reference implementation's documentation and from Envoy's own hash_test.cc.
const vectors: readonly (readonly [string, bigint])[] = [
  ['', 0xef46db3751d8e999n],
  ['a', 0xd24ec4f1a98c6e5bn],
  ['abc', 0x44bc2cf5ad770999n],
  ['foo', 3728699739546630719n],
  ['bar', 5234164152756840025n],
  ['Nobody inspects the spammish repetition', 0xfbcea83c8a378bf1n],
];

test('known vectors', () => {
  for (const [text, expected] of vectors) check(xxHash64(text), expected, text);
});

test('agrees with a plain transcription of the specification', () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 130 }),
      fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }),
      (bytes, seed) => {
        check(
          xxHash64Bytes(bytes, { hi: Number(seed >> 32n), lo: Number(seed & 0xffffffffn) }),
          reference(bytes, seed),
          `${bytes} ${seed}`,
        );
      },
    ),
    { numRuns: 1000, seed: 1 },
  );
});

test('texts are bytes, or UTF-8 where they cannot be', () => {
  assert.deepEqual(xxHash64('\u00e9'), xxHash64Bytes(new Uint8Array([0xe9])));
  assert.deepEqual(xxHash64('\u20ac'), xxHash64Bytes(new TextEncoder().encode('\u20ac')));
});

const p1 = 0x9e3779b185ebca87n;
const p2 = 0xc2b2ae3d27d4eb4fn;
const p3 = 0x165667b19e3779f9n;
const p4 = 0x85ebca77c2b2ae63n;
const p5 = 0x27d4eb2f165667c5n;
const u64 = (value: bigint) => BigInt.asUintN(64, value);
const rotl = (value: bigint, bits: bigint) => u64((value << bits) | (value >> (64n - bits)));
const round = (acc: bigint, lane: bigint) => u64(rotl(u64(acc + u64(lane * p2)), 31n) * p1);
const merge = (acc: bigint, lane: bigint) => u64((acc ^ round(0n, lane)) * p1 + p4);

function reference(bytes: Uint8Array, seed: bigint): bigint {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  let at = 0;
  let acc = u64(seed + p5);
  if (bytes.length >= 32) {
    const lanes = [u64(seed + p1 + p2), u64(seed + p2), seed, u64(seed - p1)];
    for (; at + 32 <= bytes.length; at += 32)
      for (let i = 0; i < 4; i++) lanes[i] = round(lanes[i] ?? 0n, view.getBigUint64(at + i * 8, true));
    acc = [1n, 7n, 12n, 18n].reduce((sum, bits, i) => u64(sum + rotl(lanes[i] ?? 0n, bits)), 0n);
    acc = lanes.reduce(merge, acc);
  }
  acc = u64(acc + BigInt(bytes.length));
  for (; at + 8 <= bytes.length; at += 8)
    acc = u64(rotl(acc ^ round(0n, view.getBigUint64(at, true)), 27n) * p1 + p4);
  for (; at + 4 <= bytes.length; at += 4)
    acc = u64(rotl(acc ^ u64(BigInt(view.getUint32(at, true)) * p1), 23n) * p2 + p3);
  for (; at < bytes.length; at++) acc = u64(rotl(acc ^ u64(BigInt(bytes[at] ?? 0) * p5), 11n) * p1);
  acc = u64((acc ^ (acc >> 33n)) * p2);
  acc = u64((acc ^ (acc >> 29n)) * p3);
  return acc ^ (acc >> 32n);
}
