// The body of a request as far as it has come: kept for a connection that is waited for, and for another try.
import type { Headers } from '../../codec/http/headers.ts';
import type { Try } from '../../upstream/http/try.ts';

/** How much is kept where the route says nothing. */
const usualLimit = 1 << 20;

export class BodyBuffer {
  readonly #limit: number;
  /** Asks the client to wait, or to go on. */
  readonly #read: (on: boolean) => void;
  /** The whole body, when it came along with the head. */
  #full: string | undefined;
  #chunks: Buffer[] = [];
  #buffered = 0;
  #paused = false;
  #trailers: Headers | undefined;
  /** All of the request has come. */
  complete = false;
  /** Nothing is missing that another try would need. */
  replayable = true;

  constructor(limit: number | undefined, read: (on: boolean) => void) {
    this.#limit = limit ?? usualLimit;
    this.#read = read;
  }

  begin(end: boolean, full: string | undefined): void {
    this.#full = full;
    this.complete = end;
  }

  get empty(): boolean {
    return this.#full === undefined && this.#chunks.length === 0;
  }

  add(chunk: Buffer, end: boolean, attempt: Try | undefined): void {
    const sending = attempt?.streaming === true;
    if (this.replayable || !sending) this.#keep(chunk, sending);
    if (sending && !attempt.sendBody(chunk, end)) this.pause(true);
    if (end) this.complete = true;
  }

  end(trailers: Headers, attempt: Try | undefined): void {
    this.#trailers = trailers;
    this.complete = true;
    if (attempt?.streaming) attempt.sendTrailers(trailers);
  }

  /** To a try that has its connection. */
  send(attempt: Try, begin: (end: boolean, full: string | undefined) => void): void {
    if (this.#chunks.length === 0 && this.#trailers === undefined) {
      begin(this.complete, this.#full);
      return;
    }
    begin(false, undefined);
    const last = this.complete && this.#trailers === undefined ? this.#chunks.length - 1 : -1;
    for (const [index, chunk] of this.#chunks.entries()) attempt.sendBody(chunk, index === last);
    if (this.#trailers) attempt.sendTrailers(this.#trailers);
    attempt.sendFlush();
  }

  /** From here on the body is streamed only. */
  drop(): void {
    this.replayable = false;
    this.clear();
  }

  clear(): void {
    this.#chunks = [];
    this.#buffered = 0;
  }

  pause(on: boolean): void {
    if (on === this.#paused) return;
    this.#paused = on;
    this.#read(!on);
  }

  #keep(chunk: Buffer, sending: boolean): void {
    if (chunk.length === 0) return;
    this.#chunks.push(Buffer.from(chunk));
    this.#buffered += chunk.length;
    if (this.#buffered <= this.#limit) return;
    // Too much to send twice.
    if (sending) this.drop();
    else this.pause(true);
  }
}
