// What of a request is hashed to choose a host, from DestinationRule `consistentHash`.
import type { RouteAction_HashPolicySchema } from '@meltemi/envoy-api/envoy/config/route/v3/route_components';
import type { LoadBalancerSettings } from '../../config/index.ts';
import { duration, type Init } from '../wire.ts';

export type HashPolicyInit = Init<typeof RouteAction_HashPolicySchema>;
type ConsistentHash = NonNullable<LoadBalancerSettings['consistentHash']>;

export function hashPolicies(hash: ConsistentHash | undefined): readonly HashPolicyInit[] {
  if (hash?.httpHeaderName)
    return [{ policySpecifier: { case: 'header', value: { headerName: hash.httpHeaderName } } }];
  if (hash?.httpCookie) return [cookiePolicy(hash.httpCookie)];
  if (hash?.useSourceIp)
    return [{ policySpecifier: { case: 'connectionProperties', value: { sourceIp: true } } }];
  if (hash?.httpQueryParameterName)
    return [{ policySpecifier: { case: 'queryParameter', value: { name: hash.httpQueryParameterName } } }];
  return [];
}

function cookiePolicy(cookie: NonNullable<ConsistentHash['httpCookie']>): HashPolicyInit {
  return {
    policySpecifier: {
      case: 'cookie',
      value: {
        name: cookie.name ?? '',
        path: cookie.path ?? '',
        // Without a ttl the cookie is only read; with zero it lives for the session.
        ttl: cookie.ttl === undefined ? undefined : duration(cookie.ttl),
        attributes: (cookie.attributes ?? []).map(({ name, value }) => ({
          name: name ?? '',
          value: value ?? '',
        })),
      },
    },
  };
}
