// Who may send when, with clients that send as soon as they may.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SendBudget } from './send-budget.ts';

function budget(maxBytes: number) {
  const timers: (() => void)[] = [];
  const log: string[] = [];
  const made = new SendBudget({ maxBytes, later: (run) => void timers.push(run) });
  /** A client that sends so many bytes as soon as it may; tells the way to give them back. */
  const client = (name: string, bytes: number) => {
    let giveBack = (): void => {};
    const send = (): void => {
      if (!made.hasRoom(send)) return;
      log.push(name);
      giveBack = made.take(bytes);
    };
    send();
    return { written: () => giveBack(), leave: () => made.leave(send) };
  };
  const runTimers = (): void => {
    for (const run of timers.splice(0)) run();
  };
  return { client, log, runTimers };
}

test('clients wait for room, and go on in turn', () => {
  const { client, log } = budget(10);
  const a = client('a', 6);
  const b = client('b', 6);
  client('c', 1);
  client('d', 9);
  client('e', 1);
  assert.deepEqual(log, ['a', 'b']);
  a.written();
  assert.deepEqual(log, ['a', 'b', 'c', 'd']);
  // Bytes are given back once.
  a.written();
  assert.deepEqual(log, ['a', 'b', 'c', 'd']);
  b.written();
  assert.deepEqual(log, ['a', 'b', 'c', 'd']);
});

test('a response larger than the budget goes alone', () => {
  const { client, log } = budget(10);
  const a = client('a', 100);
  client('b', 100);
  assert.deepEqual(log, ['a']);
  a.written();
  assert.deepEqual(log, ['a', 'b']);
});

test('a client that does not read holds up the others for a while only', () => {
  const { client, log, runTimers } = budget(10);
  const stuck = client('stuck', 10);
  client('b', 10);
  client('c', 10);
  runTimers();
  assert.deepEqual(log, ['stuck', 'b']);
  stuck.written();
  assert.deepEqual(log, ['stuck', 'b'], 'what was written off is not given back');
  runTimers();
  assert.deepEqual(log, ['stuck', 'b', 'c']);
});

test('a client that left does not go on', () => {
  const { client, log } = budget(1);
  const a = client('a', 1);
  client('b', 1).leave();
  a.written();
  assert.deepEqual(log, ['a']);
});
