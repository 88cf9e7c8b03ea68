// What the parts of a request's life know of one another: the connection, the stream on it, the forward, one
// try of it.

import type { Headers } from '../../codec/http/headers.ts';
import type { ResetReason } from '../../codec/http/message-contract.ts';
import type { Request } from '../../codec/http/request.ts';
import type { ConnectionInfo } from '../../decide/connection-info.ts';
import type { LocalReply } from '../../decide/local-reply.ts';
import type { RouteContext } from '../../decide/route/decision.ts';
import type { ForwardDecision } from '../../decide/route/index.ts';
import type { Exchange, ExchangeParts } from '../../observe/exchange.ts';
import type { ManagerPlan } from '../../plan/http/manager-plan.ts';
import type { Host } from '../../upstream/host.ts';
import type { HttpEnvironment } from './environment.ts';
import type { HttpManager } from './http-manager.ts';
import type { ClockLimits } from './stream-clocks.ts';

/** The connection, as seen by the streams on it. */
export interface StreamHost {
  readonly manager: HttpManager;
  /** The manager's. */
  readonly config: ManagerPlan;
  readonly env: HttpEnvironment;
  readonly info: ConnectionInfo;
  readonly routeContext: RouteContext;
  /** Of each stream; undefined without any. */
  readonly limits: ClockLimits | undefined;
  exchangeParts(): ExchangeParts;
}

/** The stream, as seen by what answers it. */
export interface Answerable {
  readonly connection: StreamHost;
  readonly request: Request;
  readonly exchange: Exchange;
  readonly grpc: boolean;
  readonly internal: boolean;
  interim(status: number, headers: Headers): void;
  sendHead(status: number, headers: Headers, end: boolean, full?: string): void;
  sendBody(chunk: Buffer, end: boolean): boolean;
  sendTrailers(trailers: Headers): void;
  flushResponse(): void;
  readRequest(on: boolean): void;
  resetDownstream(): void;
  reply(reply: LocalReply): void;
  /** What the route says of the stream's time, in place of the connection manager; undefined leaves it. */
  limit(idle: number | undefined, duration: number | undefined): void;
}

/** One try, as seen by the forward that it reports to. */
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
  readonly stream: Answerable;
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
