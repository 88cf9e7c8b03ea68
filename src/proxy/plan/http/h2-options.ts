// Envoy's Http2ProtocolOptions, compiled:
// https://www.envoyproxy.io/docs/envoy/latest/api-v3/config/core/v3/protocol.proto
import type { Http2ProtocolOptions } from '@meltemi/envoy-api/envoy/config/core/v3/protocol';
import { millis } from '../../codec/duration.ts';

export interface KeepAlivePlan {
  /** Milliseconds between PINGs; 0 sends none by the clock. */
  readonly interval: number;
  /** Milliseconds that an answer may take. */
  readonly timeout: number;
  /** Up to that much of the interval is added at random. */
  readonly jitterPercent: number;
  /** A connection that was unused for that long is tried before its next request; 0 never. */
  readonly idleInterval: number;
}

export interface H2Options {
  readonly maxConcurrentStreams: number;
  readonly initialStreamWindow: number;
  readonly initialConnectionWindow: number;
  /** Extended CONNECT (RFC 8441) is offered to clients. */
  readonly allowConnect: boolean;
  readonly keepAlive: KeepAlivePlan | undefined;
}

export function compileH2Options(source: Http2ProtocolOptions | undefined): H2Options {
  const keepAlive = source?.connectionKeepalive;
  return {
    maxConcurrentStreams: source?.maxConcurrentStreams ?? 1024,
    initialStreamWindow: source?.initialStreamWindowSize ?? 1 << 20,
    initialConnectionWindow: source?.initialConnectionWindowSize ?? 1 << 24,
    allowConnect: source?.allowConnect ?? false,
    keepAlive: keepAlive && {
      interval: millis(keepAlive.interval) ?? 0,
      timeout: millis(keepAlive.timeout) ?? 0,
      jitterPercent: keepAlive.intervalJitter?.value ?? 15,
      idleInterval: millis(keepAlive.connectionIdleInterval) ?? 0,
    },
  };
}
