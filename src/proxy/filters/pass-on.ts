// Passes a response on as it is: what stands in its way changes what it is about.
import type { Headers } from '../codec/http/headers.ts';
import type { Responder } from '../codec/http/message-contract.ts';
import type { StreamFilter } from './http-filter.ts';

export class PassOn implements Responder {
  protected readonly onward: Responder;

  constructor(onward: Responder) {
    this.onward = onward;
  }

  interim(status: number, headers: Headers): void {
    this.onward.interim(status, headers);
  }

  head(status: number, headers: Headers, end: boolean, full?: string): void {
    this.onward.head(status, headers, end, full);
  }

  body(chunk: Buffer, end: boolean): boolean {
    return this.onward.body(chunk, end);
  }

  trailers(trailers: Headers): void {
    this.onward.trailers(trailers);
  }

  flush(): void {
    this.onward.flush();
  }

  reset(): void {
    this.onward.reset();
  }

  readRequest(on: boolean): void {
    this.onward.readRequest(on);
  }

  closeAfter(): void {
    this.onward.closeAfter();
  }
}

/** For filters that look at the head alone. */
export class HeadPasser extends PassOn {
  readonly #filter: StreamFilter;

  constructor(onward: Responder, filter: StreamFilter) {
    super(onward);
    this.#filter = filter;
  }

  override head(status: number, headers: Headers, end: boolean, full?: string): void {
    this.#filter.responseHead?.(status, headers);
    this.onward.head(status, headers, end, full);
  }
}
