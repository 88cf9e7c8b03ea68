// gRPC-Web from browsers as gRPC towards the upstream: trailers become the last frame of the body, text mode
// is base64.
// https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-WEB.md
// https://www.envoyproxy.io/docs/envoy/latest/configuration/http/http_filters/grpc_web_filter

import { GrpcWebSchema } from '@meltemi/envoy-api/envoy/extensions/filters/http/grpc_web/v3/grpc_web';
import { grpcStatusOf } from '../../base/index.ts';
import { GrpcFrames } from '../codec/http/grpc-frames.ts';
import { isGrpcType } from '../codec/http/grpc-type.ts';
import type { Headers } from '../codec/http/headers.ts';
import type { Responder } from '../codec/http/message-contract.ts';
import type { Request } from '../codec/http/request.ts';
import { percentEncode } from '../decide/local-reply.ts';
import { httpFilter, type RequestSink, type StreamContext, type StreamFilter } from './http-filter.ts';
import { PassOn } from './pass-on.ts';

const binaryType = 'application/grpc-web+proto';
const textType = 'application/grpc-web-text+proto';
const textTypes: ReadonlySet<string> = new Set(['application/grpc-web-text', textType]);
const types: ReadonlySet<string> = new Set(['application/grpc-web', binaryType, ...textTypes]);

const badBase64 = 'Bad gRPC-web request, invalid base64 data.';

export function isGrpcWeb(request: Request): boolean {
  return types.has(request.headers.get('content-type') ?? '');
}

export interface GrpcWebPlan {
  readonly kind: 'grpcWeb';
}

export const grpcWeb = httpFilter<GrpcWebPlan, GrpcWebPlan>({
  kind: 'grpcWeb',
  name: 'envoy.filters.http.grpc_web',
  messages: [GrpcWebSchema],
  plan: () => ({ kind: 'grpcWeb' }),
  open: () => ({
    onlyByRoute: false,
    stream: ({ request }) => (isGrpcWeb(request) ? new GrpcWebStream() : undefined),
  }),
});

class GrpcWebStream implements StreamFilter {
  #bridge: GrpcWebBridge | undefined;
  #context: StreamContext | undefined;

  requestHead(context: StreamContext): 'continue' {
    this.#context = context;
    this.#bridge?.begin(context.request);
    context.becomesGrpc();
    return 'continue';
  }

  requestBody(onward: RequestSink): RequestSink {
    const decoder = new Base64Decoder();
    return {
      body: (received, end) => {
        const chunk = this.#bridge?.text ? decoder.decode(received, end) : received;
        if (chunk) onward.body(chunk, end);
        else this.#context?.reply({ status: 400, body: badBase64 });
      },
      trailers: (trailers) => onward.trailers(trailers),
      flush: () => onward.flush(),
    };
  }

  response(onward: Responder): Responder {
    this.#bridge = new GrpcWebBridge(onward);
    return this.#bridge;
  }
}

/** How much of a body that is not gRPC becomes the `grpc-message`. */
const messageLimit = 16 * 1024;

/** Stands before the responder of a gRPC-Web request, and does nothing until that has begun. */
export class GrpcWebBridge extends PassOn {
  /** The request's body is base64. */
  text = false;
  #textResponse = false;
  #begun = false;
  readonly #frames = new GrpcFrames();
  /** The head of a response that is no gRPC, and what came of its body. */
  #foreign: { readonly status: number; readonly headers: Headers; body: string } | undefined;
  #ended = false;

  /** Makes the request one of gRPC. */
  begin({ headers }: Request): void {
    this.#begun = true;
    this.text = textTypes.has(headers.get('content-type') ?? '');
    this.#textResponse = textTypes.has(headers.get('accept') ?? '');
    headers.set('content-type', 'application/grpc');
    headers.remove('content-length');
    headers.set('te', 'trailers');
    if (!headers.has('grpc-accept-encoding')) headers.set('grpc-accept-encoding', 'identity');
  }

  override head(status: number, headers: Headers, end: boolean, full?: string): void {
    if (!this.#begun) {
      this.onward.head(status, headers, end, full);
      return;
    }
    const type = headers.get('content-type') ?? '';
    const bodyless = end && full === undefined;
    const known = bodyless
      ? headers.has('grpc-status')
      : status === 200 && (isGrpcType(type) || isProtoWeb(type));
    headers.remove('content-length');
    headers.set('content-type', this.#textResponse ? textType : binaryType);
    this.#ended = end;
    if (bodyless || known) this.#known(status, headers, { end, full });
    else {
      this.#foreign = { status, headers, body: full?.slice(0, messageLimit) ?? '' };
      if (end) this.#giveForeign();
    }
  }

  override body(chunk: Buffer, end: boolean): boolean {
    if (!this.#begun) return this.onward.body(chunk, end);
    if (!this.#foreign) return this.onward.body(this.#encode(chunk), end);
    if (this.#foreign.body.length < messageLimit)
      this.#foreign.body += chunk.toString('latin1', 0, messageLimit);
    if (end) this.#giveForeign();
    return true;
  }

  override trailers(trailers: Headers): void {
    if (!this.#begun) {
      this.onward.trailers(trailers);
      return;
    }
    if (this.#ended) return;
    if (this.#foreign) {
      this.#giveForeign();
      return;
    }
    const lines = Buffer.from(trailerLines(trailers), 'latin1');
    const frame = Buffer.alloc(5 + lines.length);
    frame.writeUInt8(0x80, 0);
    frame.writeUInt32BE(lines.length, 1);
    lines.copy(frame, 5);
    this.onward.body(this.#encode(frame), true);
  }

  /** The length of the body is not what the upstream said: it goes out in chunks. */
  #known(
    status: number,
    headers: Headers,
    { end, full }: { readonly end: boolean; readonly full: string | undefined },
  ): void {
    this.onward.head(status, headers, end && full === undefined);
    if (full !== undefined) this.onward.body(this.#encode(Buffer.from(full, 'latin1')), end);
  }

  /** What is no gRPC tells its reason as a gRPC status. */
  #giveForeign(): void {
    const foreign = this.#foreign;
    if (!foreign) return;
    this.#foreign = undefined;
    this.#ended = true;
    const { status, headers, body } = foreign;
    headers.set('grpc-message', percentEncode(Buffer.from(body, 'latin1')));
    headers.set('grpc-status', String(grpcStatusOf(status)));
    headers.set('content-length', '0');
    this.onward.head(status, headers, true);
  }

  /** Base64 by whole frames: browsers decode each as it comes. */
  #encode(bytes: Buffer): Buffer {
    if (!this.#textResponse || bytes.length === 0) return bytes;
    return Buffer.from(
      this.#frames
        .take(bytes)
        .map((frame) => frame.toString('base64'))
        .join(''),
    );
  }
}

function isProtoWeb(type: string): boolean {
  const media = type.replace(/;.*/, '').trimEnd().toLowerCase();
  return media === binaryType || media === 'application/grpc-web';
}

function trailerLines(trailers: Headers): string {
  const { list } = trailers;
  let text = '';
  for (let i = 0; i < list.length; i += 2) text += `${list[i]}:${list[i + 1]}\r\n`;
  return text;
}

/** The request half of text mode: whole groups of four characters as they come. */
export class Base64Decoder {
  #rest = '';

  /** Undefined for what is not base64. */
  decode(chunk: Buffer, end: boolean): Buffer | undefined {
    const text = this.#rest + chunk.toString('latin1');
    const whole = text.length - (text.length % 4);
    this.#rest = text.slice(whole);
    if ((end && this.#rest !== '') || !base64.test(text.slice(0, whole))) return undefined;
    return Buffer.from(text.slice(0, whole), 'base64');
  }
}

/** Groups may be padded: a client that encodes frame by frame puts padding in the middle. */
const base64 = /^(?:[A-Za-z0-9+/]{4}|[A-Za-z0-9+/]{3}=|[A-Za-z0-9+/]{2}==)*$/;
