// HTTP/2 to a host: a node:http2 session shared by many requests.

import http2, {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  type IncomingHttpHeaders,
  type IncomingHttpStatusHeader,
  type OutgoingHttpHeaders,
} from 'node:http2';
import type { Duplex } from 'node:stream';
import { guardSession } from '../../../xds/index.ts';
import { toH2 } from '../../codec/h2/h2-fields.ts';
import { readResponseHead, readTrailers } from '../../codec/h2/h2-head.ts';
import type { Headers } from '../../codec/http/headers.ts';
import { passableTrailers } from '../../codec/http/hop-by-hop.ts';
import type {
  RequestHead,
  ResetReason,
  UpstreamReceiver,
  UpstreamStream,
} from '../../codec/http/message-contract.ts';
import type { Clock } from '../../net/clock.ts';
import { KeepAlive } from '../../net/h2-keep-alive.ts';
import type { H2Options } from '../../plan/http/h2-options.ts';
import type { ConnectionOwner, UpstreamConnection } from './upstream-connection.ts';

const { NGHTTP2_CANCEL, NGHTTP2_PROTOCOL_ERROR, NGHTTP2_REFUSED_STREAM } = http2.constants;

export interface H2ClientOptions {
  readonly h2: H2Options;
  readonly maxRequests: number;
  readonly secure: boolean;
  readonly clock: Clock;
  readonly localAddress: string | undefined;
}

export class H2Client implements UpstreamConnection {
  readonly #session: ClientHttp2Session;
  readonly #owner: ConnectionOwner;
  readonly #maxStreams: number;
  readonly #maxRequests: number;
  readonly localAddress: string | undefined;
  readonly protocol = 'HTTP/2';
  #keepAlive: KeepAlive | undefined;
  #served = 0;
  #draining = false;
  #gone = false;
  activeStreams = 0;

  constructor(socket: Duplex, owner: ConnectionOwner, options: H2ClientOptions) {
    this.#owner = owner;
    this.localAddress = options.localAddress;
    this.#maxStreams = options.h2.maxConcurrentStreams;
    this.#maxRequests = options.maxRequests;
    this.#session = http2.connect(options.secure ? 'https://upstream' : 'http://upstream', {
      createConnection: () => socket,
      settings: {
        enablePush: false,
        initialWindowSize: options.h2.initialStreamWindow,
        maxHeaderListSize: 80 * 1024,
      },
      maxHeaderListPairs: 256,
    });
    this.#session.setLocalWindowSize(options.h2.initialConnectionWindow);
    this.#session.on('goaway', () => {
      this.#draining = true;
      if (this.activeStreams === 0) this.drain();
    });
    this.#session.on('error', () => undefined);
    this.#session.on('close', () => this.#closed());
    this.#session.once('connect', () => guardSession(this.#session));
    // node:http2 waits for a GOAWAY: a host that ends without one is gone, and with it what was under way.
    socket.once('end', () => this.#lost());
    socket.once('close', () => this.#lost());
    if (options.h2.keepAlive)
      this.#keepAlive = new KeepAlive(this.#session, {
        plan: options.h2.keepAlive,
        clock: options.clock,
        lost: () => this.#lost(),
      });
  }

  get available(): boolean {
    const limit = Math.min(
      this.#maxStreams,
      this.#session.remoteSettings?.maxConcurrentStreams ?? this.#maxStreams,
    );
    return !this.#draining && !this.#session.closed && !this.#session.destroyed && this.activeStreams < limit;
  }

  request(
    head: RequestHead,
    end: boolean,
    full: string | undefined,
    receiver: UpstreamReceiver,
  ): UpstreamStream {
    this.#keepAlive?.used();
    if (this.#maxRequests > 0 && ++this.#served >= this.#maxRequests) this.#draining = true;
    const fields: OutgoingHttpHeaders = { ':method': head.method, ':authority': head.authority };
    // RFC 9113 section 8.5: CONNECT has neither.
    if (head.method !== 'CONNECT') {
      fields[':scheme'] = head.scheme || 'http';
      fields[':path'] = head.path;
    }
    if (full !== undefined && !head.headers.has('content-length'))
      fields['content-length'] = String(full.length);
    const noBody = end && full === undefined;
    const stream = this.#open(toH2(head.headers, fields), noBody, end);
    if (!stream) return refused(receiver);
    this.activeStreams++;
    const turn = new StreamTurn(stream, receiver, head.method === 'HEAD');
    stream.on('close', () => this.#streamClosed());
    if (full !== undefined) stream.end(Buffer.from(full, 'latin1'));
    return turn;
  }

  /** node:http2 throws for a session that has just gone and for fields that it does not let pass. */
  #open(fields: OutgoingHttpHeaders, endStream: boolean, end: boolean): ClientHttp2Stream | undefined {
    try {
      return this.#session.request(fields, { endStream, ...(end ? {} : { waitForTrailers: true }) });
    } catch {
      return undefined;
    }
  }

  drain(): void {
    this.#draining = true;
    if (!this.#session.closed) this.#session.close();
  }

  destroy(): void {
    this.#session.destroy();
  }

  #streamClosed(): void {
    this.activeStreams--;
    if (this.#draining && this.activeStreams === 0) this.drain();
    else if (this.available) this.#owner.released(this);
  }

  #lost(): void {
    this.#draining = true;
    this.#session.destroy();
  }

  #closed(): void {
    this.#draining = true;
    if (this.#gone) return;
    this.#gone = true;
    this.#owner.gone(this);
  }
}

function refused(receiver: UpstreamReceiver): UpstreamStream {
  queueMicrotask(() => receiver.failed('local', 'the session did not take the request'));
  const nothingToDo = (): void => undefined;
  return {
    body: () => true,
    trailers: nothingToDo,
    flush: nothingToDo,
    reset: nothingToDo,
    readResponse: nothingToDo,
  };
}

class StreamTurn implements UpstreamStream {
  readonly #stream: ClientHttp2Stream;
  #receiver: UpstreamReceiver | undefined;
  #trailers: Headers | undefined;
  #received: Headers | undefined;
  #headed = false;
  #ended = false;

  constructor(stream: ClientHttp2Stream, receiver: UpstreamReceiver, headOnly: boolean) {
    this.#stream = stream;
    this.#receiver = receiver;
    stream.on(
      'headers',
      (_headers: IncomingHttpHeaders & IncomingHttpStatusHeader, _flags: number, raw?: readonly string[]) =>
        this.#interim(raw ?? []),
    );
    stream.on('response', (_headers, flags, raw) => this.#head(raw ?? [], headOnly || (flags & 1) === 1));
    stream.on('wantTrailers', () => stream.sendTrailers(this.#trailers ? toH2(this.#trailers, {}) : {}));
    stream.on('trailers', (_headers: IncomingHttpHeaders, _flags: number, raw?: readonly string[]) =>
      this.#trailersIn(raw ?? []),
    );
    stream.on('end', () => this.#end());
    stream.on('drain', () => this.#receiver?.writable());
    stream.on('error', () => undefined);
    stream.on('close', () => this.#closed());
  }

  body(chunk: Buffer, end: boolean): boolean {
    if (!this.#receiver || this.#stream.destroyed) return true;
    const more = chunk.length === 0 ? true : this.#stream.write(Buffer.from(chunk));
    if (end) this.#stream.end();
    return more;
  }

  trailers(trailers: Headers): void {
    if (!this.#receiver) return;
    this.#trailers = trailers;
    this.#stream.end();
  }

  flush(): void {
    // node:http2 gathers frames by itself.
  }

  reset(): void {
    this.#receiver = undefined;
    this.#stream.close(NGHTTP2_CANCEL);
  }

  readResponse(on: boolean): void {
    if (on) this.#stream.resume();
    else this.#stream.pause();
  }

  #interim(raw: readonly string[]): void {
    const head = readResponseHead(raw);
    if (!head || head.headers.has('content-length')) this.#malformed();
    else this.#receiver?.interim(head.status, head.headers);
  }

  #malformed(): void {
    const receiver = this.#receiver;
    this.#receiver = undefined;
    this.#stream.close(NGHTTP2_PROTOCOL_ERROR);
    receiver?.failed('protocol-error', 'malformed fields');
  }

  #head(raw: readonly string[], end: boolean): void {
    const head = readResponseHead(raw);
    if (!head) {
      this.#malformed();
      return;
    }
    this.#headed = true;
    if (end) this.#ended = true;
    this.#receiver?.head(head.status, head.headers, end);
    if (end) {
      this.#receiver = undefined;
      this.#stream.resume();
    } else this.#stream.on('data', (chunk: Buffer) => this.#data(chunk));
  }

  /** Listened to only now: node:http2 tells of a head later than of data that came along with it. */
  #data(chunk: Buffer): void {
    if (this.#ended) return;
    this.#receiver?.body(chunk, false);
    this.#receiver?.flush();
  }

  #trailersIn(raw: readonly string[]): void {
    if (this.#ended) return;
    const trailers = readTrailers(raw);
    if (!trailers) {
      this.#malformed();
      return;
    }
    // They may come while data that was sent before them still waits to be read.
    this.#received = passableTrailers(trailers);
  }

  #end(): void {
    // A reset stream also ends for node:http2; a clean end has no error code.
    if (this.#ended || !this.#headed || this.#stream.rstCode !== 0) return;
    this.#ended = true;
    const receiver = this.#receiver;
    this.#receiver = undefined;
    if (this.#received) receiver?.trailers(this.#received);
    else receiver?.body(nothing, true);
    receiver?.flush();
  }

  #closed(): void {
    const receiver = this.#receiver;
    this.#receiver = undefined;
    receiver?.failed(this.#reason(), '');
  }

  #reason(): ResetReason {
    const code = this.#stream.rstCode;
    if (code === NGHTTP2_REFUSED_STREAM) return 'refused-stream';
    return this.#stream.session?.destroyed || code === undefined || code === 0 || code === NGHTTP2_CANCEL
      ? 'termination'
      : 'remote-reset';
  }
}

const nothing = Buffer.alloc(0);
