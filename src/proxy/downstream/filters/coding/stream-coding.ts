// The compressor and decompressor filters of one request.
import type { Responder } from '../../../codec/http/message-contract.ts';
import type { Request } from '../../../codec/http/request.ts';
import type { CodingPlan, CompressorPlan, DecompressorPlan } from '../../../plan/http/coding-plan.ts';
import { type CoderOptions, ResponseCoder } from './response-coder.ts';
import { accepts, compresses, decompresses } from './rules.ts';
import { Zip } from './zip.ts';

export interface RequestBody {
  body(chunk: Buffer, end: boolean): void;
  /** The client sent what cannot be read. */
  broken(): void;
  writable(): void;
}

export class StreamCoding {
  readonly #coders: ResponseCoder[] = [];
  #request: Zip | undefined;

  /** Changes the request's fields; returns the responder that stands before the given one. */
  enter(plans: readonly CodingPlan[], request: Request, responder: Responder, body: RequestBody): Responder {
    // The first filter sees a response last.
    return plans.reduce((inner, plan) => {
      const options =
        plan.kind === 'compressor'
          ? this.#compressor(plan, request)
          : this.#decompressor(plan, request, body);
      if (!options) return inner;
      const coder = new ResponseCoder(inner, {
        ...options,
        coding: plan.coding,
        writable: () => body.writable(),
      });
      this.#coders.push(coder);
      return coder;
    }, responder);
  }

  get takesRequest(): boolean {
    return this.#request !== undefined;
  }

  /** A piece of the request's body, to be decompressed. */
  feed(chunk: Buffer, end: boolean): void {
    if (chunk.length > 0) this.#request?.write(chunk);
    if (end) this.#request?.end();
  }

  drained(): void {
    for (const coder of this.#coders) coder.drained();
  }

  abandon(): void {
    this.#request?.destroy();
    for (const coder of this.#coders) coder.abandon();
  }

  #compressor(plan: CompressorPlan, request: Request): Pick<CoderOptions, 'direction' | 'wants'> {
    const accepted = request.headers.get('accept-encoding');
    if (plan.removeAcceptEncoding) request.headers.remove('accept-encoding');
    const wanted = accepts(accepted, plan.coding) && request.method !== 'HEAD';
    return { direction: 'compress', wants: (headers, empty) => compresses(plan, headers, wanted && !empty) };
  }

  #decompressor(
    plan: DecompressorPlan,
    request: Request,
    body: RequestBody,
  ): Pick<CoderOptions, 'direction' | 'wants'> | undefined {
    if (plan.advertise) advertise(request, plan.coding);
    if (plan.requests && !this.#request && decompresses(plan.coding, request.headers))
      this.#request = this.#reader(plan, body);
    if (!plan.responses) return undefined;
    return {
      direction: 'decompress',
      wants: (headers, empty) => !empty && decompresses(plan.coding, headers),
    };
  }

  #reader(plan: DecompressorPlan, body: RequestBody): Zip {
    return new Zip(plan.coding, 'decompress', {
      data: (chunk) => {
        body.body(chunk, false);
        return true;
      },
      end: () => body.body(nothing, true),
      drain: () => undefined,
      failed: () => body.broken(),
    });
  }
}

function advertise(request: Request, coding: string): void {
  const before = request.headers.get('accept-encoding');
  if (before === undefined) request.headers.set('accept-encoding', coding);
  else if (!before.split(',').some((part) => part.split(';')[0]?.trim() === coding))
    request.headers.set('accept-encoding', `${before},${coding}`);
}

const nothing = Buffer.alloc(0);
