// Outlier detection: hosts that fail are left alone for a while.
// https://istio.io/latest/docs/reference/config/networking/destination-rule/#OutlierDetection
import { create, toBinary } from '@bufbuild/protobuf';
import type { OutlierDetectionSchema } from '@meltemi/envoy-api/envoy/config/cluster/v3/outlier_detection';
import { MatchPredicateSchema } from '@meltemi/envoy-api/envoy/config/common/matcher/v3/matcher';
import type { OutlierDetection } from '../../config/index.ts';
import { duration, type Init } from '../wire.ts';

type OutlierInit = Init<typeof OutlierDetectionSchema>;

export function outlierDetection(outlier: OutlierDetection): OutlierInit {
  return {
    // Ejection by success rate is off: a host has to earn it by errors in a row.
    enforcingSuccessRate: 0,
    ...(outlier.consecutive5xxErrors === undefined
      ? {}
      : {
          consecutive5xx: outlier.consecutive5xxErrors,
          enforcingConsecutive5xx: enforced(outlier.consecutive5xxErrors),
        }),
    ...(outlier.consecutiveGatewayErrors === undefined
      ? {}
      : {
          consecutiveGatewayFailure: outlier.consecutiveGatewayErrors,
          enforcingConsecutiveGatewayFailure: enforced(outlier.consecutiveGatewayErrors),
        }),
    interval: outlier.interval === undefined ? undefined : duration(outlier.interval),
    baseEjectionTime: outlier.baseEjectionTime === undefined ? undefined : duration(outlier.baseEjectionTime),
    maxEjectionPercent: outlier.maxEjectionPercent || undefined,
    ...localOrigin(outlier),
  };
}

function localOrigin(outlier: OutlierDetection): OutlierInit {
  if (!outlier.splitExternalLocalOriginErrors) return {};
  const failures = outlier.consecutiveLocalOriginFailures ?? 0;
  return {
    splitExternalLocalOriginErrors: true,
    enforcingLocalOriginSuccessRate: 0,
    ...(failures > 0
      ? { consecutiveLocalOriginFailure: failures, enforcingConsecutiveLocalOriginFailure: 100 }
      : {}),
  };
}

function enforced(count: number): number {
  return count > 0 ? 100 : 0;
}

/**
 * The predicate over responses that counts as an error in place of "5xx"; undefined when no codes are named.
 */
export function errorMatcher(outlier: OutlierDetection | undefined): Uint8Array | undefined {
  const codes = outlier?.outlierDetectionHttpErrorCodes ?? [];
  if (codes.length === 0) return undefined;
  const rules = [...new Set(codes)].map((code) => ({
    rule: {
      case: 'httpResponseHeadersMatch' as const,
      value: {
        headers: [
          {
            name: ':status',
            headerMatchSpecifier: {
              case: 'stringMatch' as const,
              value: { matchPattern: { case: 'exact' as const, value: String(code) } },
            },
          },
        ],
      },
    },
  }));
  // Envoy takes "or" for two and more.
  const [only] = rules;
  return toBinary(
    MatchPredicateSchema,
    create(
      MatchPredicateSchema,
      rules.length === 1 && only ? only : { rule: { case: 'orMatch', value: { rules } } },
    ),
  );
}
