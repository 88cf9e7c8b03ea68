// How load spreads over priorities: health with overprovisioning, spill-over, panic.
// https://www.envoyproxy.io/docs/envoy/latest/intro/arch_overview/upstream/load_balancing/priority

/** Numbers (or weights, with weighted_priority_health) of one priority's hosts. */
export interface Availability {
  /** With those that are draining. */
  readonly all: number;
  /** Without them. */
  readonly total: number;
  readonly healthy: number;
  readonly degraded: number;
}

export interface PriorityLoads {
  /** Percent by priority; all of both lists together is 100. */
  readonly healthy: readonly number[];
  readonly degraded: readonly number[];
  /** By priority: too few usable hosts, use all of them. */
  readonly panic: readonly boolean[];
}

interface LoadOptions {
  readonly overprovisioning: number;
  readonly panicThreshold: number;
}

export function priorityLoads(priorities: readonly Availability[], options: LoadOptions): PriorityLoads {
  const healthy = priorities.map((p) => share(p.healthy, p.total, options.overprovisioning));
  const degraded = priorities.map((p) => share(p.degraded, p.total, options.overprovisioning));
  const available = Math.min(100, sum(healthy) + sum(degraded));
  // With enough availability over all priorities no single one panics.
  const panic = priorities.map((p) => available < 100 && inPanic(p, options.panicThreshold));
  if (panic.length > 0 && panic.every(Boolean))
    return { healthy: byHostCount(priorities), degraded: priorities.map(() => 0), panic };
  if (available === 0)
    return {
      healthy: priorities.map((_, i) => (i === 0 ? 100 : 0)),
      degraded: priorities.map(() => 0),
      panic,
    };
  const first = distribute(healthy, available, 100);
  const second = distribute(degraded, available, first.left);
  return {
    healthy: withRemainder(first.loads, healthy, second.left),
    degraded: withRemainder(second.loads, sum(healthy) > 0 ? [] : degraded, second.left),
    panic,
  };
}

function share(part: number, total: number, overprovisioning: number): number {
  return total === 0 ? 0 : Math.min(100, Math.floor((overprovisioning * part) / total));
}

function distribute(
  availability: readonly number[],
  available: number,
  load: number,
): { loads: number[]; left: number } {
  let left = load;
  const loads = availability.map((percent) => {
    const own = Math.min(left, Math.floor((percent * 100) / available));
    left -= own;
    return own;
  });
  return { loads, left };
}

// What integer division left over goes to the first priority that takes part.
function withRemainder(
  loads: readonly number[],
  availability: readonly number[],
  left: number,
): readonly number[] {
  const first = availability.findIndex((percent) => percent > 0);
  return first < 0 || left === 0 ? loads : loads.map((load, i) => (i === first ? load + left : load));
}

function inPanic(priority: Availability, threshold: number): boolean {
  const usable = priority.total === 0 ? 0 : (100 * (priority.healthy + priority.degraded)) / priority.total;
  return usable < Math.min(100, threshold);
}

function byHostCount(priorities: readonly Availability[]): readonly number[] {
  const total = sum(priorities.map((p) => p.all));
  if (total === 0) return priorities.map((_, i) => (i === 0 ? 100 : 0));
  const loads = priorities.map((p) => Math.floor((100 * p.all) / total));
  return withRemainder(
    loads,
    priorities.map((p) => p.all),
    100 - sum(loads),
  );
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
