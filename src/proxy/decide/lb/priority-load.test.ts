// Figures from Envoy's documentation of priority levels and of panic.
// https://www.envoyproxy.io/docs/envoy/latest/intro/arch_overview/upstream/load_balancing/priority
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { priorityLoads } from './priority-load.ts';

/** Percent healthy of 100 hosts by priority. */
function check(
  healthy: readonly number[],
  expected: readonly number[],
  panic: readonly boolean[],
  panicThreshold = 50,
): void {
  const loads = priorityLoads(
    healthy.map((count) => ({ all: 100, total: 100, healthy: count, degraded: 0 })),
    { overprovisioning: 140, panicThreshold },
  );
  assert.deepEqual(loads, { healthy: expected, degraded: healthy.map(() => 0), panic });
}

test('spill-over', () => {
  check([100, 100], [100, 0], [false, false]);
  check([72, 100], [100, 0], [false, false]);
  check([71, 100], [99, 1], [false, false]);
  check([50, 100], [70, 30], [false, false]);
  check([25, 100], [35, 65], [false, false]);
  check([0, 100], [0, 100], [false, false]);
  check([25, 25, 100], [35, 35, 30], [false, false, false]);
});

test('panic', () => {
  check([72, 72, 100], [100, 0, 0], [false, false, false]);
  check([71, 0], [100, 0], [false, true]);
  check([25, 25], [50, 50], [true, true]);
  check([5, 0], [50, 50], [true, true]);
  check([5, 0], [100, 0], [false, false], 0);
  check([0, 0], [100, 0], [false, false], 0);
  check([], [], []);
});

test('degraded hosts come after healthy ones of every priority', () => {
  const loads = priorityLoads(
    [
      { all: 4, total: 4, healthy: 1, degraded: 1 },
      { all: 4, total: 4, healthy: 1, degraded: 0 },
    ],
    { overprovisioning: 140, panicThreshold: 0 },
  );
  assert.deepEqual(
    [loads.healthy, loads.degraded],
    [
      [35, 35],
      [30, 0],
    ],
  );
});

test('hosts that are draining do not count, but serve when there are no others', () => {
  const of = (all: number, total: number, healthy: number) => ({ all, total, healthy, degraded: 0 });
  const loads = (...priorities: ReturnType<typeof of>[]) =>
    priorityLoads(priorities, { overprovisioning: 140, panicThreshold: 50 });
  assert.deepEqual(loads(of(10, 2, 2), of(10, 10, 10)), {
    healthy: [100, 0],
    degraded: [0, 0],
    panic: [false, false],
  });
  assert.deepEqual(loads(of(10, 10, 2), of(10, 10, 10)), {
    healthy: [28, 72],
    degraded: [0, 0],
    panic: [false, false],
  });
  assert.deepEqual(loads(of(4, 0, 0), of(10, 10, 10)).healthy, [0, 100]);
  assert.deepEqual(loads(of(3, 0, 0), of(1, 0, 0)), {
    healthy: [75, 25],
    degraded: [0, 0],
    panic: [true, true],
  });
});

test('loads always add up to 100', () => {
  const one = fc
    .record({ draining: fc.nat(5), total: fc.nat(20), healthy: fc.nat(20), degraded: fc.nat(20) })
    .map(({ draining, total, healthy, degraded }) => {
      const counted = total + healthy + degraded;
      return { all: counted + draining, total: counted, healthy, degraded };
    });
  fc.assert(
    fc.property(
      fc.array(one, { minLength: 1, maxLength: 5 }),
      fc.constantFrom(0, 50, 100),
      (priorities, panicThreshold) => {
        const { healthy, degraded } = priorityLoads(priorities, { overprovisioning: 140, panicThreshold });
        assert.equal(
          [...healthy, ...degraded].reduce((sum, load) => sum + load, 0),
          100,
        );
      },
    ),
    { seed: 1 },
  );
});
