// What only the state-of-the-world protocol has; the rest is in ../session.test.ts.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Exchange } from '../testing/exchange.ts';

test('a response of clusters holds all of them, with those that are about to leave', () => {
  const bench = new Exchange('sotw');
  bench.set({ cluster: { a: 'a1', b: 'b1' }, listener: { l: 'l1' } });
  bench.ask('cluster');
  bench.ask('listener');
  bench.accept('cluster', 'listener');
  bench.set({ cluster: { a: undefined, c: 'c1' }, listener: { l: 'l2' } });
  assert.deepEqual(bench.last('cluster').names, ['b', 'c', 'a']);
  bench.accept('cluster', 'listener');
  assert.deepEqual(bench.last('cluster').names, ['b', 'c']);
});

test('clusters asked for by name come all together, since what a response lacks does not exist', () => {
  const bench = new Exchange('sotw');
  bench.set({ cluster: { a: 'a1', b: 'b1', c: 'c1' } });
  bench.ask('cluster', { subscribe: ['a', 'b', 'ghost'] });
  bench.accept('cluster');
  bench.set({ cluster: { b: 'b2', c: 'c2' } });
  assert.deepEqual(bench.last('cluster').names, ['a', 'b']);
});

test('an answer to an older response is passed over', () => {
  const bench = new Exchange('sotw');
  bench.set({ cluster: { a: 'a1' } });
  bench.ask('cluster');
  const { nonce } = bench.last('cluster');
  bench.set({ cluster: { a: 'a2' } });
  bench.take();
  bench.ask('cluster', { nonce, refuse: 'late' });
  assert.deepEqual([bench.events, bench.take()], [[], []]);
});

test('asking again for what was accepted gets it again, as a client that warms a cluster anew needs', () => {
  const bench = new Exchange('sotw');
  bench.set({ endpoint: { a: 'a1' } });
  bench.ask('endpoint', { subscribe: ['a'] });
  bench.accept('endpoint');
  bench.accept('endpoint');
  assert.deepEqual(bench.take(), ['endpoint +a1', 'endpoint !a1']);
  assert.deepEqual(bench.events, ['acknowledged endpoint']);
});
