// How long a request may take: the route's plan.
import type { RouteAction } from '@meltemi/envoy-api/envoy/config/route/v3/route_components';
import type { Millis } from '../../../base/index.ts';
import { millis } from '../../codec/duration.ts';

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

export function planTimeouts(
  action: RouteAction,
  perTry: { perTry: Millis; perTryIdle: Millis },
): TimeoutPlan {
  const stream = action.maxStreamDuration;
  const byStream = stream?.grpcTimeoutHeaderMax !== undefined;
  return boundPerTry({
    request: millis(action.timeout) ?? defaultTimeout,
    ...perTry,
    idle: millis(action.idleTimeout),
    maxStream: millis(stream?.maxStreamDuration),
    grpcMax: millis(byStream ? stream?.grpcTimeoutHeaderMax : action.maxGrpcTimeout),
    grpcOffset: millis(byStream ? stream?.grpcTimeoutHeaderOffset : action.grpcTimeoutOffset) ?? 0,
    grpcBounds: byStream ? 'stream' : 'request',
  });
}

// A try as long as the whole request has no limit of its own.
export function boundPerTry(plan: TimeoutPlan): TimeoutPlan {
  return plan.perTry > 0 && plan.request > 0 && plan.perTry >= plan.request ? { ...plan, perTry: 0 } : plan;
}
