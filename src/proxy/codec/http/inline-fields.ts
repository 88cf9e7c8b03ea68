// Fields of which repeated lines become one, joined by a comma: those that Envoy keeps in a fixed place of
// its header maps.
import type { Headers } from './headers.ts';

const both =
  'cache-control connection content-encoding content-type proxy-status transfer-encoding upgrade via x-envoy-attempt-count x-envoy-decorator-operation x-request-id';

const ofRequests: ReadonlySet<string> = new Set(
  `${both} accept accept-encoding access-control-request-headers access-control-request-method access-control-request-private-network authorization expect grpc-accept-encoding grpc-timeout if-match if-modified-since if-none-match if-range if-unmodified-since origin pragma referer te user-agent x-client-trace-id x-envoy-downstream-service-cluster x-envoy-downstream-service-node x-envoy-external-address x-envoy-original-path x-envoy-original-host x-forwarded-client-cert x-forwarded-for x-forwarded-host x-forwarded-port x-forwarded-proto`.split(
    ' ',
  ),
);

const ofResponses: ReadonlySet<string> = new Set(
  `${both} access-control-allow-credentials access-control-allow-headers access-control-allow-methods access-control-allow-origin access-control-allow-private-network access-control-expose-headers access-control-max-age age date etag expires grpc-message grpc-status last-modified location server vary x-envoy-degraded x-envoy-immediate-health-check-fail x-envoy-ratelimited x-envoy-upstream-healthchecked-cluster`.split(
    ' ',
  ),
);

export function joinRepeated(headers: Headers, of: 'request' | 'response'): void {
  const inline = of === 'request' ? ofRequests : ofResponses;
  const { list } = headers;
  const first = new Map<string, number>();
  let kept = 0;
  for (let i = 0; i < list.length; i += 2) {
    const name = list[i] ?? '';
    const value = list[i + 1] ?? '';
    const at = inline.has(name) ? first.get(name) : undefined;
    if (at !== undefined) {
      list[at] += `,${value}`;
      continue;
    }
    first.set(name, kept + 1);
    list[kept] = name;
    list[kept + 1] = value;
    kept += 2;
  }
  list.length = kept;
}
