// Several listeners, one of which may throw.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EventStream } from './event-stream.ts';

const failed = 'a listener failed';
const stream = (): EventStream<string> =>
  new EventStream((_error, event) => (event === failed ? undefined : failed));

test('every listener is told until it leaves', () => {
  const events = stream();
  const [first, second]: [string[], string[]] = [[], []];
  const leave = events.subscribe((event) => first.push(event));
  events.subscribe((event) => second.push(event));
  events.emit('one');
  leave();
  leave();
  events.emit('two');
  assert.deepEqual([first, second], [['one'], ['one', 'two']]);
});

test('the same function may listen twice', () => {
  const events = stream();
  let calls = 0;
  const listener = (): void => void calls++;
  events.subscribe(listener)();
  events.subscribe(listener);
  const leave = events.subscribe(listener);
  events.emit('one');
  leave();
  events.emit('two');
  assert.equal(calls, 3);
});

test('one that throws is told to the others, and keeps nobody from an event', () => {
  const events = stream();
  const told: string[] = [];
  const broken = (): never => {
    throw new Error('broken');
  };
  events.subscribe(broken);
  events.subscribe((event) => told.push(event));
  events.subscribe(broken);
  events.emit('one');
  assert.deepEqual(told, [failed, 'one', failed]);
});

test('a listener that leaves while it is told does not disturb the others', () => {
  const events = stream();
  const told: string[] = [];
  const leave = events.subscribe(() => leave());
  events.subscribe((event) => told.push(event));
  events.emit('one');
  assert.deepEqual(told, ['one']);
});
