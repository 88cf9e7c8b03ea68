// The contract between codecs and what answers or sends requests, the same for HTTP/1.1 and HTTP/2 on either
// side.
import type { Headers } from './headers.ts';
import type { Request } from './request.ts';

export type RequestHead = Request;

/** The downstream codec's side of one request. */
export interface Responder {
  interim(status: number, headers: Headers): void;
  /** `full` is the whole body when it is already there, one byte a character; the message then has ended. */
  head(status: number, headers: Headers, end: boolean, full?: string): void;
  /** The chunk is borrowed for the call. Returns false when the sender should wait for `writable`. */
  body(chunk: Buffer, end: boolean): boolean;
  trailers(trailers: Headers): void;
  /** Sends what is held back in the hope of more. */
  flush(): void;
  /** Ends the message abnormally. */
  reset(): void;
  readRequest(on: boolean): void;
  /** Bytes of a request that is to be refused need not be waited for. */
  closeAfter(): void;
}

/** What takes a request from a downstream codec. */
export interface RequestReceiver {
  body(chunk: Buffer, end: boolean): void;
  trailers(trailers: Headers): void;
  flush(): void;
  writable(): void;
  /** The client is gone. */
  aborted(): void;
}

export type ResetReason =
  | 'connect-failure'
  | 'connect-timeout'
  | 'termination'
  | 'remote-reset'
  | 'refused-stream'
  | 'protocol-error'
  | 'overflow'
  | 'local';

/** The upstream codec's side of one request. */
export interface UpstreamStream {
  body(chunk: Buffer, end: boolean): boolean;
  trailers(trailers: Headers): void;
  flush(): void;
  reset(): void;
  readResponse(on: boolean): void;
}

export interface UpstreamReceiver {
  interim(status: number, headers: Headers): void;
  head(status: number, headers: Headers, end: boolean, full?: string): void;
  body(chunk: Buffer, end: boolean): void;
  trailers(trailers: Headers): void;
  flush(): void;
  writable(): void;
  failed(reason: ResetReason, detail: string): void;
}
