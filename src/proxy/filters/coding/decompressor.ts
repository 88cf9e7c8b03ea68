// The decompressor filter: bodies of requests and responses in the clear.
// https://www.envoyproxy.io/docs/envoy/latest/configuration/http/http_filters/decompressor_filter
import { DecompressorSchema } from '@meltemi/envoy-api/envoy/extensions/filters/http/decompressor/v3/decompressor';
import type { Responder } from '../../codec/http/message-contract.ts';
import type { Request } from '../../codec/http/request.ts';
import {
  type FilterScope,
  httpFilter,
  type RequestSink,
  type StreamContext,
  type StreamFilter,
} from '../http-filter.ts';
import { type DecompressorPlan, readDecompressor } from './coding-plan.ts';
import type { Zip } from './codings.ts';
import { ResponseCoder } from './response-coder.ts';
import { decompresses, isCoded } from './rules.ts';

export const decompressor = httpFilter<DecompressorPlan, DecompressorPlan>({
  kind: 'decompressor',
  name: 'envoy.filters.http.decompressor',
  messages: [DecompressorSchema],
  plan: readDecompressor,
  open: (plan, scope) => ({
    onlyByRoute: false,
    stream: (context) => {
      const takesBody = plan.requests && isCoded(plan.coding, context.request.headers);
      return takesBody
        ? new BodyDecompressor(plan, scope, context)
        : new DecompressorStream(plan, scope, context);
    },
  }),
});

class DecompressorStream implements StreamFilter {
  protected readonly plan: DecompressorPlan;
  protected readonly scope: FilterScope;
  protected readonly context: StreamContext;
  #coder: ResponseCoder | undefined;

  constructor(plan: DecompressorPlan, scope: FilterScope, context: StreamContext) {
    this.plan = plan;
    this.scope = scope;
    this.context = context;
  }

  requestHead({ request }: StreamContext): 'continue' {
    if (this.plan.advertise) advertise(request, this.plan.coding);
    return 'continue';
  }

  response(onward: Responder): Responder {
    const { plan, scope, context } = this;
    if (!plan.responses) return onward;
    this.#coder = new ResponseCoder(onward, {
      open: (output) => scope.codings(plan.coding, 'decompress', output),
      wants: (headers, empty) => !empty && decompresses(plan.coding, headers),
      writable: () => context.responseWritable(),
    });
    return this.#coder;
  }

  writable(): void {
    this.#coder?.drained();
  }

  end(): void {
    this.#coder?.abandon();
  }
}

/** For requests whose own body is in the coding. */
class BodyDecompressor extends DecompressorStream {
  #codes = false;
  #zip: Zip | undefined;

  override requestHead(context: StreamContext): 'continue' {
    // Another decompressor may have come before.
    this.#codes = decompresses(this.plan.coding, context.request.headers);
    return super.requestHead(context);
  }

  requestBody(onward: RequestSink): RequestSink {
    return {
      body: (chunk, end) => {
        const zip = this.#open(onward);
        if (!zip) onward.body(chunk, end);
        else if (chunk.length > 0) zip.write(chunk);
        if (end) zip?.end();
      },
      trailers: (trailers) => {
        const zip = this.#open(onward);
        if (zip) zip.end();
        else onward.trailers(trailers);
      },
      flush: () => onward.flush(),
    };
  }

  #open(onward: RequestSink): Zip | undefined {
    if (!this.#codes) return undefined;
    const put = (chunk: Buffer, end: boolean): boolean => {
      onward.body(chunk, end);
      onward.flush();
      return true;
    };
    this.#zip ??= this.scope.codings(this.plan.coding, 'decompress', {
      data: (chunk) => put(chunk, false),
      end: () => put(nothing, true),
      drain: () => undefined,
      failed: () => this.context.reply({ status: 400, body: '' }),
    });
    return this.#zip;
  }

  override end(): void {
    super.end();
    this.#zip?.destroy();
  }
}

function advertise(request: Request, coding: string): void {
  const before = request.headers.get('accept-encoding');
  if (before === undefined) request.headers.set('accept-encoding', coding);
  else if (!before.split(',').some((part) => part.split(';')[0]?.trim() === coding))
    request.headers.set('accept-encoding', `${before},${coding}`);
}

const nothing = Buffer.alloc(0);
