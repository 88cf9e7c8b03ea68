// HTTP/2 from clients: each stream of a node:http2 session becomes an exchange.

import http2, { type IncomingHttpHeaders, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2';
import type { Duplex } from 'node:stream';
import { guardSession } from '../../../xds/index.ts';
import { toH2 } from '../../codec/h2/h2-fields.ts';
import { readRequestHead, readTrailers } from '../../codec/h2/h2-head.ts';
import type { Headers } from '../../codec/http/headers.ts';
import { passableTrailers } from '../../codec/http/hop-by-hop.ts';
import type { RequestReceiver, Responder } from '../../codec/http/message-contract.ts';
import { Request } from '../../codec/http/request.ts';
import type { Timer } from '../../net/clock.ts';
import { KeepAlive } from '../../net/h2-keep-alive.ts';
import type { H2Options } from '../../plan/http/h2-options.ts';
import type { RequestHandler } from './h1-server.ts';
import { H2Overhead, type OverheadSource } from './h2-overhead.ts';
import { ignoreStrayAcks } from './h2-stray-acks.ts';

const { NGHTTP2_ENHANCE_YOUR_CALM, NGHTTP2_INTERNAL_ERROR, NGHTTP2_NO_ERROR, NGHTTP2_PROTOCOL_ERROR } =
  http2.constants;

/** Requests of one connection that are begun in one turn of the event loop. */
const burstSize = 16;

export class H2Server {
  readonly #session: ServerHttp2Session;
  readonly #handler: RequestHandler;
  /** @internal */
  readonly overhead: H2Overhead;
  requests = 0;
  #active = 0;
  #idle: Timer | undefined;
  readonly #queue: { readonly stream: ServerHttp2Stream; readonly raw: readonly string[] }[] = [];
  #burst = 0;
  /** Streams reset by the client; a burst of them ends the connection (CVE-2023-44487). */
  #resets = 0;

  constructor(socket: Duplex & OverheadSource, handler: RequestHandler, options: H2Options) {
    this.#handler = handler;
    const settings = {
      maxConcurrentStreams: options.maxConcurrentStreams,
      initialWindowSize: options.initialStreamWindow,
      enableConnectProtocol: options.allowConnect,
      maxHeaderListSize: handler.maxHeadBytes,
    };
    this.#session = http2.performServerHandshake(socket, {
      settings,
      maxHeaderListPairs: handler.maxHeaders,
      maxSessionInvalidFrames: 100,
      maxSettings: 32,
    });
    this.#session.setLocalWindowSize(options.initialConnectionWindow);
    this.#session.on('stream', (stream, _headers, _flags, raw) => this.#arrived(stream, raw));
    this.#session.on('error', () => undefined);
    ignoreStrayAcks(this.#session, handler.clock);
    process.nextTick(() => guardSession(this.#session));
    this.#session.on('close', () => {
      this.#idle?.close();
      this.overhead.stop();
      handler.closed();
    });
    this.overhead = new H2Overhead(
      socket,
      () => this.#session.state.effectiveRecvDataLength ?? 0,
      () => this.#session.destroy(undefined, NGHTTP2_ENHANCE_YOUR_CALM),
    );
    // node:http2 waits for a GOAWAY: a client that ends without one is gone, as for Envoy.
    socket.once('end', () => this.#session.destroy());
    // A socket that nothing was read from yet does not begin by itself.
    socket.read(0);
    const lost = (): void => this.#session.destroy();
    if (options.keepAlive)
      new KeepAlive(this.#session, { plan: options.keepAlive, clock: handler.clock, lost });
    this.#armIdle();
  }

  drain(_closeIdle = true): void {
    if (!this.#session.closed) this.#session.close();
  }

  destroy(): void {
    this.#session.destroy();
  }

  /** @internal */
  resetSeen(): void {
    if (++this.#resets <= 200 || this.#resets <= this.requests / 2) return;
    // Not at once: node:http2 aborts the process when a session ends while it hands out what it has read
    // (nodejs/node#64850).
    setImmediate(() => this.#session.destroy(undefined, NGHTTP2_ENHANCE_YOUR_CALM));
  }

  /**
   * Of a burst only the first ones are served at once: the others wait their turn, and those that are reset
   * by then cost nothing more.
   */
  #arrived(stream: ServerHttp2Stream, raw: readonly string[]): void {
    this.requests++;
    this.overhead.head(raw);
    this.#active++;
    stream.on('error', () => undefined);
    stream.once('close', () => {
      this.#active--;
      this.#armIdle();
    });
    if (this.#burst < burstSize && this.#queue.length === 0) {
      if (this.#burst++ === 0) setImmediate(() => this.#serveQueue());
      this.#accept(stream, raw);
    } else this.#queue.push({ stream, raw });
  }

  #serveQueue(): void {
    this.#burst = 0;
    let served = 0;
    let index = 0;
    for (; index < this.#queue.length && served < burstSize; index++) {
      const next = this.#queue[index];
      if (next?.stream.destroyed === false && !next.stream.aborted) {
        served++;
        this.#accept(next.stream, next.raw);
      } else this.resetSeen();
    }
    this.#queue.splice(0, index);
    if (this.#queue.length === 0) return;
    this.#burst = burstSize;
    setImmediate(() => this.#serveQueue());
  }

  /** Only a connection without streams is idle. */
  #armIdle(): void {
    const { clock, idleTimeout } = this.#handler;
    if (idleTimeout <= 0 || this.#active > 0) return;
    if (this.#idle) this.#idle.refresh();
    else this.#idle = clock.after(idleTimeout, () => this.#active === 0 && this.drain());
  }

  #accept(stream: ServerHttp2Stream, raw: readonly string[]): void {
    const head = readRequestHead(raw);
    if (!head) {
      this.#handler.protocolProblem(400);
      stream.close(NGHTTP2_PROTOCOL_ERROR);
      return;
    }
    const { protocol, headers } = head;
    const request = new Request({
      method: protocol === undefined ? head.method : 'GET',
      path: head.path ?? '',
      authority: head.authority,
      scheme: head.scheme,
      upgrade: protocol,
      protocol: 'h2',
      headers,
    });
    if (protocol !== undefined) {
      headers.set('connection', 'Upgrade');
      headers.set('upgrade', protocol);
    }
    const tunnel = head.method === 'CONNECT';
    const end = !tunnel && (stream.readableEnded || stream.endAfterHeaders);
    const turn = new StreamTurn(this, stream, { headOnly: head.method === 'HEAD', tunnel });
    turn.receiver = this.#handler.accept(request, turn, end, undefined);
    // The bytes of a tunnel wait until the other side has agreed to it.
    if (!end && !tunnel) turn.read();
  }
}

interface TurnKind {
  readonly headOnly: boolean;
  /** A CONNECT, with or without a protocol (RFC 8441). */
  readonly tunnel: boolean;
}

class StreamTurn implements Responder {
  readonly #server: H2Server;
  readonly #stream: ServerHttp2Stream;
  readonly #kind: TurnKind;
  receiver: RequestReceiver | undefined;
  #started = false;
  #finished = false;
  #trailers: Headers | undefined;
  #received: Headers | undefined;
  #ended = false;

  constructor(server: H2Server, stream: ServerHttp2Stream, kind: TurnKind) {
    this.#server = server;
    this.#stream = stream;
    this.#kind = kind;
    stream.on('wantTrailers', () =>
      this.#stream.sendTrailers(this.#trailers ? toH2(this.#trailers, {}) : {}),
    );
    stream.on('drain', () => this.receiver?.writable());
    stream.on('aborted', () => {
      this.#server.resetSeen();
      this.#gone();
    });
    stream.on('close', () => this.#gone());
  }

  /** Takes the body from here on. */
  read(): void {
    const stream = this.#stream;
    stream.on('data', (chunk: Buffer) => {
      this.#server.overhead.data(chunk.length);
      this.receiver?.body(chunk, false);
      this.receiver?.flush();
    });
    stream.on('trailers', (_headers: IncomingHttpHeaders, _flags: number, raw?: readonly string[]) => {
      const trailers = readTrailers(raw ?? []);
      // They may come while data that was sent before them still waits to be read.
      if (trailers) this.#received = passableTrailers(trailers);
      else this.#stream.close(NGHTTP2_PROTOCOL_ERROR);
    });
    stream.on('end', () => {
      if (this.#ended || stream.aborted) return;
      this.#ended = true;
      if (this.#received) this.receiver?.trailers(this.#received);
      else this.receiver?.body(nothing, true);
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
    const code = this.#kind.tunnel && status === 101 ? 200 : status;
    const empty = end && (full === undefined || full === '' || this.#kind.headOnly);
    if (full !== undefined && !headers.has('content-length'))
      headers.set('content-length', String(full.length));
    try {
      this.#stream.respond(toH2(headers, { ':status': code }), { endStream: empty, waitForTrailers: !end });
    } catch {
      // Fields that HTTP/2 does not carry: the stream fails, not the proxy.
      this.#finish();
      this.#stream.close(NGHTTP2_INTERNAL_ERROR);
      return;
    }
    if (!end && this.#kind.tunnel && code >= 200 && code < 300) this.read();
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

const nothing = Buffer.alloc(0);
