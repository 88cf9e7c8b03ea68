// Whether, and when, a request may be tried again: what its policy leaves, within the limits of the cluster.
import { type RetryOutcome, retryBackoff, shouldRetry } from '../../decide/route/index.ts';
import type { RetryPlan } from '../../plan/route/retry.ts';
import type { Cluster } from '../../upstream/cluster.ts';

export interface RetryParts {
  readonly plan: RetryPlan;
  readonly cluster: Cluster;
  readonly priority: 'default' | 'high';
  readonly random: () => number;
  /** Milliseconds since 1970. */
  readonly wall: () => number;
  /** Retries were called for and none was left. */
  readonly exhausted: () => void;
}

export class RetryState {
  readonly #parts: RetryParts;
  #left: number;
  /** It counts among the retries of the cluster. */
  #retrying = false;
  /** How long the host asked to be left alone. */
  #after: number | undefined;

  constructor(parts: RetryParts) {
    this.#parts = parts;
    this.#left = parts.plan.numRetries;
  }

  allows(outcome: RetryOutcome): boolean {
    const { plan, cluster, exhausted, wall } = this.#parts;
    const verdict = shouldRetry(plan, outcome, wall());
    if (!verdict.retry) return false;
    this.#after = verdict.after;
    if (this.#left <= 0) {
      cluster.stats.retryLimitExceeded.value++;
      exhausted();
      return false;
    }
    if (this.#clusterAllows()) return true;
    cluster.stats.retryOverflow.value++;
    return false;
  }

  /** Takes one of those that are left. Returns milliseconds to wait before it. */
  take(attempts: number): number {
    const { plan, cluster, priority, random } = this.#parts;
    this.#left--;
    cluster.stats.retries.value++;
    if (!this.#retrying) {
      this.#retrying = true;
      cluster.resources[priority].retries++;
    }
    return this.#after ?? retryBackoff(plan, attempts, random);
  }

  end(): void {
    const { cluster, priority } = this.#parts;
    if (this.#retrying) cluster.resources[priority].retries--;
    this.#retrying = false;
  }

  #clusterAllows(): boolean {
    const { cluster, priority } = this.#parts;
    const { limits, retries, requests, pending } = cluster.resources[priority];
    const others = retries - (this.#retrying ? 1 : 0);
    if (limits.retryBudgetPercent === undefined) return others < limits.maxRetries;
    const budget = Math.floor(((requests + pending) * limits.retryBudgetPercent) / 100);
    return others < Math.max(limits.minRetryConcurrency, budget);
  }
}
