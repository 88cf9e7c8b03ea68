import assert from 'node:assert/strict';
import { mock, test } from 'node:test';
import { H2Overhead } from './h2-overhead.ts';

interface Traffic {
  readonly read: number;
  readonly written?: number;
  readonly unread?: number;
  /** Bytes of bodies, in pieces of 1,000. */
  readonly bodies?: number;
  readonly heads?: number;
}

function isLetGo({ read, written = 0, unread = 0, bodies = 0, heads = 0 }: Traffic): boolean {
  mock.timers.enable({ apis: ['setTimeout'] });
  let gone = false;
  const overhead = new H2Overhead(
    { bytesRead: read, bytesWritten: written },
    () => unread,
    () => (gone = true),
  );
  for (let i = 0; i < bodies; i += 1000) overhead.data(1000);
  for (let i = 0; i < heads; i++) overhead.head([':method', 'GET', ':path', '/', 'cookie', 'x'.repeat(1000)]);
  mock.timers.tick(50);
  overhead.stop();
  // The last look, after which there is no timer.
  mock.timers.tick(500);
  mock.timers.reset();
  return gone;
}

const cases: readonly [name: string, traffic: Traffic, letGo: boolean][] = [
  ['a little of anything', { read: 60_000 }, false],
  ['frames and nothing else', { read: 200_000 }, true],
  ['bodies', { read: 10_090_000, bodies: 10_000_000 }, false],
  ['bodies that nobody has read yet', { read: 5_000_000, unread: 5_000_000 }, false],
  ['requests with large heads', { read: 1_000_000, heads: 1000 }, false],
  ['window updates for what was sent', { read: 2_000_000, written: 10_000_000 }, false],
  ['window updates for much less', { read: 2_000_000, written: 1_000_000 }, true],
  ['frames beside bodies', { read: 10_500_000, bodies: 10_000_000 }, true],
];

for (const [name, traffic, letGo] of cases) test(name, () => assert.equal(isLetGo(traffic), letGo));
