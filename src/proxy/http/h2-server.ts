// HTTP/2 from clients: each stream of a node:http2 session becomes an exchange.
import http2, { type IncomingHttpHeaders, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2';
import type { Duplex } from 'node:stream';
import type { RequestReceiver, Responder } from './exchange.ts';
import type { RequestHandler } from './h1-server.ts';
import { fromRawH2, toH2 } from './h2-fields.ts';
import type { Headers } from './headers.ts';
import { Request } from './request.ts';

const { NGHTTP2_INTERNAL_ERROR, NGHTTP2_NO_ERROR } = http2.constants;

export interface H2Limits {
  readonly maxConcurrentStreams: number;
  readonly initialStreamWindow: number;
  readonly initialConnectionWindow: number;
}

export class H2Server {
  readonly #session: ServerHttp2Session;
  readonly #handler: RequestHandler;
  requests = 0;
  /** Streams reset by the client; a burst of them ends the connection (CVE-2023-44487). */
  #resets = 0;

  constructor(socket: Duplex, handler: RequestHandler, limits: H2Limits) {
    this.#handler = handler;
    const settings = {
      maxConcurrentStreams: limits.maxConcurrentStreams,
      initialWindowSize: limits.initialStreamWindow,
      enableConnectProtocol: true,
    };
    this.#session = http2.performServerHandshake(socket, {
      settings,
      maxHeaderListPairs: 104,
      maxSessionInvalidFrames: 100,
      maxSettings: 32,
    });
    this.#session.setLocalWindowSize(limits.initialConnectionWindow);
    this.#session.on('stream', (stream, headers, _flags, raw) => this.#accept(stream, headers, raw));
    this.#session.on('error', () => undefined);
    this.#session.on('close', () => handler.closed());
    if (handler.idleTimeout > 0) this.#session.setTimeout(handler.idleTimeout, () => this.#session.close());
  }

  drain(_closeIdle = true): void {
    if (!this.#session.closed) this.#session.close();
  }

  destroy(): void {
    this.#session.destroy();
  }

  /** @internal */
  resetSeen(): void {
    if (++this.#resets > 200 && this.#resets > this.requests / 2)
      this.#session.destroy(undefined, http2.constants.NGHTTP2_ENHANCE_YOUR_CALM);
  }

  #accept(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, raw: readonly string[]): void {
    this.requests++;
    stream.on('error', () => undefined);
    const fields = fromRawH2(raw);
    const authority = headers[':authority'] ?? fields.get('host');
    fields.remove('host');
    const turn = new StreamTurn(this, stream, headers[':method'] === 'HEAD');
    const extended = headers[':protocol'];
    if (authority === undefined || hasForbidden(fields)) {
      this.#handler.protocolProblem(400);
      stream.close(http2.constants.NGHTTP2_PROTOCOL_ERROR);
      return;
    }
    const upgrade = typeof extended === 'string' ? extended.toLowerCase() : undefined;
    const head = new Request({
      method: upgrade === undefined ? (headers[':method'] ?? 'GET') : 'GET',
      path: headers[':path'] ?? '',
      authority: String(authority),
      scheme: headers[':scheme'] ?? '',
      upgrade,
      protocol: 'h2',
      headers: fields,
    });
    if (upgrade !== undefined) {
      fields.set('connection', 'Upgrade');
      fields.set('upgrade', upgrade);
      turn.extended = true;
    }
    const end = stream.readableEnded || stream.endAfterHeaders;
    turn.receiver = this.#handler.accept(head, turn, end, undefined);
    if (!end) turn.read();
  }
}

class StreamTurn implements Responder {
  readonly #server: H2Server;
  readonly #stream: ServerHttp2Stream;
  readonly #headOnly: boolean;
  receiver: RequestReceiver | undefined;
  /** A WebSocket over an extended CONNECT (RFC 8441). */
  extended = false;
  #started = false;
  #finished = false;
  #trailers: Headers | undefined;
  #ended = false;

  constructor(server: H2Server, stream: ServerHttp2Stream, headOnly: boolean) {
    this.#server = server;
    this.#stream = stream;
    this.#headOnly = headOnly;
    stream.on('wantTrailers', () => this.#stream.sendTrailers(this.#trailers ? toH2(this.#trailers, {}) : {}));
    stream.on('drain', () => this.receiver?.writable());
    stream.on('aborted', () => {
      this.#server.resetSeen();
      this.#gone();
    });
    stream.on('close', () => this.#gone());
  }

  read(): void {
    const stream = this.#stream;
    stream.on('data', (chunk: Buffer) => {
      this.receiver?.body(chunk, false);
      this.receiver?.flush();
    });
    stream.on('trailers', (_headers: IncomingHttpHeaders, _flags: number, raw?: readonly string[]) => {
      if (this.#ended || !raw) return;
      this.#ended = true;
      this.receiver?.trailers(fromRawH2(raw));
    });
    stream.on('end', () => {
      if (this.#ended || stream.aborted) return;
      this.#ended = true;
      this.receiver?.body(nothing, true);
      this.receiver?.flush();
    });
  }

  interim(status: number, headers: Headers): void {
    if (this.#started || this.#stream.destroyed) return;
    this.#stream.additionalHeaders(toH2(headers, { ':status': status }));
  }

  head(status: number, headers: Headers, end: boolean, full?: string): void {
    if (this.#started || this.#stream.destroyed) return;
    this.#started = true;
    const code = this.extended && status === 101 ? 200 : status;
    const empty = end && (full === undefined || full === '' || this.#headOnly);
    if (full !== undefined && !headers.has('content-length')) headers.set('content-length', String(full.length));
    try {
      this.#stream.respond(toH2(headers, { ':status': code }), { endStream: empty, waitForTrailers: !end });
    } catch {
      // Fields that HTTP/2 does not carry: the stream fails, not the proxy.
      this.#finish();
      this.#stream.close(NGHTTP2_INTERNAL_ERROR);
      return;
    }
    if (empty) this.#finish();
    else if (full !== undefined) {
      this.#stream.end(Buffer.from(full, 'latin1'));
      this.#finish();
    }
  }

  body(chunk: Buffer, end: boolean): boolean {
    if (this.#finished || this.#stream.destroyed) return true;
    const more = chunk.length === 0 ? true : this.#stream.write(Buffer.from(chunk));
    if (end) {
      this.#stream.end();
      this.#finish();
    }
    return more;
  }

  trailers(trailers: Headers): void {
    if (this.#finished || this.#stream.destroyed) return;
    this.#trailers = trailers;
    this.#stream.end();
    this.#finish();
  }

  flush(): void {
    // node:http2 gathers frames by itself.
  }

  reset(): void {
    if (this.#finished) return;
    this.#finished = true;
    this.receiver = undefined;
    this.#stream.close(NGHTTP2_INTERNAL_ERROR);
  }

  readRequest(on: boolean): void {
    if (on) this.#stream.resume();
    else this.#stream.pause();
  }

  closeAfter(): void {
    this.#server.drain();
  }

  #finish(): void {
    this.#finished = true;
    this.receiver = undefined;
    // A response that overtook its request: the client is told to stop sending.
    if (!this.#ended && !this.#stream.endAfterHeaders && !this.#stream.readableEnded)
      this.#stream.once('finish', () => this.#stream.close(NGHTTP2_NO_ERROR));
  }

  #gone(): void {
    const receiver = this.receiver;
    this.receiver = undefined;
    this.#finished = true;
    receiver?.aborted();
  }
}

/** Fields that have no meaning in HTTP/2, and values that an HTTP/1.1 hop would read as a line end (RFC 9113 section 8.2). */
function hasForbidden(headers: Headers): boolean {
  const list = headers.list;
  for (let i = 0; i < list.length; i += 2) {
    const name = list[i];
    if (name === 'connection' || name === 'transfer-encoding' || name === 'upgrade' || name === 'keep-alive' || name === 'proxy-connection')
      return true;
    if (/[\r\n\0]/.test(list[i + 1] ?? '')) return true;
  }
  return false;
}

const nothing = Buffer.alloc(0);
