import assert from 'node:assert/strict';
import { test } from 'node:test';
import { judge, type Run, updated } from './baseline.ts';

const set = (...names: string[]): ReadonlySet<string> => new Set(names);
const run: Run = {
  known: set('a', 'b', 'c', 'd'),
  selected: set('a', 'b', 'c'),
  passed: set('a'),
  failed: set('b'),
};

test('a run is judged by what should pass', () => {
  assert.deepEqual(judge(['b', 'c', 'd', 'x'], run), {
    broken: ['b'],
    unrun: ['c'],
    added: ['a'],
    gone: ['x'],
  });
  assert.deepEqual(judge(['a'], run), { broken: [], unrun: [], added: [], gone: [] });
});

test('an update replaces what was selected and keeps the rest', () => {
  assert.deepEqual(updated(['b', 'c', 'd', 'x'], run), ['a', 'd']);
});
