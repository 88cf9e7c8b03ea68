// CORS as per-route configuration of Envoy's CORS filter.
// https://istio.io/latest/docs/reference/config/networking/virtual-service/#CorsPolicy
import type { Any } from '@bufbuild/protobuf/wkt';
import { CorsPolicySchema } from '@meltemi/envoy-api/envoy/extensions/filters/http/cors/v3/cors';
import type { CorsPolicy } from '../../config/index.ts';
import { any } from '../wire.ts';
import { stringMatcher } from './string-match.ts';

export const corsFilter = 'envoy.filters.http.cors';

export function corsConfig(policy: CorsPolicy | undefined): Any | undefined {
  if (!policy) return undefined;
  return any(CorsPolicySchema, {
    allowOriginStringMatch: origins(policy),
    allowMethods: (policy.allowMethods ?? []).join(','),
    allowHeaders: (policy.allowHeaders ?? []).join(','),
    exposeHeaders: (policy.exposeHeaders ?? []).join(','),
    maxAge: policy.maxAge === undefined ? '' : String(Math.trunc(policy.maxAge / 1000)),
    allowCredentials: policy.allowCredentials,
    filterEnabled: { defaultValue: { numerator: 100 } },
    forwardNotMatchingPreflights: policy.unmatchedPreflights !== 'IGNORE',
  });
}

/** The list of 2018, `allowOrigin`, counts only without its successor. */
function origins(policy: CorsPolicy): NonNullable<ReturnType<typeof stringMatcher>>[] {
  if (policy.allowOrigins?.length)
    return policy.allowOrigins.flatMap((origin) => stringMatcher(origin) ?? []);
  return (policy.allowOrigin ?? []).map((exact) => ({ matchPattern: { case: 'exact', value: exact } }));
}
