import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PathRules } from '../../plan/http/manager-plan.ts';
import { normalizePath } from './normalize-path.ts';

const base: PathRules = { normalize: true, mergeSlashes: false, escapedSlashes: 'keep' };

const cases: readonly (readonly [rules: Partial<PathRules>, path: string, expected: string])[] = [
  [{}, '/a/b', '/a/b'],
  [{}, '/a/./b/../c', '/a/c'],
  [{}, '/a/%2e%2E/b', '/b'],
  [{}, '/..', '/'],
  [{}, '/a/..', '/'],
  [{}, '/a/.', '/a/'],
  [{}, '/../../etc', '/etc'],
  [{}, '/a//b', '/a//b'],
  [{}, '/a\\b', '/a/b'],
  [{}, '/a\\..\\b', '/b'],
  [{}, '/%41%7e%2D', '/A~-'],
  [{}, '/a%2Fb', '/a%2Fb'],
  [{}, '/a%5cb', '/a%5cb'],
  [{}, '/a%00b', 'reject'],
  [{}, '/a/../b?x=/../y', '/b?x=/../y'],
  [{}, '/.hidden/..file', '/.hidden/..file'],
  [{}, '/a;b/c', '/a;b/c'],
  [{}, '/x/..;/admin', '/admin'],
  [{}, '/x/..;a=b;c/admin', '/admin'],
  [{}, '/x/.;a/y', '/x/y'],
  [{}, '/x/..;', '/'],
  [{}, '/x/%2e%2e;/y', '/x/..;/y'],
  [{}, '/x/...;/y', '/x/...;/y'],
  [{}, '/x/..;\\y', '/'],
  [{ normalize: false }, '/x/..;/y', '/x/..;/y'],
  [{}, '/a"<>^`{|}b?"<>', '/a%22%3C%3E%5E%60%7B%7C%7Db?"<>'],
  [{}, '/\xc3\xa9', '/%C3%A9'],
  [{ mergeSlashes: true }, '//a///b/', '/a/b/'],
  [{ escapedSlashes: 'forward' }, '/a%2Fb', '/a/b'],
  [{ escapedSlashes: 'forward' }, '/a%2f..%2fb', '/b'],
  [{ normalize: false }, '/a/../b', '/a/../b'],
  [{ escapedSlashes: 'reject' }, '/a%2Fb', 'reject'],
  [{ escapedSlashes: 'redirect' }, '/a%2Fb?q', 'redirect /a/b?q'],
];

for (const [rules, path, expected] of cases)
  test(`${path} with ${JSON.stringify(rules)}`, () => {
    const outcome = normalizePath(path, { ...base, ...rules });
    assert.equal(outcome.kind === 'ok' ? outcome.path : Object.values(outcome).join(' '), expected);
  });

test('a long segment with something to change behind it takes no longer than its length', () => {
  const path = `/${'a'.repeat(50_000)}%2e"`;
  const since = performance.now();
  assert.deepEqual(normalizePath(path, { normalize: true, mergeSlashes: false, escapedSlashes: 'keep' }), {
    kind: 'ok',
    path: `/${'a'.repeat(50_000)}.%22`,
  });
  assert.ok(performance.now() - since < 1000);
});
