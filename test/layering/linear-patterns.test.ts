// No regular expression of the product takes exponential time over a text that somebody else wrote.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { readSources } from './source-files.ts';
import { patternsIn, starHeight } from './star-height.ts';

for (const [pattern, height] of [
  ['abc', 0],
  ['a+b*', 1],
  ['(?:a|b)+', 1],
  ['(?:a+b?)*', 2],
  ['(?:[ab]+(?:,c)*)+', 2],
  ['\\(a+\\)*', 1],
  ['[(a+)*]+', 1],
  ['((a{2,})+)*', 3],
  ['(?:a{2})+', 1],
] as const)
  test(`${pattern} repeats ${height} deep`, () => assert.equal(starHeight(pattern), height));

test('patterns are found in source', () => {
  assert.deepEqual(patternsIn('const a = /x+/g; f(/[/]y/, b / c / d);\n  // of /z*/\n  return /q/;'), [
    'x+',
    '[/]y',
    'q',
  ]);
});

/** Repetitions inside repetitions that no two ways of reading share, each looked at. */
const known: Readonly<Record<string, string>> = {
  '%[A-Z0-9_]+(?:\\((?:[^%()]|\\([^%()]*\\)|%)*\\))?(?::\\d+)?%':
    'what is repeated inside stands between brackets that nothing else may begin with',
  '\\b[A-Z]\\w*(\\.\\w+)+\\b|\\b[a-z]+(_[a-z0-9]+)+\\b':
    'parts are kept apart by a dot or an underscore; read over our own text only',
};

test('no pattern repeats what repeats itself', () => {
  const root = join(import.meta.dirname, '..', '..', 'src');
  const deep = readSources(root)
    .filter(({ isTest }) => !isTest)
    .flatMap(({ path, code }) => patternsIn(code).map((pattern) => ({ path, pattern })))
    .filter(({ pattern }) => starHeight(pattern) > 1 && !(pattern in known))
    .map(({ path, pattern }) => `${path}: ${pattern}`);
  assert.deepEqual(deep, []);
});
