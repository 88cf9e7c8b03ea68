import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Interner } from './interner.ts';

test('equal values are one object, others are not', () => {
  const interner = new Interner<{ readonly a: number; readonly b?: readonly string[] }>();
  const first = interner.intern({ a: 1, b: ['x'] });
  assert.equal(interner.intern({ a: 1, b: ['x'] }), first);
  assert.notEqual(interner.intern({ a: 1, b: ['y'] }), first);
  assert.notEqual(interner.intern({ a: 1 }), first);
  assert.equal(interner.size, 3);
});

test('what makes two values equal can be said', () => {
  const interner = new Interner<{ readonly name: string }>(({ name }) => name.toLowerCase());
  assert.equal(interner.intern({ name: 'A' }), interner.intern({ name: 'a' }));
});

test('what is held stays the same object over a sweep', () => {
  const interner = new Interner<{ readonly a: number }>();
  const held = interner.intern({ a: 1 });
  interner.sweep();
  assert.equal(interner.intern({ a: 1 }), held);
});
