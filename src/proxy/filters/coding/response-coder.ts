// Stands before the responder of a request and compresses or decompresses the response on its way.

import type { Headers } from '../../codec/http/headers.ts';
import type { Responder } from '../../codec/http/message-contract.ts';
import { PassOn } from '../pass-on.ts';
import type { Zip, ZipOutput } from './codings.ts';

export interface CoderOptions {
  readonly open: (output: ZipOutput) => Zip;
  /** Whether a response is to be coded, and then changes its fields. */
  readonly wants: (headers: Headers, empty: boolean) => boolean;
  /** The sender may go on. */
  readonly writable: () => void;
}

export class ResponseCoder extends PassOn {
  readonly #options: CoderOptions;
  #zip: Zip | undefined;
  #trailers: Headers | undefined;
  #over = false;

  constructor(responder: Responder, options: CoderOptions) {
    super(responder);
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

  override head(status: number, headers: Headers, end: boolean, full?: string): void {
    const empty =
      (end && (full === undefined || full === '')) || status < 200 || status === 204 || status === 304;
    if (!this.#options.wants(headers, empty)) {
      this.onward.head(status, headers, end, full);
      return;
    }
    this.onward.head(status, headers, false);
    this.#zip = this.#open();
    if (full !== undefined) this.#zip.write(Buffer.from(full, 'latin1'));
    if (end) this.#zip.end();
  }

  override body(chunk: Buffer, end: boolean): boolean {
    if (!this.#zip) return this.onward.body(chunk, end);
    const more = chunk.length === 0 || this.#zip.write(chunk);
    if (end) this.#zip.end();
    return more;
  }

  override trailers(trailers: Headers): void {
    if (!this.#zip) {
      this.onward.trailers(trailers);
      return;
    }
    this.#trailers = trailers;
    this.#zip.end();
  }

  override flush(): void {
    if (!this.#zip) this.onward.flush();
    else if (!this.#over) this.#zip.flush();
  }

  override reset(): void {
    this.abandon();
    this.onward.reset();
  }

  #open(): Zip {
    return this.#options.open({
      data: (chunk) => {
        const more = this.onward.body(chunk, false);
        this.onward.flush();
        return more;
      },
      end: () => this.#end(),
      drain: this.#options.writable,
      failed: () => this.reset(),
    });
  }

  #end(): void {
    if (this.#over) return;
    this.#over = true;
    if (this.#trailers) this.onward.trailers(this.#trailers);
    else this.onward.body(nothing, true);
    this.onward.flush();
  }
}

const nothing = Buffer.alloc(0);
