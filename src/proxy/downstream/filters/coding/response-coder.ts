// Stands before the responder of a request and compresses or decompresses the response on its way.

import type { Headers } from '../../../codec/http/headers.ts';
import type { Responder } from '../../../codec/http/message-contract.ts';
import type { Coding } from '../../../plan/http/coding-plan.ts';
import { type Direction, Zip } from './zip.ts';

export interface CoderOptions {
  readonly coding: Coding;
  readonly direction: Direction;
  /** Whether a response is to be coded, and then changes its fields. */
  readonly wants: (headers: Headers, empty: boolean) => boolean;
  /** The sender may go on. */
  readonly writable: () => void;
}

export class ResponseCoder implements Responder {
  readonly #responder: Responder;
  readonly #options: CoderOptions;
  #zip: Zip | undefined;
  #trailers: Headers | undefined;
  #over = false;

  constructor(responder: Responder, options: CoderOptions) {
    this.#responder = responder;
    this.#options = options;
  }

  /** The receiver can take more. */
  drained(): void {
    this.#zip?.resume();
  }

  abandon(): void {
    this.#over = true;
    this.#zip?.destroy();
  }

  interim(status: number, headers: Headers): void {
    this.#responder.interim(status, headers);
  }

  head(status: number, headers: Headers, end: boolean, full?: string): void {
    const empty =
      (end && (full === undefined || full === '')) || status < 200 || status === 204 || status === 304;
    if (!this.#options.wants(headers, empty)) {
      this.#responder.head(status, headers, end, full);
      return;
    }
    this.#responder.head(status, headers, false);
    this.#zip = this.#open();
    if (full !== undefined) this.#zip.write(Buffer.from(full, 'latin1'));
    if (end) this.#zip.end();
  }

  body(chunk: Buffer, end: boolean): boolean {
    if (!this.#zip) return this.#responder.body(chunk, end);
    const more = chunk.length === 0 || this.#zip.write(chunk);
    if (end) this.#zip.end();
    return more;
  }

  trailers(trailers: Headers): void {
    if (!this.#zip) {
      this.#responder.trailers(trailers);
      return;
    }
    this.#trailers = trailers;
    this.#zip.end();
  }

  flush(): void {
    if (!this.#zip) this.#responder.flush();
    else if (!this.#over) this.#zip.flush();
  }

  reset(): void {
    this.abandon();
    this.#responder.reset();
  }

  readRequest(on: boolean): void {
    this.#responder.readRequest(on);
  }

  closeAfter(): void {
    this.#responder.closeAfter();
  }

  #open(): Zip {
    const { coding, direction, writable } = this.#options;
    return new Zip(coding, direction, {
      data: (chunk) => {
        const more = this.#responder.body(chunk, false);
        this.#responder.flush();
        return more;
      },
      end: () => this.#end(),
      drain: writable,
      failed: () => this.reset(),
    });
  }

  #end(): void {
    if (this.#over) return;
    this.#over = true;
    if (this.#trailers) this.#responder.trailers(this.#trailers);
    else this.#responder.body(nothing, true);
    this.#responder.flush();
  }
}

const nothing = Buffer.alloc(0);
