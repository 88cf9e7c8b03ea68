// The limits of time of a request, by themselves.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock } from '../../net/fake-clock.ts';
import { type ClockLimits, StreamClocks } from './stream-clocks.ts';

type Event = number | 'touch' | 'complete' | 'stop' | { readonly idle?: number; readonly duration?: number };

/** Numbers let time pass; returns what lapsed and when. */
function lapses(limits: Partial<ClockLimits>, events: readonly Event[]): readonly string[] {
  const clock = new FakeClock();
  const seen: string[] = [];
  const all = { idle: 0, request: 0, duration: 0, ...limits };
  const clocks = new StreamClocks(all, clock, (lapse) => seen.push(`${lapse} ${clock.now()}`));
  for (const event of events) {
    if (typeof event === 'number') clock.advance(event);
    else if (event === 'touch') clocks.touch();
    else if (event === 'complete') clocks.requestComplete();
    else if (event === 'stop') clocks.stop();
    else clocks.override(event.idle, event.duration);
  }
  assert.ok(clock.running.size <= 3);
  return seen;
}

const cases: readonly [string, Partial<ClockLimits>, readonly Event[], readonly string[]][] = [
  ['no limits', {}, [1e9], []],
  ['idle', { idle: 100 }, [100], ['idle 100']],
  ['not idle', { idle: 100 }, [99, 'touch', 99, 'touch', 99], []],
  ['idle after all', { idle: 100 }, [99, 'touch', 100], ['idle 199']],
  [
    'a request that takes too long, though something passes',
    { request: 100 },
    [99, 'touch', 1],
    ['request 100'],
  ],
  ['a request that is complete in time', { request: 100 }, [99, 'complete', 1000], []],
  ['a stream that lasts too long', { duration: 100 }, [50, 'touch', 'complete', 50], ['duration 100']],
  [
    'whatever comes first',
    { idle: 30, request: 20, duration: 25 },
    [100],
    ['request 20', 'duration 25', 'idle 30'],
  ],
  ['none after the end', { idle: 30, request: 20, duration: 25 }, [19, 'stop', 1000], []],
  [
    'another idleness, from the time at which it is known',
    { idle: 100 },
    [90, { idle: 20 }, 20],
    ['idle 110'],
  ],
  ['no idleness any more', { idle: 100 }, [90, { idle: 0 }, 1000], []],
  ['idleness where there was no limit', {}, [90, { idle: 20 }, 20], ['idle 110']],
  ['another duration, from the beginning', { duration: 1000 }, [90, { duration: 100 }, 10], ['duration 100']],
  ['a duration that is over already', { duration: 1000 }, [90, { duration: 50 }, 1], ['duration 91']],
  ['no duration any more', { duration: 100 }, [90, { duration: 0 }, 1000], []],
  ['what is not said stays', { idle: 100, duration: 200 }, [50, {}, 150], ['idle 100', 'duration 200']],
];

for (const [name, limits, events, expected] of cases)
  test(name, () => assert.deepEqual(lapses(limits, events), expected));
