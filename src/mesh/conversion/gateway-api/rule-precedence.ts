// Which of two rules of one host is tried first.
// https://gateway-api.sigs.k8s.io/reference/spec/#gateway.networking.k8s.io/v1.HTTPRouteRule (matches)
import type { HTTPMatchRequest, HTTPRoute, StringMatch } from '../../../config/index.ts';

/**
 * Rules have one match at most. What is left undecided keeps its order: by age, then by place in the route.
 */
export function rulePrecedence(a: HTTPRoute, b: HTTPRoute): number {
  const [left, right] = [a.match?.[0] ?? {}, b.match?.[0] ?? {}];
  return (
    rankOf(right.uri) - rankOf(left.uri) ||
    lengthOf(right.uri) - lengthOf(left.uri) ||
    Number(right.method !== undefined) - Number(left.method !== undefined) ||
    count(right, 'headers') - count(left, 'headers') ||
    count(right, 'queryParams') - count(left, 'queryParams')
  );
}

function rankOf(uri: StringMatch | undefined): number {
  if (uri?.exact !== undefined) return 3;
  return uri?.regex === undefined ? 2 : 1;
}

function lengthOf(uri: StringMatch | undefined): number {
  return (uri?.exact ?? uri?.regex ?? uri?.prefix ?? '/').length;
}

function count(match: HTTPMatchRequest, field: 'headers' | 'queryParams'): number {
  return Object.keys(match[field] ?? {}).length;
}
