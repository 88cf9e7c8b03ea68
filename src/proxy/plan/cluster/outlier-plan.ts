// Outlier detection as a plain plan, with Envoy's defaults applied.
// https://www.envoyproxy.io/docs/envoy/latest/api-v3/config/cluster/v3/outlier_detection.proto
import type { OutlierDetection } from '@meltemi/envoy-api/envoy/config/cluster/v3/outlier_detection';
import type { Millis } from '../../../base/index.ts';
import { millis } from '../../codec/duration.ts';

export type EjectionReason =
  | 'consecutive5xx'
  | 'consecutiveGatewayFailure'
  | 'consecutiveLocalOriginFailure'
  | 'successRate'
  | 'successRateLocalOrigin'
  | 'failurePercentage'
  | 'failurePercentageLocalOrigin';

export interface OutlierPlan {
  readonly interval: Millis;
  readonly baseEjectionTime: Millis;
  readonly maxEjectionTime: Millis;
  readonly maxEjectionTimeJitter: Millis;
  readonly maxEjectionPercent: number;
  readonly alwaysEjectOneHost: boolean;
  readonly splitLocalOrigin: boolean;
  /** Failures in a row; 0 never ejects. */
  readonly consecutive5xx: number;
  readonly consecutiveGatewayFailure: number;
  readonly consecutiveLocalOriginFailure: number;
  readonly successRate: {
    readonly minimumHosts: number;
    readonly requestVolume: number;
    readonly stdevFactor: number;
  };
  readonly failurePercentage: {
    readonly minimumHosts: number;
    readonly requestVolume: number;
    readonly threshold: number;
  };
  /** Percent of detections that are acted on. */
  readonly enforcing: Readonly<Record<EjectionReason, number>>;
}

export function planOutlier(config: OutlierDetection): OutlierPlan {
  const base = millis(config.baseEjectionTime) ?? 30_000;
  return {
    interval: millis(config.interval) ?? 10_000,
    baseEjectionTime: base,
    maxEjectionTime: Math.max(base, millis(config.maxEjectionTime) ?? 300_000),
    maxEjectionTimeJitter: millis(config.maxEjectionTimeJitter) ?? 0,
    maxEjectionPercent: Math.min(100, config.maxEjectionPercent ?? 10),
    alwaysEjectOneHost: config.alwaysEjectOneHost ?? false,
    splitLocalOrigin: config.splitExternalLocalOriginErrors,
    consecutive5xx: config.consecutive5xx ?? 5,
    consecutiveGatewayFailure: config.consecutiveGatewayFailure ?? 5,
    consecutiveLocalOriginFailure: config.consecutiveLocalOriginFailure ?? 5,
    successRate: {
      minimumHosts: config.successRateMinimumHosts ?? 5,
      requestVolume: config.successRateRequestVolume ?? 100,
      stdevFactor: (config.successRateStdevFactor ?? 1900) / 1000,
    },
    failurePercentage: {
      minimumHosts: config.failurePercentageMinimumHosts ?? 5,
      requestVolume: config.failurePercentageRequestVolume ?? 50,
      threshold: config.failurePercentageThreshold ?? 85,
    },
    enforcing: {
      consecutive5xx: config.enforcingConsecutive5xx ?? 100,
      consecutiveGatewayFailure: config.enforcingConsecutiveGatewayFailure ?? 0,
      consecutiveLocalOriginFailure: config.enforcingConsecutiveLocalOriginFailure ?? 100,
      successRate: config.enforcingSuccessRate ?? 100,
      successRateLocalOrigin: config.enforcingLocalOriginSuccessRate ?? 100,
      failurePercentage: config.enforcingFailurePercentage ?? 0,
      failurePercentageLocalOrigin: config.enforcingFailurePercentageLocalOrigin ?? 0,
    },
  };
}
