// gRPC-Web from browsers as gRPC towards the upstream: trailers become the last frame of the body, text mode is base64.
// https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-WEB.md
import type { Responder } from './exchange.ts';
import { fieldLines } from './h1-serialize.ts';
import type { Headers } from './headers.ts';
import type { Request } from './request.ts';

export function isGrpcWeb(request: Request): boolean {
  return request.method === 'POST' && (request.headers.get('content-type') ?? '').startsWith('application/grpc-web');
}

/** Stands before the responder of a gRPC-Web request. */
export class GrpcWebBridge implements Responder {
  readonly #responder: Responder;
  readonly #type: string;
  #headOnly = false;

  constructor(request: Request, responder: Responder) {
    this.#responder = responder;
    this.#type = request.headers.get('content-type') ?? '';
    request.headers.set('content-type', this.#type.replace(/grpc-web(-text)?/, 'grpc'));
    request.headers.remove('content-length');
    request.headers.set('te', 'trailers');
    request.headers.set('grpc-accept-encoding', 'identity');
  }

  get text(): boolean {
    return this.#type.startsWith('application/grpc-web-text');
  }

  interim(status: number, headers: Headers): void {
    this.#responder.interim(status, headers);
  }

  head(status: number, headers: Headers, end: boolean, full?: string): void {
    headers.set('content-type', this.#type);
    headers.remove('content-length');
    this.#headOnly = end;
    this.#responder.head(status, headers, end, full);
  }

  body(chunk: Buffer, end: boolean): boolean {
    return this.#responder.body(this.#encode(chunk), end);
  }

  trailers(trailers: Headers): void {
    if (this.#headOnly) return;
    const lines = Buffer.from(fieldLines(trailers), 'latin1');
    const frame = Buffer.alloc(5 + lines.length);
    frame.writeUInt8(0x80, 0);
    frame.writeUInt32BE(lines.length, 1);
    lines.copy(frame, 5);
    this.#responder.body(this.#encode(frame), true);
  }

  flush(): void {
    this.#responder.flush();
  }

  reset(): void {
    this.#responder.reset();
  }

  readRequest(on: boolean): void {
    this.#responder.readRequest(on);
  }

  closeAfter(): void {
    this.#responder.closeAfter();
  }

  #encode(bytes: Buffer): Buffer {
    return this.text && bytes.length > 0 ? Buffer.from(bytes.toString('base64')) : bytes;
  }
}

/** The request half of text mode: whole groups of four characters as they come. */
export class Base64Decoder {
  #rest = '';

  decode(chunk: Buffer): Buffer {
    const text = this.#rest + chunk.toString('latin1');
    const whole = text.length - (text.length % 4);
    this.#rest = text.slice(whole);
    return Buffer.from(text.slice(0, whole), 'base64');
  }
}
