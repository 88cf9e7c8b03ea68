import assert from 'node:assert/strict';
import { mock, test } from 'node:test';
import { systemClock } from './clock.ts';
import { FakeClock } from './fake-clock.ts';

function withTimers(run: () => void): void {
  mock.timers.enable({ apis: ['setTimeout'] });
  try {
    run();
  } finally {
    mock.timers.reset();
  }
}

// A timer of Node.js with more milliseconds than it holds fires at once.
test('a wait that no timer holds is a long one', () =>
  withTimers(() => {
    let fired = 0;
    systemClock.after(3e9, () => fired++);
    mock.timers.tick(1e9);
    assert.equal(fired, 0);
  }));

test('the fake clock calls what is due in its order, at its time, and once', () => {
  const clock = new FakeClock();
  const seen: string[] = [];
  const note = (name: string) => () => void seen.push(`${name} ${clock.now()}`);
  clock.after(20, note('b'));
  const first = clock.after(10, note('a'));
  const late = clock.after(30, note('c'));
  clock.after(5, note('closed')).close();
  clock.after(15, () => clock.after(1, note('within')));
  clock.advance(25);
  late.refresh();
  clock.advance(29);
  first.refresh();
  clock.advance(10);
  assert.deepEqual(seen, ['a 10', 'within 16', 'b 20', 'c 55', 'a 64']);
});
