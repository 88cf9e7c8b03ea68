// One try of a request at a host, and the forward that it belongs to.
import type { Headers } from '../../codec/http/headers.ts';
import type { ResetReason } from '../../codec/http/message-contract.ts';
import type { ConnectionInfo } from '../../decide/connection-info.ts';
import type { ForwardDecision } from '../../decide/route/index.ts';
import type { Clock } from '../../net/clock.ts';
import type { Exchange } from '../../observe/exchange.ts';
import type { Host } from '../host.ts';

/** As seen by the forward that it reports to. */
export interface Try {
  readonly host: Host;
  readonly headSeen: boolean;
  /** It has a connection, and takes the body as it comes. */
  readonly streaming: boolean;
  /** Bytes of the request may have reached the host. */
  readonly started: boolean;
  /** Milliseconds since the request was sent. */
  readonly elapsed: number;
  sendBody(chunk: Buffer, end: boolean): boolean;
  sendTrailers(trailers: Headers): void;
  sendFlush(): void;
  readResponse(on: boolean): void;
  cancel(): void;
}

/** The forward, as seen by its tries. */
export interface TryOwner {
  readonly stream: TryStream;
  readonly decision: ForwardDecision;
  /** The try has a connection: it takes the body from here on. */
  onConnected(attempt: Try, begin: (end: boolean, full: string | undefined) => void): void;
  onWritable(): void;
  onInterim(attempt: Try, status: number, headers: Headers): void;
  onHead(attempt: Try, status: number, headers: Headers, end: boolean, full: string | undefined): void;
  onBody(attempt: Try, chunk: Buffer, end: boolean): void;
  onTrailers(attempt: Try, trailers: Headers): void;
  /** `stale`: a connection kept from before was closed by the host, probably before it saw the request. */
  onFailed(attempt: Try, reason: ResetReason, stale: boolean): void;
  onTryTimeout(attempt: Try): void;
  /** Longer than the host's cluster allows a stream. */
  onLastedTooLong(attempt: Try): void;
}

/** What a try tells of, and to whom its bytes go. */
export interface TryStream {
  readonly connection: { readonly info: ConnectionInfo; readonly env: { readonly clock: Clock } };
  readonly exchange: Exchange;
  flushResponse(): void;
}
