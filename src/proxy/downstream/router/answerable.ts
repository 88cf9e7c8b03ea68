// A stream, as seen by what answers it.
import type { Headers } from '../../codec/http/headers.ts';
import type { Request } from '../../codec/http/request.ts';
import type { ConnectionInfo } from '../../decide/connection-info.ts';
import type { LocalReply } from '../../decide/local-reply.ts';
import type { Exchange } from '../../observe/exchange.ts';
import type { HttpEnvironment } from '../environment.ts';

export interface Answerable {
  readonly connection: { readonly env: HttpEnvironment; readonly info: ConnectionInfo };
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
