// How long a request may take: what its headers change in the route's plan.
import type { Millis } from '../../../base/index.ts';
import type { HeaderView } from '../../codec/http/request-view.ts';
import { boundPerTry, type TimeoutPlan } from '../../plan/route/timeout.ts';

/**
 * The plan for one request. `x-envoy-*` headers count only when they come from inside (`trusted`);
 * `grpc-timeout` always. Returns the route's own plan when nothing changes it.
 * https://www.envoyproxy.io/docs/envoy/latest/configuration/http/http_filters/router_filter#x-envoy-upstream-rq-timeout-ms
 */
export function requestTimeouts(
  plan: TimeoutPlan,
  request: HeaderView,
  options: { trusted: boolean; grpc: boolean },
): TimeoutPlan {
  const own =
    options.grpc && plan.grpcMax !== undefined ? withGrpcTimeout(plan, request, plan.grpcMax) : plan;
  return options.trusted ? withTimeoutHeaders(own, request) : own;
}

// An absent header asks for no limit. The offset is taken off only where something remains, since 0 would
// mean no limit; then the maximum, when it is not 0, bounds the result.
// https://github.com/envoyproxy/envoy/blob/main/source/common/router/router.cc (finalTimeout)
function withGrpcTimeout(plan: TimeoutPlan, request: HeaderView, max: Millis): TimeoutPlan {
  const asked = parseGrpcTimeout(request.get('grpc-timeout'));
  if (asked === undefined && plan.grpcBounds === 'stream') return plan;
  let limit = asked ?? 0;
  if (limit > plan.grpcOffset) limit -= plan.grpcOffset;
  if (max > 0 && (limit === 0 || limit > max)) limit = max;
  if (plan.grpcBounds === 'stream') return { ...plan, maxStream: limit };
  return limit === plan.request ? plan : boundPerTry({ ...plan, request: limit });
}

function withTimeoutHeaders(plan: TimeoutPlan, request: HeaderView): TimeoutPlan {
  const whole = milliseconds(request.get('x-envoy-upstream-rq-timeout-ms'));
  const perTry = milliseconds(request.get('x-envoy-upstream-rq-per-try-timeout-ms'));
  const stream = milliseconds(request.get('x-envoy-upstream-stream-duration-ms'));
  if (whole === undefined && perTry === undefined && stream === undefined) return plan;
  return boundPerTry({
    ...plan,
    request: whole ?? plan.request,
    perTry: perTry ?? plan.perTry,
    maxStream: stream ?? plan.maxStream,
  });
}

const grpcUnits: Readonly<Record<string, number>> = {
  H: 3_600_000,
  M: 60_000,
  S: 1000,
  m: 1,
  u: 1e-3,
  n: 1e-6,
};

/**
 * At most eight digits and a unit; rounded up to whole milliseconds.
 * https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md
 */
export function parseGrpcTimeout(text: string | undefined): Millis | undefined {
  const match = text === undefined ? null : /^(\d{1,8})([HMSmun])$/.exec(text);
  return match ? Math.ceil(Number(match[1]) * (grpcUnits[match[2] ?? ''] ?? 0)) : undefined;
}

function milliseconds(text: string | undefined): Millis | undefined {
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}
