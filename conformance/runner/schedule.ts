// Runs cases on several workers at once, and those that fail once more, alone: a busy machine must not decide
// about a case.
import type { Case } from './case.ts';
import type { Observed, Source, Worker } from './worker.ts';

export interface Result extends Observed {
  readonly case: Case;
  readonly attempts: number;
}

export interface ScheduleOptions {
  readonly workers: readonly Worker[];
  readonly sourceOf: (one: Case) => Source;
  readonly onResult: (result: Result) => void;
}

/** Every case that ran, in the order given; a case that could not be run is a failed one and says why. */
export async function runAll(
  cases: readonly Case[],
  { workers, sourceOf, onResult }: ScheduleOptions,
): Promise<readonly Result[]> {
  const results = new Map<string, Result>();
  const run = async (worker: Worker, one: Case, attempts: number): Promise<void> => {
    const result = { ...(await observe(worker, one, sourceOf(one))), case: one, attempts };
    results.set(one.name, result);
    if (result.differences.length === 0 || attempts > 1) onResult(result);
  };
  const waiting = [...cases].sort((a, b) => weight(b) - weight(a));
  await Promise.all(
    workers.map(async (worker) => {
      for (let next = waiting.shift(); next; next = waiting.shift()) await run(worker, next, 1);
    }),
  );
  const [first] = workers;
  if (first)
    for (const { case: one, differences } of [...results.values()])
      if (differences.length > 0) await run(first, one, 2);
  return cases.flatMap((one) => results.get(one.name) ?? []);
}

async function observe(worker: Worker, one: Case, source: Source): Promise<Observed> {
  try {
    return await worker.run(one, source);
  } catch (error) {
    const why = error instanceof Error ? (error.stack ?? error.message) : String(error);
    return { differences: [`the case broke off: ${why}`], outcomes: [], findings: [], log: '', ms: 0 };
  }
}

/** Long cases first, so that none is left over at the end: the time that the case itself says it takes. */
function weight(one: Case): number {
  return one.requests.reduce((sum, request) => {
    const count = Math.ceil((request.count ?? 1) / (request.concurrency ?? 1));
    const each = (request.gapMs ?? 0) + (request.expect.ms?.median ?? 0);
    return sum + (request.waitMs ?? 0) + (request.settleMs ?? 0) + count * each + 60;
  }, 0);
}
