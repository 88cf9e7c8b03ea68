// A set that is shared must not show what one client does to it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NameSet, SharedNameSets } from './name-set.ts';

const many = Array.from({ length: 100 }, (_, i) => `n${i}`);

function setOf(names: readonly string[], sets: SharedNameSets): NameSet {
  const set = new NameSet();
  for (const name of names) assert.ok(set.add(name));
  set.share(sets);
  return set;
}

test('what one client adds or gives up, the others do not see', () => {
  const sets = new SharedNameSets();
  const [a, b] = [setOf(many, sets), setOf(many.toReversed(), sets)];
  assert.deepEqual([a.add('n1'), a.add('new'), a.delete('n2'), a.delete('n2')], [false, true, true, false]);
  assert.deepEqual([a.has('new'), a.has('n2'), a.size], [true, false, 100]);
  assert.deepEqual([b.has('new'), b.has('n2'), [...b].sort()], [false, true, many.toSorted()]);
});

test('equal sets are one set, others are not', () => {
  const sets = new SharedNameSets();
  const kept = new Set(many);
  assert.equal(sets.equalTo(kept), kept);
  assert.equal(sets.equalTo(new Set(many.toReversed())), kept);
  assert.notEqual(sets.equalTo(new Set([...many.slice(1), 'other'])), kept);
  assert.equal(sets.equalTo(new Set(many)), kept);
});
