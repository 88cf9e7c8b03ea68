// An HTTP/1.1 connection from a client: reads requests one after the other, writes their responses in order.

import { H1Reader, type MessageEvents, type ReadProblem } from '../../codec/h1/h1-reader.ts';
import { fieldLines, statusLine } from '../../codec/h1/h1-serialize.ts';
import { H1Writer } from '../../codec/h1/h1-writer.ts';
import type { ScannedHead } from '../../codec/h1/head-scanner.ts';
import { readTarget } from '../../codec/h1/request-target.ts';
import { ambiguous, chunked, type Framing, requestFraming } from '../../codec/http/framing.ts';
import { Headers } from '../../codec/http/headers.ts';
import { connectionWishes, passableTrailers } from '../../codec/http/hop-by-hop.ts';
import type { RequestReceiver, Responder } from '../../codec/http/message-contract.ts';
import { Request } from '../../codec/http/request.ts';
import type { Clock, Timer } from '../../net/clock.ts';
import type { Wire, WireEvents } from '../../net/wire.ts';

/** What stands above a server codec. */
export interface RequestHandler {
  accept(head: Request, responder: Responder, end: boolean, full: string | undefined): RequestReceiver;
  /** Fields of a response that the codec makes itself. */
  localFields(): Headers;
  protocolProblem(status: number): void;
  closed(): void;
  readonly clock: Clock;
  readonly acceptHttp10: boolean;
  /** Whether trailers are passed on, in both directions. */
  readonly trailers: boolean;
  /** Whether `https` in an absolute target is refused on a plaintext connection. */
  readonly refusesHttps: boolean;
  /** Whether an upgrade of this kind is to be treated as one rather than ignored. */
  upgradable(protocol: string): boolean;
  /** Milliseconds that a connection without requests is kept; 0 is forever. */
  readonly idleTimeout: number;
  readonly headLimit: HeadLimit | undefined;
  readonly maxHeaders: number;
  readonly maxHeadBytes: number;
}

/** How long a head may take to arrive, and what its sender is told then. */
export interface HeadLimit {
  readonly ms: number;
  readonly text: string;
}

const lingerMs = 1000;
const lingerBytes = 1 << 20;
const nothing = Buffer.alloc(0);
const noTrailers = new Headers();

const refusals = new Map([
  [400, 'Bad Request'],
  [403, 'Forbidden'],
  [431, 'Request Header Fields Too Large'],
  [501, 'Not Implemented'],
]);

/** The methods that Envoy's parser knows; it refuses others. */
const methods = new Set(
  'GET HEAD POST PUT DELETE CONNECT OPTIONS TRACE PATCH ACL BIND CHECKOUT COPY LINK LOCK MERGE MKACTIVITY MKCALENDAR MKCOL MOVE MSEARCH NOTIFY PROPFIND PROPPATCH PURGE REBIND REPORT SEARCH SOURCE SUBSCRIBE UNBIND UNLINK UNLOCK UNSUBSCRIBE'.split(
    ' ',
  ),
);

export class H1Server implements WireEvents, MessageEvents {
  readonly wire: Wire;
  readonly #handler: RequestHandler;
  readonly #reader: H1Reader;
  readonly writer: H1Writer;
  #turn: Turn | undefined;
  #draining = false;
  #feeding = false;
  #paused = false;
  #ended = false;
  /** The last response has gone out: nothing that follows is read as a request. */
  #lingering = false;
  #discarded = 0;
  #idleTimer: Timer | undefined;
  #headTimer: Timer | undefined;
  requests = 0;

  constructor(wire: Wire, handler: RequestHandler) {
    this.wire = wire;
    this.#handler = handler;
    this.#reader = new H1Reader(this, {
      request: true,
      maxHeaders: handler.maxHeaders,
      maxHeadBytes: handler.maxHeadBytes,
    });
    this.writer = new H1Writer(wire);
    wire.attach(this);
    this.#armIdle();
  }

  /**
   * The next response says that the connection closes, and closes it. An idle one may be left to its client,
   * who may be about to use it.
   */
  drain(closeIdle: boolean): void {
    this.#draining = true;
    if (closeIdle && !this.#turn && this.#reader.idle) this.wire.end();
  }

  /** @internal The response being sent told the client that the connection closes. */
  announced = false;

  destroy(): void {
    this.wire.destroy();
  }

  get closing(): boolean {
    return this.#draining;
  }

  closeSoon(): void {
    this.#draining = true;
  }

  get passesTrailers(): boolean {
    return this.#handler.trailers;
  }

  onBytes(bytes: Buffer, start: number, end: number): void {
    if (this.#lingering) {
      this.#discard(end - start);
      return;
    }
    this.#feeding = true;
    this.#reader.feed(bytes, start, end);
    this.#feeding = false;
    this.#afterFeed();
  }

  onDrain(): void {
    if (this.#turn) this.#turn.receiver?.writable();
    else if (!this.#lingering) this.#goOn();
  }

  onEnd(): void {
    this.#ended = true;
    const turn = this.#turn;
    if (!this.#reader.finish()) this.#abort();
    else if (!turn) this.wire.end();
    // A client that half-closes after its request still gets the response, as Envoy does not: most clients
    // that end are gone.
    else if (!turn.tunnelled && turn.receiver) this.#abort();
  }

  onClose(): void {
    this.#idleTimer?.close();
    this.#headTimer?.close();
    const turn = this.#turn;
    this.#turn = undefined;
    turn?.receiver?.aborted();
    this.#handler.closed();
  }

  framing(head: ScannedHead): Framing | 'hold' {
    if (head.first === 'CONNECT') return 'hold';
    const framing = requestFraming(head.headers);
    if (framing < chunked || this.#upgradeOf(head) === undefined) return framing;
    // The bytes after an upgrade belong to the new protocol: a body between the two is read differently by
    // different servers.
    return framing === 0 ? 'hold' : ambiguous;
  }

  onHead(head: ScannedHead, end: boolean, full: string | undefined): void {
    this.#headTimer?.close();
    this.#headTimer = undefined;
    this.requests++;
    const upgrade = this.#upgradeOf(head);
    const wishes = connectionWishes(head.headers);
    if (wishes.close || (head.http10 && !wishes.keepAlive)) this.#draining = true;
    // An answer given before the body has been dealt with closes the connection, also when the body came
    // along with the head.
    const turn = new Turn(this, { method: head.first, http10: head.http10 }, end && full === undefined);
    this.#turn = turn;
    const target = readTarget(head, this.#handler.refusesHttps);
    if (head.http10 && !this.#handler.acceptHttp10) {
      this.#refuse(426);
      return;
    }
    if (!methods.has(head.first) || !wishes.valid) {
      this.#refuse(400);
      return;
    }
    if (typeof target === 'number') {
      this.#refuse(target, target === 400 ? '' : undefined);
      return;
    }
    const request = new Request({
      method: head.first,
      path: target.path,
      authority: target.authority,
      scheme: target.scheme,
      upgrade,
      protocol: head.http10 ? 'http/1.0' : 'http/1.1',
      headers: head.headers,
    });
    const receiver = this.#handler.accept(request, turn, end, full);
    turn.requestDone = end;
    if (!turn.finished) turn.receiver = receiver;
  }

  onBody(chunk: Buffer, end: boolean): void {
    if (!this.#turn) return;
    this.#turn.requestDone = end && !this.#turn.tunnelled;
    this.#turn.receiver?.body(chunk, end);
    if (end) this.#turnMayBeOver();
  }

  onTrailers(trailers: Headers): void {
    if (!this.#turn) return;
    this.#turn.requestDone = true;
    if (this.#handler.trailers) this.#turn.receiver?.trailers(passableTrailers(trailers));
    else this.#turn.receiver?.body(nothing, true);
    this.#turnMayBeOver();
  }

  onProblem(problem: ReadProblem): void {
    const turn = this.#turn;
    if (turn?.receiver) {
      turn.receiver.aborted();
      turn.receiver = undefined;
      if (turn.started) {
        this.wire.destroy();
        return;
      }
    }
    this.#refuse(refusalOf(problem));
  }

  /** @internal The turn has written the end of its response. */
  responded(turn: Turn): void {
    if (turn !== this.#turn) return;
    turn.receiver = undefined;
    this.#turnMayBeOver();
  }

  /** @internal */
  tunnel(): void {
    this.readRequest(true);
    this.#reader.tunnel();
  }

  /** @internal */
  readRequest(on: boolean): void {
    if (on === !this.#paused) return;
    this.#paused = !on;
    if (on) this.wire.resume();
    else this.wire.pause();
  }

  #turnMayBeOver(): void {
    const turn = this.#turn;
    if (!turn?.finished) return;
    if (!turn.requestDone || this.announced || this.#ended) {
      this.#linger();
      return;
    }
    this.#turn = undefined;
    this.readRequest(true);
    this.#armIdle();
    if (this.#feeding || this.wire.backedUp) return;
    if (this.#reader.pendingLength > 0) setImmediate(() => this.#goOn());
    else this.#reader.next();
  }

  #goOn(): void {
    // Answers that the client does not read would pile up: its next request waits for them.
    if (this.#turn || !this.#reader.done || this.wire.backedUp) return;
    this.readRequest(true);
    this.#feeding = true;
    this.#reader.next();
    this.#feeding = false;
    this.#afterFeed();
  }

  #afterFeed(): void {
    const turn = this.#turn;
    if (turn || this.wire.backedUp) {
      turn?.receiver?.flush();
      // Pipelined bytes beyond one read wait in the kernel, and so do those for a protocol that the upstream
      // has not agreed to yet.
      if (this.#reader.waits && this.#reader.pendingLength > 64 * 1024) this.readRequest(false);
    } else if (this.#reader.done) this.#goOn();
    else if (!this.#reader.idle && !this.#lingering) this.#headBegun();
  }

  /** From its first byte on a request has begun: only a pause between its bytes counts as idle. */
  #headBegun(): void {
    this.#idleTimer?.refresh();
    const limit = this.#handler.headLimit;
    if (this.#headTimer || !limit) return;
    this.#headTimer = this.#handler.clock.after(limit.ms, () => this.#refuse(408, limit.text));
  }

  #linger(): void {
    this.#headTimer?.close();
    this.#headTimer = undefined;
    this.#lingering = true;
    this.#turn = undefined;
    this.#reader.discard();
    this.readRequest(true);
    this.wire.end();
    // What the client still sends is read and dropped for a while: closing at once would reset the response
    // away.
    this.#handler.clock.after(lingerMs, () => this.wire.destroy());
  }

  /**
   * A client that goes on sending after the last response is read for a while, then left to the kernel's
   * limits.
   */
  #discard(length: number): void {
    this.#discarded += length;
    if (this.#discarded > lingerBytes) this.readRequest(false);
  }

  #abort(): void {
    const turn = this.#turn;
    this.#turn = undefined;
    turn?.receiver?.aborted();
    this.wire.destroy();
  }

  /** A response of the codec's own, after which the connection closes. */
  #refuse(status: number, body = refusals.get(status) ?? ''): void {
    this.#handler.protocolProblem(status);
    const headers = this.#handler.localFields();
    const fields = body === '' ? '' : 'content-type: text/plain\r\n';
    this.writer.whole(
      `${statusLine(status)}content-length: ${body.length}\r\n${fields}${fieldLines(headers)}connection: close\r\n\r\n`,
      body,
    );
    this.#draining = true;
    this.#linger();
  }

  #upgradeOf(head: ScannedHead): string | undefined {
    if (head.headers.get('upgrade') === undefined) return undefined;
    const upgrade = connectionWishes(head.headers).upgrade;
    return upgrade !== undefined && this.#handler.upgradable(upgrade) ? upgrade : undefined;
  }

  /**
   * One timer a connection: it goes on under a request, to no effect, rather than being made anew for each.
   */
  #armIdle(): void {
    const { clock, idleTimeout } = this.#handler;
    if (idleTimeout <= 0) return;
    if (this.#idleTimer) this.#idleTimer.refresh();
    else this.#idleTimer = clock.after(idleTimeout, () => this.#idleExpired());
  }

  #idleExpired(): void {
    if (!this.#turn) this.wire.end();
  }
}

/** One request and its response. */
interface TurnKind {
  readonly method: string;
  /** The client knows neither chunks nor interim responses, and closes unless it says otherwise. */
  readonly http10: boolean;
}

class Turn implements Responder {
  readonly #server: H1Server;
  readonly #method: string;
  readonly #http10: boolean;
  receiver: RequestReceiver | undefined;
  requestDone: boolean;
  started = false;
  finished = false;
  tunnelled = false;

  constructor(server: H1Server, { method, http10 }: TurnKind, requestDone: boolean) {
    this.#server = server;
    this.#method = method;
    this.#http10 = http10;
    this.requestDone = requestDone;
  }

  interim(status: number, headers: Headers): void {
    if (!this.finished && !this.started && !this.#http10)
      this.#server.writer.whole(`${statusLine(status)}${fieldLines(headers)}\r\n`, undefined);
  }

  head(status: number, headers: Headers, end: boolean, full?: string): void {
    if (this.started) return;
    this.started = true;
    const tunnel = !end && (status === 101 || (this.#method === 'CONNECT' && status >= 200 && status < 300));
    const bodyless = this.#method === 'HEAD' || status === 204 || status === 304 || status < 200;
    let text = statusLine(status, this.#http10) + fieldLines(headers);
    const unsized = !end && !tunnel && !bodyless && !headers.has('content-length');
    const chunkedBody = unsized && !this.#http10;
    if (unsized && this.#http10) this.#server.closeSoon();
    if (chunkedBody) text += 'transfer-encoding: chunked\r\n';
    else if (end && !bodyless && !headers.has('content-length'))
      text += `content-length: ${full === undefined ? 0 : full.length}\r\n`;
    if (!tunnel && (this.#server.closing || (end && !this.requestDone))) {
      this.#server.closeSoon();
      this.#server.announced = true;
      text += 'connection: close\r\n';
    } else if (this.#http10) text += 'connection: keep-alive\r\n';
    text += '\r\n';
    if (tunnel) {
      this.#tunnel(text);
      return;
    }
    if (end) {
      this.#server.writer.whole(text, bodyless ? undefined : full);
      this.#finish();
    } else this.#server.writer.begin(text, chunkedBody);
  }

  body(chunk: Buffer, end: boolean): boolean {
    if (this.finished) return true;
    const more = this.#method === 'HEAD' ? true : this.#server.writer.body(chunk, end);
    if (end && this.#method === 'HEAD') this.#server.writer.flush();
    if (end && this.tunnelled) this.#server.wire.end();
    if (end) this.#finish();
    return more;
  }

  trailers(trailers: Headers): void {
    if (this.finished) return;
    this.#server.writer.trailers(this.#server.passesTrailers ? passableTrailers(trailers) : noTrailers);
    this.#finish();
  }

  flush(): void {
    this.#server.writer.flush();
  }

  reset(): void {
    if (this.finished) return;
    this.finished = true;
    this.receiver = undefined;
    this.#server.writer.flush();
    this.#server.wire.destroy();
  }

  readRequest(on: boolean): void {
    if (!this.finished) this.#server.readRequest(on);
  }

  closeAfter(): void {
    this.#server.closeSoon();
  }

  #tunnel(text: string): void {
    this.tunnelled = true;
    this.#server.writer.whole(text, undefined);
    this.#server.tunnel();
  }

  #finish(): void {
    this.finished = true;
    this.#server.responded(this);
  }
}

function refusalOf(problem: ReadProblem): number {
  switch (problem) {
    case 'too-many-headers':
    case 'head-too-large':
      return 431;
    case 'unknown-coding':
      return 501;
    case 'other-version':
      return 426;
    default:
      return 400;
  }
}
