// What only the incremental protocol has; the rest is in ../session.test.ts.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Exchange } from '../testing/exchange.ts';

function bench(): Exchange {
  return new Exchange('delta');
}

test('a response holds what changed and nothing else', () => {
  const b = bench();
  b.set({ cluster: { a: 'a1', b: 'b1' } });
  b.ask('cluster');
  b.set({ cluster: { b: 'b2' } });
  assert.deepEqual(b.last('cluster').names, ['b']);
});

test('a name that there is not is said to be removed, once', () => {
  const b = bench();
  b.ask('route', { subscribe: ['ghost'] });
  assert.deepEqual(b.take(), ['route -ghost']);
  b.accept('route');
  b.set({ route: { other: 'o1' } });
  assert.deepEqual(b.take(), []);
  b.set({ route: { ghost: 'g1' } });
  assert.deepEqual(b.take(), ['route +g1']);
});

test('a client that comes back is sent what changed meanwhile, and told what is gone', () => {
  const b = bench();
  b.set({ cluster: { a: 'a1', b: 'b2', d: 'd1' }, listener: { l: 'l1' }, route: { r: 'r1' } });
  b.keep('cluster', { a: 'a1', b: 'b1', c: 'c1' });
  b.keep('listener', { l: 'l1' });
  b.keep('route', { r: 'r0' });
  b.ask('cluster', { has: { a: 'a1', b: 'b1', c: 'c1' } });
  assert.deepEqual(b.take(), ['cluster ~b2 +d1']);
  b.accept('cluster');
  b.ask('listener', { has: { l: 'l1' } });
  assert.deepEqual(b.take(), []);
  b.ask('route', { subscribe: ['r'], has: { r: 'r0' } });
  assert.deepEqual(b.take(), ['route ~r1']);
  b.accept('route');
  assert.deepEqual(b.take(), ['cluster -c']);
});

test('a client that comes back to the same is sent nothing', () => {
  const b = bench();
  b.set({ cluster: { a: 'a1' }, endpoint: { a: 'e1' } });
  b.keep('cluster', { a: 'a1' });
  b.ask('cluster', { has: { a: 'a1' } });
  b.ask('endpoint', { subscribe: ['a'], has: { a: 'e1' } });
  assert.deepEqual(b.take(), []);
  b.set({ endpoint: { a: 'e2' } });
  assert.deepEqual(b.last('endpoint').names, ['a']);
});

test('a client that comes back without routes is told what is gone after a while', () => {
  const b = bench();
  b.keep('cluster', { c: 'c1' });
  b.ask('cluster', { has: { c: 'c1' } });
  assert.deepEqual(b.take(), []);
  b.runOutOfPatience();
  assert.deepEqual(b.take(), ['cluster -c']);
});

test('everything given up leaves the names', () => {
  const b = bench();
  b.set({ cluster: { a: 'a1', b: 'b1' } });
  b.ask('cluster', { subscribe: ['*', 'a'] });
  b.accept('cluster');
  b.ask('cluster', { unsubscribe: ['*'] });
  b.take();
  b.set({ cluster: { a: 'a2', b: 'b2' } });
  assert.deepEqual(b.last('cluster').names, ['a']);
});

test('a name added to everything, and given up again, is still part of everything', () => {
  const b = bench();
  b.set({ cluster: { a: 'a1', 'unlisted-x': 'x1' } });
  b.ask('cluster');
  b.accept('cluster');
  b.ask('cluster', { subscribe: ['a', 'unlisted-x'] });
  assert.deepEqual(b.last('cluster').names, ['a', 'unlisted-x']);
  b.accept('cluster');
  b.take();
  b.ask('cluster', { unsubscribe: ['a', 'unlisted-x'] });
  assert.deepEqual(b.take(), ['cluster !a1 -unlisted-x']);
});

test('each response is answered for itself', () => {
  const b = bench();
  b.set({ route: { r: 'r1', s: 's1' } });
  b.ask('route', { subscribe: ['r', 's'] });
  const first = b.last('route').nonce;
  b.set({ route: { r: 'bad' } });
  const second = b.last('route').nonce;
  b.ask('route', { nonce: second, refuse: 'r: bad' });
  assert.equal(b.session.settled, false);
  b.ask('route', { nonce: first });
  assert.deepEqual([b.events, b.session.settled], [['refused route r: r: bad', 'acknowledged route'], true]);
});

test('one refused resource keeps the others in force', () => {
  const b = bench();
  b.set({ route: { r: 'bad', s: 's1' } });
  b.ask('route', { subscribe: ['r', 's'] });
  b.refuse('route', 'r: bad');
  b.take();
  b.set({ route: { s: 's2' } });
  assert.deepEqual(b.take(), ['route ~s2']);
});

test('an answer that also subscribes does both', () => {
  const b = bench();
  b.set({ endpoint: { a: 'a1', b: 'b1' } });
  b.ask('endpoint', { subscribe: ['a'] });
  b.ask('endpoint', { subscribe: ['b'], nonce: b.last('endpoint').nonce });
  assert.deepEqual([b.events, b.take()], [['acknowledged endpoint'], ['endpoint +a1', 'endpoint +b1']]);
});
