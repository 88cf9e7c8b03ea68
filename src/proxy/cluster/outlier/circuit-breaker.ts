// Limits on what a cluster may have in flight.
// https://www.envoyproxy.io/docs/envoy/latest/intro/arch_overview/upstream/circuit_breaking
import type {
  CircuitBreakers,
  CircuitBreakers_Thresholds as ThresholdsConfig,
} from '@meltemi/envoy-api/envoy/config/cluster/v3/circuit_breaker';
import { RoutingPriority } from '@meltemi/envoy-api/envoy/config/core/v3/base';

export interface BreakerThresholds {
  readonly maxConnections: number;
  readonly maxPendingRequests: number;
  readonly maxRequests: number;
  readonly maxRetries: number;
  /** Replaces `maxRetries`. */
  readonly retryBudget: { readonly percent: number; readonly minConcurrency: number } | undefined;
}

export interface InFlight {
  readonly connections: number;
  readonly pending: number;
  readonly requests: number;
  readonly retries: number;
}

export type BreakerResource = keyof InFlight;

export interface BreakerPlan {
  readonly default: BreakerThresholds;
  readonly high: BreakerThresholds;
  /** Connections to one host. */
  readonly perHostConnections: number;
}

export function compileBreakers(config: CircuitBreakers | undefined): BreakerPlan {
  const of = (priority: RoutingPriority) => compileThresholds(config?.thresholds.find((one) => one.priority === priority));
  return {
    default: of(RoutingPriority.DEFAULT),
    high: of(RoutingPriority.HIGH),
    perHostConnections: config?.perHostThresholds[0]?.maxConnections ?? Number.POSITIVE_INFINITY,
  };
}

/** Whether one more fits. */
export function breakerAllows(thresholds: BreakerThresholds, resource: BreakerResource, inFlight: InFlight): boolean {
  switch (resource) {
    case 'connections':
      return inFlight.connections < thresholds.maxConnections;
    case 'pending':
      return inFlight.pending < thresholds.maxPendingRequests;
    case 'requests':
      return inFlight.requests < thresholds.maxRequests;
    case 'retries':
      return inFlight.retries < retryLimit(thresholds, inFlight);
  }
}

function retryLimit({ retryBudget, maxRetries }: BreakerThresholds, inFlight: InFlight): number {
  if (!retryBudget) return maxRetries;
  return Math.max(retryBudget.minConcurrency, Math.floor((retryBudget.percent / 100) * (inFlight.requests + inFlight.pending)));
}

function compileThresholds(config: ThresholdsConfig | undefined): BreakerThresholds {
  const budget = config?.retryBudget;
  return {
    maxConnections: config?.maxConnections ?? 1024,
    maxPendingRequests: config?.maxPendingRequests ?? 1024,
    maxRequests: config?.maxRequests ?? 1024,
    maxRetries: config?.maxRetries ?? 3,
    retryBudget: budget && { percent: budget.budgetPercent?.value ?? 20, minConcurrency: budget.minRetryConcurrency ?? 3 },
  };
}
