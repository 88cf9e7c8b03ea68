// One request's way through the filters: heads one filter after the other, bodies through those that stand in
// their way. A filter that stops the head holds back what follows.
import type { Headers } from '../../codec/http/headers.ts';
import type { Responder } from '../../codec/http/message-contract.ts';
import type { RequestSink, StreamContext, StreamFilter } from '../../filters/http-filter.ts';
import { HeadPasser } from '../../filters/pass-on.ts';

/** The stream whose request it is. */
export interface RunOwner extends StreamContext {
  /** There is a response, so that what still comes of the request is of no use. */
  readonly answered: boolean;
}

/** Where the response goes in the end, and the request. */
export interface FilterRunEnds {
  readonly responder: Responder;
  readonly sink: RequestSink;
}

interface Held {
  readonly chunks: Buffer[];
  end: boolean;
  trailers: Headers | undefined;
}

/** `full`: the whole body, where it came along with the head. */
export interface RequestMessage {
  readonly end: boolean;
  readonly full: string | undefined;
}

export class FilterRun implements RequestSink {
  readonly #filters: readonly StreamFilter[];
  readonly #owner: RunOwner;
  readonly #client: Responder;
  /** The way back: the last filter sees a response first. */
  readonly responder: Responder;
  readonly #sink: RequestSink;
  readonly #takesBody: boolean;
  #message: RequestMessage = { end: true, full: undefined };
  #at = 0;
  #held: Held | undefined;

  constructor(filters: readonly StreamFilter[], owner: RunOwner, { responder, sink }: FilterRunEnds) {
    this.#filters = filters;
    this.#owner = owner;
    this.#client = responder;
    let back = responder;
    let takesBody = false;
    // Loops, since every request comes by here.
    for (const filter of filters) {
      back = onTheWayBack(back, filter);
      takesBody ||= filter.requestBody !== undefined;
    }
    this.responder = back;
    this.#takesBody = takesBody;
    this.#sink = this.#takesBody ? filters.reduceRight(onTheWayForth, sink) : sink;
  }

  start(message: RequestMessage): void {
    this.#message = message;
    if (this.#passHeads()) this.#passFull();
    else if (!this.#owner.answered) this.#hold();
  }

  /** The filter that stopped the head lets it go on. */
  resume(): void {
    if (this.#owner.answered || !this.#passHeads()) return;
    const held = this.#held;
    this.#held = undefined;
    this.#passFull();
    if (!held || this.#message.end) return;
    this.#client.readRequest(true);
    for (const chunk of held.chunks) this.#sink.body(chunk, false);
    if (held.trailers) this.#sink.trailers(held.trailers);
    else if (held.end) this.#sink.body(nothing, true);
    this.#sink.flush();
  }

  /** What the last filter is given with the head: a body that others change comes in pieces. */
  get message(): RequestMessage {
    const { end, full } = this.#message;
    return this.#takesBody ? { end: end && full === undefined, full: undefined } : this.#message;
  }

  body(chunk: Buffer, end: boolean): void {
    if (!this.#held) this.#sink.body(chunk, end);
    else {
      if (chunk.length > 0) this.#held.chunks.push(Buffer.from(chunk));
      this.#held.end = end;
    }
  }

  trailers(trailers: Headers): void {
    if (this.#held) this.#held.trailers = trailers;
    else this.#sink.trailers(trailers);
  }

  flush(): void {
    this.#sink.flush();
  }

  writable(): void {
    for (const filter of this.#filters) filter.writable?.();
  }

  end(): void {
    for (const filter of this.#filters) filter.end?.();
  }

  /** Whether the last filter had its turn. */
  #passHeads(): boolean {
    while (this.#at < this.#filters.length) {
      const filter = this.#filters[this.#at++];
      if (filter?.requestHead?.(this.#owner) === 'stop') break;
    }
    return this.#at === this.#filters.length && !this.#owner.answered;
  }

  #passFull(): void {
    const { end, full } = this.#message;
    if (!this.#takesBody || full === undefined) return;
    this.#sink.body(Buffer.from(full, 'latin1'), end);
    this.#sink.flush();
  }

  /** The body waits with its sender, not in our memory. */
  #hold(): void {
    this.#held = { chunks: [], end: this.#message.end, trailers: undefined };
    if (!this.#message.end) this.#client.readRequest(false);
  }
}

function onTheWayBack(onward: Responder, filter: StreamFilter): Responder {
  const behind = filter.response?.(onward) ?? onward;
  return filter.responseHead ? new HeadPasser(behind, filter) : behind;
}

function onTheWayForth(onward: RequestSink, filter: StreamFilter): RequestSink {
  return filter.requestBody?.(onward) ?? onward;
}

const nothing = Buffer.alloc(0);
