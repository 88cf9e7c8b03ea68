import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { TupleMap } from './tuple-map.ts';

type Key = readonly (string | number)[];

const keys = fc.array(fc.oneof(fc.constantFrom('a', 'b', '1'), fc.constantFrom(1, 2)), { maxLength: 3 });

test('it holds what a map by the text of the tuple holds', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(keys, fc.nat(9))), fc.nat(9), (entries, limit) => {
      const map = new TupleMap<Key, number>();
      const model = new Map<string, number>();
      for (const [key, value] of entries) {
        map.set(key, value);
        model.set(JSON.stringify(key), value);
      }
      assert.equal(map.size, model.size);
      const doomed = [...model].filter(([, value]) => value > limit);
      assert.equal(
        map.deleteWhere((value) => value > limit),
        doomed.length,
      );
      for (const [text] of doomed) model.delete(text);
      assert.equal(map.size, model.size);
      for (const [key] of entries) assert.equal(map.get(key), model.get(JSON.stringify(key)));
    }),
  );
});

test('objects are told apart by identity', () => {
  const map = new TupleMap<readonly [object, string], string>();
  const [one, other] = [{ a: 1 }, { a: 1 }];
  map.set([one, 'x'], 'one');
  assert.equal(map.get([one, 'x']), 'one');
  assert.equal(map.get([other, 'x']), undefined);
});
