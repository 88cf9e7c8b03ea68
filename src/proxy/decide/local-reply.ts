// Responses that the proxy makes itself, for HTTP and for gRPC callers.
import { grpcStatusOf } from '../../base/index.ts';
import { Headers } from '../codec/http/headers.ts';
import type { ReplyCause } from './reply-cause.ts';

export interface LocalReply {
  readonly status: number;
  readonly body: string;
  readonly headers?: readonly (readonly [string, string])[];
  /** In place of the code that the HTTP status stands for. */
  readonly grpcStatus?: number;
  readonly contentType?: string;
  readonly cause?: ReplyCause;
  /** The route changes nothing of it. */
  readonly bare?: boolean;
}

export interface ReplyMessage {
  readonly status: number;
  readonly headers: Headers;
  readonly body: string;
}

export function replyMessage(reply: LocalReply, grpc: boolean): ReplyMessage {
  const headers = new Headers();
  for (const [name, value] of reply.headers ?? []) headers.add(name, value);
  if (grpc) {
    // Trailers-only: the status travels in the head.
    // https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md
    headers.set('content-type', 'application/grpc');
    headers.set('grpc-status', String(reply.grpcStatus ?? grpcStatusOf(reply.status)));
    if (reply.body !== '') headers.set('grpc-message', percentEncode(Buffer.from(reply.body)));
    return { status: 200, headers, body: '' };
  }
  if (reply.body !== '') {
    headers.set('content-length', String(Buffer.byteLength(reply.body)));
    headers.set('content-type', reply.contentType ?? 'text/plain');
  }
  return { status: reply.status, headers, body: Buffer.from(reply.body).toString('latin1') };
}

/** Of a `grpc-message`; the tilde is encoded too, as Envoy does it. */
export function percentEncode(bytes: Buffer): string {
  return Array.from(bytes, (byte) =>
    byte >= 0x20 && byte < 0x7e && byte !== 0x25
      ? String.fromCharCode(byte)
      : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`,
  ).join('');
}
