import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Headers } from './headers.ts';
import { connectionWishes } from './hop-by-hop.ts';

test('what fields of a connection ask for, in however many lines', () => {
  const usual = { close: false, keepAlive: false, upgrade: undefined, valid: true };
  const cases: readonly [lines: readonly string[], wishes: object, left: readonly string[]][] = [
    [[], usual, ['x']],
    [['keep-alive'], { ...usual, keepAlive: true }, ['x']],
    [['Keep-Alive'], { ...usual, keepAlive: true }, ['x']],
    [['keep-alive', 'x'], { ...usual, keepAlive: true }, []],
    [['keep-alive', 'keep-alive, close'], { ...usual, keepAlive: true, close: true }, ['x']],
    [['close'], { ...usual, close: true }, ['x']],
    [['x-forwarded-for'], { ...usual, valid: false }, ['x']],
  ];
  for (const [lines, wishes, left] of cases) {
    const headers = new Headers(['x', '1', ...lines.flatMap((line) => ['connection', line])]);
    assert.deepEqual(connectionWishes(headers), wishes, lines.join(' | '));
    assert.deepEqual(
      headers.list.filter((name, i) => i % 2 === 0 && name !== 'connection'),
      left,
      lines.join(' | '),
    );
  }
});
