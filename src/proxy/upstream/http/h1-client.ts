// An HTTP/1.1 connection to a host: one request at a time, kept for the next one when both messages ended
// cleanly.

import { H1Reader, type MessageEvents, type ReadProblem, usualLimits } from '../../codec/h1/h1-reader.ts';
import { fieldLines } from '../../codec/h1/h1-serialize.ts';
import { H1Writer } from '../../codec/h1/h1-writer.ts';
import type { ScannedHead } from '../../codec/h1/head-scanner.ts';
import { type Framing, responseFraming } from '../../codec/http/framing.ts';
import { Headers } from '../../codec/http/headers.ts';
import { connectionWishes, dropHopByHop, passableTrailers } from '../../codec/http/hop-by-hop.ts';
import type {
  RequestHead,
  ResetReason,
  UpstreamReceiver,
  UpstreamStream,
} from '../../codec/http/message-contract.ts';
import type { Wire, WireEvents } from '../../net/wire.ts';
import { type ConnectionOwner, staleConnection, type UpstreamConnection } from './upstream-connection.ts';

/** Envoy's limit for responses, which is more than for requests. */
const maxHeadBytes = 80 * 1024;
/** Idle for less than this, a connection is not thought to have been closed for being idle. */
const staleAfterMs = 1000;
const nothing = Buffer.alloc(0);
const noTrailers = new Headers();

export interface H1ClientOptions {
  /** Milliseconds, steady. */
  readonly now: () => number;
  readonly maxRequests: number;
  readonly trailers: boolean;
  /** Of a response. */
  readonly maxHeaders?: number;
}

export class H1Client implements UpstreamConnection, WireEvents, MessageEvents {
  readonly #wire: Wire;
  readonly #owner: ConnectionOwner;
  readonly #reader: H1Reader;
  readonly #writer: H1Writer;
  readonly #now: () => number;
  readonly #maxRequests: number;
  readonly localAddress: string | undefined;
  readonly protocol = 'HTTP/1.1';
  /** @internal Whether trailers are passed on, in both directions. */
  readonly passesTrailers: boolean;
  #turn: ClientTurn | undefined;
  #method = '';
  #served = 0;
  #idleSince = 0;
  #stale = false;
  #closing = false;
  #gone = false;
  #feeding = false;
  #paused = false;

  constructor(wire: Wire, owner: ConnectionOwner, options: H1ClientOptions) {
    this.#wire = wire;
    this.#owner = owner;
    this.localAddress = wire.localAddress;
    this.#now = options.now;
    this.#maxRequests = options.maxRequests;
    this.passesTrailers = options.trailers;
    this.#reader = new H1Reader(this, {
      request: false,
      maxHeaders: options.maxHeaders ?? usualLimits.maxHeaders,
      maxHeadBytes,
    });
    this.#writer = new H1Writer(wire);
    wire.attach(this);
  }

  get available(): boolean {
    return this.#turn === undefined && !this.#closing;
  }

  get activeStreams(): number {
    return this.#turn ? 1 : 0;
  }

  request(
    head: RequestHead,
    end: boolean,
    full: string | undefined,
    receiver: UpstreamReceiver,
  ): UpstreamStream {
    const turn = new ClientTurn(this, receiver, end, head.upgrade !== undefined || head.method === 'CONNECT');
    this.#turn = turn;
    this.#method = head.method;
    this.#stale = this.#served > 0 && this.#now() - this.#idleSince > staleAfterMs;
    this.#served++;
    if (this.#maxRequests > 0 && this.#served >= this.#maxRequests) this.#closing = true;
    const target = head.method === 'CONNECT' ? head.authority : head.path;
    let text = `${head.method} ${target} HTTP/1.1\r\nhost: ${head.authority}\r\n${fieldLines(head.headers)}`;
    const sized = head.headers.has('content-length');
    const chunkedBody = !end && !sized && !turn.tunnel;
    if (chunkedBody) text += 'transfer-encoding: chunked\r\n';
    else if (!sized && end && (full !== undefined || mayHaveBody(head.method)))
      text += `content-length: ${full === undefined ? 0 : full.length}\r\n`;
    text += '\r\n';
    if (end || turn.tunnel) this.#writer.whole(text, full);
    else this.#writer.begin(text, chunkedBody);
    return turn;
  }

  drain(): void {
    this.#closing = true;
    if (!this.#turn) this.destroy();
  }

  destroy(): void {
    this.#wire.destroy();
  }

  onBytes(bytes: Buffer, start: number, end: number): void {
    // Bytes that nobody asked for: the connection cannot be trusted.
    if (!this.#turn) {
      this.destroy();
      return;
    }
    this.#stale = false;
    this.#feeding = true;
    this.#reader.feed(bytes, start, end);
    this.#feeding = false;
    if (this.#turn) this.#turn.receiver?.flush();
    this.#turnMayBeOver();
  }

  onDrain(): void {
    this.#turn?.receiver?.writable();
  }

  onEnd(): void {
    if (!this.#reader.finish() || this.#turn?.receiver) {
      const turn = this.#turn;
      // A head that stops in the middle is no answer at all; a body that does is one cut short.
      if (turn && this.#reader.inHead) this.#broken('head cut short');
      else if (turn && !turn.responseDone) this.#fail('termination');
    }
    this.#closing = true;
    this.#turnMayBeOver();
    if (!this.#turn?.switched) this.destroy();
  }

  onClose(): void {
    this.#closing = true;
    this.#fail('termination');
    this.#turn = undefined;
    if (this.#gone) return;
    this.#gone = true;
    this.#owner.gone(this);
  }

  framing(head: ScannedHead): Framing | 'interim' | 'hold' {
    const status = Number(head.first);
    if (status === 101 || (this.#method === 'CONNECT' && status >= 200 && status < 300)) return 'hold';
    const framing = responseFraming(head.headers, status, this.#method);
    return status < 200 && framing === 0 ? 'interim' : framing;
  }

  onHead(head: ScannedHead, end: boolean, full: string | undefined): void {
    const turn = this.#turn;
    if (!turn) return;
    const status = Number(head.first);
    if (status < 200 && status !== 101) {
      connectionWishes(head.headers);
      dropHopByHop(head.headers, false);
      turn.receiver?.interim(status, head.headers);
      return;
    }
    const wishes = connectionWishes(head.headers);
    if (wishes.close || (head.http10 && !wishes.keepAlive)) this.#closing = true;
    const switching = turn.tunnel && (status === 101 || this.#method === 'CONNECT');
    if (status === 101 && !switching) {
      this.#broken('unexpected 101');
      return;
    }
    dropHopByHop(head.headers, switching);
    turn.responseDone = end;
    turn.switched = switching && (status === 101 || (status >= 200 && status < 300));
    turn.receiver?.head(status, head.headers, end, full);
    if (turn.switched) this.#reader.tunnel();
  }

  onBody(chunk: Buffer, end: boolean): void {
    if (!this.#turn) return;
    this.#turn.responseDone = end;
    this.#turn.receiver?.body(chunk, end);
  }

  onTrailers(trailers: Headers): void {
    if (!this.#turn) return;
    this.#turn.responseDone = true;
    if (this.passesTrailers) this.#turn.receiver?.trailers(passableTrailers(trailers));
    else this.#turn.receiver?.body(nothing, true);
  }

  onProblem(problem: ReadProblem): void {
    this.#broken(problem);
  }

  /** @internal */
  get writer(): H1Writer {
    return this.#writer;
  }

  /** @internal */
  requestEnded(turn: ClientTurn): void {
    if (turn === this.#turn && turn.switched) this.#wire.end();
    if (turn === this.#turn && !this.#feeding) this.#turnMayBeOver();
  }

  /** @internal */
  abandon(turn: ClientTurn): void {
    if (turn !== this.#turn) return;
    this.#turn = undefined;
    this.#closing = true;
    this.destroy();
  }

  /** @internal */
  readResponse(on: boolean): void {
    if (on === !this.#paused) return;
    this.#paused = !on;
    if (on) this.#wire.resume();
    else this.#wire.pause();
  }

  #turnMayBeOver(): void {
    const turn = this.#turn;
    if (!turn?.responseDone) return;
    turn.receiver = undefined;
    this.#turn = undefined;
    // A response that overtook its request leaves the rest of the request on the connection.
    if (this.#closing || !turn.requestDone || turn.tunnel || this.#reader.pendingLength > 0) {
      this.#closing = true;
      this.destroy();
      return;
    }
    this.readResponse(true);
    this.#reader.next();
    this.#idleSince = this.#now();
    this.#owner.released(this);
  }

  #broken(detail: string): void {
    this.#closing = true;
    const receiver = this.#turn?.receiver;
    if (this.#turn) this.#turn.receiver = undefined;
    this.#turn = undefined;
    this.destroy();
    receiver?.failed('protocol-error', detail);
  }

  #fail(reason: ResetReason): void {
    const receiver = this.#turn?.receiver;
    if (!receiver || !this.#turn) return;
    this.#turn.receiver = undefined;
    receiver.failed(reason, this.#stale ? staleConnection : '');
  }
}

class ClientTurn implements UpstreamStream {
  readonly #client: H1Client;
  readonly tunnel: boolean;
  receiver: UpstreamReceiver | undefined;
  requestDone: boolean;
  responseDone = false;
  switched = false;

  constructor(client: H1Client, receiver: UpstreamReceiver, requestDone: boolean, tunnel: boolean) {
    this.#client = client;
    this.receiver = receiver;
    this.requestDone = requestDone;
    this.tunnel = tunnel;
  }

  body(chunk: Buffer, end: boolean): boolean {
    if (!this.receiver) return true;
    const more = this.#client.writer.body(chunk, end);
    if (end) this.#end();
    return more;
  }

  trailers(trailers: Headers): void {
    if (!this.receiver) return;
    this.#client.writer.trailers(this.#client.passesTrailers ? passableTrailers(trailers) : noTrailers);
    this.#end();
  }

  flush(): void {
    if (this.receiver) this.#client.writer.flush();
  }

  reset(): void {
    this.receiver = undefined;
    this.#client.abandon(this);
  }

  readResponse(on: boolean): void {
    if (this.receiver) this.#client.readResponse(on);
  }

  #end(): void {
    this.requestDone = true;
    this.#client.requestEnded(this);
  }
}

/**
 * A request of the other methods has no body unless it says so, and needs no statement (RFC 9110 section
 * 8.6).
 */
function mayHaveBody(method: string): boolean {
  return (
    method !== 'GET' && method !== 'HEAD' && method !== 'DELETE' && method !== 'TRACE' && method !== 'CONNECT'
  );
}
