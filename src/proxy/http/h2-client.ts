// HTTP/2 to a host: a node:http2 session shared by many requests.
import http2, {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  type IncomingHttpHeaders,
  type IncomingHttpStatusHeader,
  type OutgoingHttpHeaders,
} from 'node:http2';
import type { Duplex } from 'node:stream';
import type { RequestHead, ResetReason, UpstreamReceiver, UpstreamStream } from './exchange.ts';
import { fromRawH2, toH2 } from './h2-fields.ts';
import { Headers } from './headers.ts';
import type { ConnectionOwner, UpstreamConnection } from './upstream-connection.ts';

const { NGHTTP2_CANCEL, NGHTTP2_REFUSED_STREAM } = http2.constants;

export class H2Client implements UpstreamConnection {
  readonly #session: ClientHttp2Session;
  readonly #owner: ConnectionOwner;
  readonly #maxStreams: number;
  readonly #maxRequests: number;
  #served = 0;
  #draining = false;
  #gone = false;
  activeStreams = 0;

  constructor(socket: Duplex, owner: ConnectionOwner, options: { maxStreams: number; maxRequests: number; secure: boolean }) {
    this.#owner = owner;
    this.#maxStreams = options.maxStreams;
    this.#maxRequests = options.maxRequests;
    this.#session = http2.connect(options.secure ? 'https://upstream' : 'http://upstream', {
      createConnection: () => socket,
      settings: { enablePush: false, initialWindowSize: 1 << 20 },
      maxHeaderListPairs: 256,
    });
    this.#session.setLocalWindowSize(1 << 24);
    this.#session.on('goaway', () => {
      this.#draining = true;
    });
    this.#session.on('error', () => undefined);
    this.#session.on('close', () => this.#closed());
  }

  get available(): boolean {
    const limit = Math.min(this.#maxStreams, this.#session.remoteSettings?.maxConcurrentStreams ?? this.#maxStreams);
    return !this.#draining && !this.#session.closed && !this.#session.destroyed && this.activeStreams < limit;
  }

  request(head: RequestHead, end: boolean, full: string | undefined, receiver: UpstreamReceiver): UpstreamStream {
    if (this.#maxRequests > 0 && ++this.#served >= this.#maxRequests) this.#draining = true;
    const fields: OutgoingHttpHeaders = { ':method': head.method, ':authority': head.authority, ':scheme': head.scheme || 'http' };
    if (head.method !== 'CONNECT') fields[':path'] = head.path;
    if (full !== undefined && !head.headers.has('content-length')) fields['content-length'] = String(full.length);
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
  return { body: () => true, trailers: nothingToDo, flush: nothingToDo, reset: nothingToDo, readResponse: nothingToDo };
}

class StreamTurn implements UpstreamStream {
  readonly #stream: ClientHttp2Stream;
  #receiver: UpstreamReceiver | undefined;
  #trailers: Headers | undefined;
  #headed = false;
  #ended = false;

  constructor(stream: ClientHttp2Stream, receiver: UpstreamReceiver, headOnly: boolean) {
    this.#stream = stream;
    this.#receiver = receiver;
    stream.on('headers', (headers: IncomingHttpHeaders & IncomingHttpStatusHeader) =>
      this.#receiver?.interim(Number(headers[':status']), new Headers()),
    );
    stream.on('response', (headers, flags, raw) =>
      this.#head(Number(headers[':status']), fromRawH2(raw ?? []), headOnly || (flags & 1) === 1),
    );
    stream.on('wantTrailers', () => stream.sendTrailers(this.#trailers ? toH2(this.#trailers, {}) : {}));
    stream.on('data', (chunk: Buffer) => {
      if (this.#ended) return;
      this.#receiver?.body(chunk, false);
      this.#receiver?.flush();
    });
    stream.on('trailers', (_headers: IncomingHttpHeaders, _flags: number, raw?: readonly string[]) =>
      this.#trailersIn(fromRawH2(raw ?? [])),
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

  #head(status: number, headers: Headers, end: boolean): void {
    this.#headed = true;
    if (end) this.#ended = true;
    this.#receiver?.head(status, headers, end);
    if (!end) return;
    this.#receiver = undefined;
    this.#stream.resume();
  }

  #trailersIn(trailers: Headers): void {
    if (this.#ended) return;
    this.#ended = true;
    const receiver = this.#receiver;
    this.#receiver = undefined;
    receiver?.trailers(trailers);
  }

  #end(): void {
    // A reset stream also ends for node:http2; a clean end has no error code.
    if (this.#ended || !this.#headed || this.#stream.rstCode !== 0) return;
    this.#ended = true;
    const receiver = this.#receiver;
    this.#receiver = undefined;
    receiver?.body(nothing, true);
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
    return this.#stream.session?.destroyed || code === undefined || code === 0 || code === NGHTTP2_CANCEL ? 'termination' : 'remote-reset';
  }
}

const nothing = Buffer.alloc(0);
