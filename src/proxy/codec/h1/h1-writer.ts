// The sending half of an HTTP/1.1 connection: one message at a time, head held back to go out with the first
// bytes of the body.
import type { Headers } from '../http/headers.ts';
import { chunkText, fieldLines, lastChunk, textLimit } from './h1-serialize.ts';

/** Where it writes to. False asks for a pause, until what is queued has gone out. */
export interface Sink {
  /** One byte a character. */
  writeText(text: string): boolean;
  writeBoth(text: string, bytes: Uint8Array): boolean;
}

export class H1Writer {
  readonly #wire: Sink;
  #held = '';
  #chunked = false;

  constructor(wire: Sink) {
    this.#wire = wire;
  }

  /** The head of a message with nothing after it, or with its whole body. */
  whole(head: string, full: string | undefined): boolean {
    // What follows, if anything, is another protocol: the framing of the message before must not be put on
    // it.
    this.#chunked = false;
    return this.#wire.writeText(full === undefined ? head : head + full);
  }

  begin(head: string, chunkedBody: boolean): void {
    this.#held += head;
    this.#chunked = chunkedBody;
  }

  body(chunk: Buffer, end: boolean): boolean {
    let more = true;
    if (chunk.length > 0)
      more = chunk.length <= textLimit ? this.#small(chunk, end) : this.#large(chunk, end);
    else if (end && this.#chunked) more = this.#send(lastChunk);
    else if (end) this.flush();
    return more;
  }

  trailers(trailers: Headers): void {
    if (this.#chunked) this.#send(trailers.size === 0 ? lastChunk : `0\r\n${fieldLines(trailers)}\r\n`);
    else this.flush();
  }

  flush(): void {
    if (this.#held === '') return;
    const held = this.#held;
    this.#held = '';
    this.#wire.writeText(held);
  }

  #send(text: string): boolean {
    const held = this.#held;
    this.#held = '';
    return this.#wire.writeText(held + text);
  }

  #small(chunk: Buffer, end: boolean): boolean {
    if (!this.#chunked) return this.#send(chunk.toString('latin1'));
    return this.#send(end ? chunkText(chunk) + lastChunk : chunkText(chunk));
  }

  #large(chunk: Buffer, end: boolean): boolean {
    const held = this.#held;
    this.#held = '';
    const lead = this.#chunked ? `${held}${chunk.length.toString(16)}\r\n` : held;
    // The chunk is borrowed from the reader: it must be a copy of its own while it waits in the kernel's
    // queue.
    let more = this.#wire.writeBoth(lead, Buffer.from(chunk));
    if (this.#chunked) more = this.#wire.writeText(end ? `\r\n${lastChunk}` : '\r\n');
    return more;
  }
}
