// A sidecar's route cut down to what gRPC clients know. They refuse a whole route table for one thing that
// they do not.
// https://github.com/grpc/proposal/blob/master/A28-xds-traffic-splitting-and-routing.md
import { create } from '@bufbuild/protobuf';
import type { Any, Duration } from '@bufbuild/protobuf/wkt';
import {
  type HeaderMatcher,
  type RetryPolicy,
  type RetryPolicySchema,
  type Route,
  type RouteAction,
  type RouteActionSchema,
  type RouteMatch,
  type RouteMatchSchema,
  RouteSchema,
} from '@meltemi/envoy-api/envoy/config/route/v3/route_components';
import { HTTPFaultSchema } from '@meltemi/envoy-api/envoy/extensions/filters/http/fault/v3/fault';
import { faultFilter } from '../features/fault.ts';
import { any, fractionalPercent, type Init } from '../wire.ts';

type MatchInit = Init<typeof RouteMatchSchema>;

/** Undefined for a route that no gRPC call can take. `cluster` is the service's own. */
export function grpcRoute(route: Route, cluster: string): Route | undefined {
  const match = route.match && grpcMatch(route.match);
  if (!match) return undefined;
  const status = statusOf(route.action);
  const fault = status === undefined ? route.typedPerFilterConfig[faultFilter] : answer(status);
  return create(RouteSchema, {
    name: route.name,
    match,
    action: {
      case: 'route',
      value: grpcAction(route.action) ?? { clusterSpecifier: { case: 'cluster', value: cluster } },
    },
    typedPerFilterConfig: fault ? { [faultFilter]: fault } : {},
  });
}

/**
 * Of an answer that a proxy would give by itself. There is no such action here, so it becomes a fault, which
 * fails the call alike.
 */
function statusOf({ case: kind, value }: Route['action']): number | undefined {
  switch (kind) {
    case 'route':
      return clusterSpecifier(value.clusterSpecifier) ? undefined : unavailable;
    case 'directResponse':
      return value.status;
    case 'redirect':
      return redirected;
    default:
      return unavailable;
  }
}

const unavailable = 503;
const redirected = 301;

function answer(httpStatus: number): Any {
  return any(HTTPFaultSchema, {
    abort: { errorType: { case: 'httpStatus', value: httpStatus }, percentage: fractionalPercent(100) },
  });
}

function grpcMatch(match: RouteMatch): MatchInit | undefined {
  const path = grpcPath(match.pathSpecifier);
  // A call has no query.
  if (!path || match.queryParameters.length > 0) return undefined;
  const headers = match.headers.filter((header) => !isPost(header));
  if (headers.some(excludesPost)) return undefined;
  return { pathSpecifier: path, caseSensitive: match.caseSensitive, headers };
}

function grpcPath(path: RouteMatch['pathSpecifier']): MatchInit['pathSpecifier'] {
  switch (path.case) {
    case 'prefix':
    case 'path':
    case 'safeRegex':
      return path;
    case 'pathSeparatedPrefix':
      // The path of a call is `/service/method`: one segment means the service, two the call.
      return path.value.indexOf('/', 1) < 0
        ? { case: 'prefix', value: `${path.value}/` }
        : { case: 'path', value: path.value };
    default:
      return undefined;
  }
}

const methodHeader = ':method';
const grpcMethod = 'POST';

/** The method is always the same, and clients do not look at it. */
function isPost(header: HeaderMatcher): boolean {
  return header.name === methodHeader && exactText(header) === grpcMethod && !header.invertMatch;
}

function excludesPost(header: HeaderMatcher): boolean {
  const text = header.name === methodHeader ? exactText(header) : undefined;
  return text !== undefined && (text === grpcMethod) === header.invertMatch;
}

function exactText({ headerMatchSpecifier: specifier }: HeaderMatcher): string | undefined {
  const pattern = specifier.case === 'stringMatch' ? specifier.value.matchPattern : undefined;
  return pattern?.case === 'exact' ? pattern.value : undefined;
}

function grpcAction(action: Route['action']): Init<typeof RouteActionSchema> | undefined {
  const target = action.case === 'route' ? clusterSpecifier(action.value.clusterSpecifier) : undefined;
  if (action.case !== 'route' || !target) return undefined;
  const { retryPolicy, timeout, hashPolicy } = action.value;
  return {
    clusterSpecifier: target,
    retryPolicy: retryPolicy && grpcRetries(retryPolicy),
    // https://github.com/grpc/proposal/blob/master/A31-xds-timeout-support-and-config-selector.md
    maxStreamDuration: isPositive(timeout) ? { maxStreamDuration: timeout } : undefined,
    hashPolicy: hashPolicy.filter((policy) => policy.policySpecifier.case === 'header'),
  };
}

function clusterSpecifier(
  specifier: RouteAction['clusterSpecifier'],
): Init<typeof RouteActionSchema>['clusterSpecifier'] {
  if (specifier.case !== 'weightedClusters') return specifier.case === 'cluster' ? specifier : undefined;
  const clusters = specifier.value.clusters.map(({ name, weight }) => ({ name, weight }));
  // A sum of no weights is refused.
  return clusters.length > 0 ? { case: 'weightedClusters', value: { clusters } } : undefined;
}

/**
 * https://github.com/grpc/proposal/blob/master/A44-xds-retry.md; conditions that gRPC does not know, it
 * passes over.
 */
function grpcRetries({ retryOn, numRetries, retryBackOff }: RetryPolicy): Init<typeof RetryPolicySchema> {
  return { retryOn, numRetries, retryBackOff };
}

function isPositive(duration: Duration | undefined): duration is Duration {
  return duration !== undefined && (duration.seconds > 0n || duration.nanos > 0);
}
