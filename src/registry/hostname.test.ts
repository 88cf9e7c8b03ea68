import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { covers, isWildcard, overlaps, resolveHost, wildcardsOver } from './hostname.ts';

test('short names are completed with the namespace of the resource, others stay', () => {
  const complete = (host: string): string => resolveHost(host, 'shop', 'cluster.local');
  assert.equal(complete('cart'), 'cart.shop.svc.cluster.local');
  assert.equal(resolveHost('cart', 'shop', ''), 'cart.shop');
  for (const host of ['cart.prod', '*', '*.example.com', '10.0.0.1', '2001:db8::1', ''])
    assert.equal(complete(host), host);
});

const pairs: readonly (readonly [string, string, boolean])[] = [
  ['*', 'a.b', true],
  ['*.b', 'a.b', true],
  ['*.b', 'x.a.b', true],
  ['*.b', 'b', false],
  ['*.b', '*.a.b', true],
  ['*.a.b', '*.b', false],
  ['a.b', 'a.b', true],
  ['a.b', '*.b', false],
  ['*.b', 'ab', false],
];
for (const [outer, inner, expected] of pairs)
  test(`${outer} ${expected ? 'covers' : 'does not cover'} ${inner}`, () =>
    assert.equal(covers(outer, inner), expected));

const label = fc.stringMatching(/^[a-z]{1,2}$/);
const name = fc.array(label, { minLength: 1, maxLength: 4 }).map((labels) => labels.join('.'));
const pattern = fc.oneof(
  name,
  name.map((host) => `*.${host}`),
  fc.constant('*'),
);

test('the wildcards over a host are those that cover it, most specific first', () => {
  fc.assert(
    fc.property(name, pattern, (host, candidate) => {
      const over = wildcardsOver(host, []);
      if (isWildcard(candidate)) assert.equal(over.includes(candidate), covers(candidate, host));
      for (let i = 1; i < over.length; i++) assert.ok(covers(over[i] ?? '', over[i - 1] ?? ''));
    }),
  );
});

test('covering is transitive, and overlap is covering in one direction', () => {
  fc.assert(
    fc.property(pattern, pattern, pattern, (a, b, c) => {
      if (covers(a, b) && covers(b, c)) assert.ok(covers(a, c));
      assert.equal(overlaps(a, b), covers(a, b) || covers(b, a));
    }),
  );
});

test('wildcards over a part of a label stand between the others, by length', () => {
  const partial = ['*-api.example.com', '*i.example.com', '*other.com'];
  assert.deepEqual(wildcardsOver('a-api.example.com', partial), [
    '*-api.example.com',
    '*i.example.com',
    '*.example.com',
    '*.com',
    '*',
  ]);
});
