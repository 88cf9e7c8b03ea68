// How long a request may take: the route's plan, and what request headers may change.
import type { Duration } from '@bufbuild/protobuf/wkt';
import type { RouteAction } from '@meltemi/envoy-api/envoy/config/route/v3/route_components';
import type { Millis } from '../../../base/index.ts';
import type { HeaderView } from './request-view.ts';

/** 0 means no limit. */
export interface TimeoutPlan {
  /** Whole exchange, from the end of the request to the end of the response. */
  readonly request: Millis;
  readonly perTry: Millis;
  readonly perTryIdle: Millis;
  /** Undefined leaves the connection manager's stream idle timeout. */
  readonly idle: Millis | undefined;
  /** From the start of the stream; undefined leaves the connection manager's. */
  readonly maxStream: Millis | undefined;
  /** What `grpc-timeout` may ask for; undefined ignores the header. */
  readonly grpcMax: Millis | undefined;
  readonly grpcOffset: Millis;
  /**
   * Whether `grpcMax` bounds the stream (`max_stream_duration`) or the request (the older
   * `max_grpc_timeout`).
   */
  readonly grpcBounds: 'stream' | 'request';
}

const defaultTimeout: Millis = 15_000;

export function compileTimeouts(
  action: RouteAction,
  perTry: { perTry: Millis; perTryIdle: Millis },
): TimeoutPlan {
  const stream = action.maxStreamDuration;
  const byStream = stream?.grpcTimeoutHeaderMax !== undefined;
  return boundPerTry({
    request: durationMillis(action.timeout) ?? defaultTimeout,
    ...perTry,
    idle: durationMillis(action.idleTimeout),
    maxStream: durationMillis(stream?.maxStreamDuration),
    grpcMax: durationMillis(byStream ? stream?.grpcTimeoutHeaderMax : action.maxGrpcTimeout),
    grpcOffset: durationMillis(byStream ? stream?.grpcTimeoutHeaderOffset : action.grpcTimeoutOffset) ?? 0,
    grpcBounds: byStream ? 'stream' : 'request',
  });
}

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

// A try as long as the whole request has no limit of its own.
function boundPerTry(plan: TimeoutPlan): TimeoutPlan {
  return plan.perTry > 0 && plan.request > 0 && plan.perTry >= plan.request ? { ...plan, perTry: 0 } : plan;
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

export function durationMillis(duration: Duration | undefined): Millis | undefined {
  return duration && Number(duration.seconds) * 1000 + duration.nanos / 1e6;
}

function milliseconds(text: string | undefined): Millis | undefined {
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}
