// What a pool and the router know of a connection to a host, whatever its protocol.
import type { RequestHead, UpstreamReceiver, UpstreamStream } from '../../codec/http/message-contract.ts';

export interface UpstreamConnection {
  /** Whether another request may be started now. */
  readonly available: boolean;
  readonly activeStreams: number;
  /** The proxy's own end. */
  readonly localAddress: string | undefined;
  readonly protocol: 'HTTP/1.1' | 'HTTP/2' | undefined;
  request(
    head: RequestHead,
    end: boolean,
    full: string | undefined,
    receiver: UpstreamReceiver,
  ): UpstreamStream;
  /** Takes no further requests and closes once idle. */
  drain(): void;
  destroy(): void;
}

export interface ConnectionOwner {
  /** A request ended and the connection can take another. */
  released(connection: UpstreamConnection): void;
  gone(connection: UpstreamConnection): void;
}

/**
 * The detail of a failure on a connection that was kept idle for a while and closed before any byte of the
 * response.
 */
export const staleConnection = 'stale connection';
