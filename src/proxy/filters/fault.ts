// The fault filter: delays and aborts.
import { fromBinary } from '@bufbuild/protobuf';
import { HTTPFaultSchema } from '@meltemi/envoy-api/envoy/extensions/filters/http/fault/v3/fault';
import { causes } from '../decide/reply-cause.ts';
import { type FaultOutcome, type FaultPlan, faultDecision, planFault } from './fault-decision.ts';
import {
  type FilterProxy,
  httpFilter,
  type StreamContext,
  type StreamFilter,
  type Timer,
} from './http-filter.ts';

/** The same for a connection manager and for a route, where it takes the other's place. */
export interface FaultFilterPlan {
  readonly kind: 'fault';
  readonly plan: FaultPlan;
}

export function isFault(config: { readonly kind: string }): config is FaultFilterPlan {
  return config.kind === 'fault';
}

const read = (message: Uint8Array, problems: string[]): FaultFilterPlan => ({
  kind: 'fault',
  plan: planFault(fromBinary(HTTPFaultSchema, message), problems),
});

export const fault = httpFilter<FaultFilterPlan, FaultFilterPlan>({
  kind: 'fault',
  name: 'envoy.filters.http.fault',
  messages: [HTTPFaultSchema],
  plan: read,
  routeMessages: [HTTPFaultSchema],
  planRoute: read,
  open: ({ plan }, { proxy }) => ({
    onlyByRoute: !plan.delay && !plan.abort,
    stream: (context, route) => faultStream(route?.plan ?? plan, context, proxy),
  }),
});

function faultStream(plan: FaultPlan, context: StreamContext, proxy: FilterProxy): StreamFilter | undefined {
  if (!plan.delay && !plan.abort) return undefined;
  const { request, decision } = context;
  const outcome = faultDecision(plan, request, {
    random: proxy.random,
    cluster: decision.kind === 'forward' ? decision.cluster : '',
    activeFaults: proxy.activeFaults.value,
    downstreamNode: request.headers.get('x-envoy-downstream-service-node'),
  });
  return outcome.delay > 0 || outcome.abort ? new FaultStream(outcome, proxy) : undefined;
}

class FaultStream implements StreamFilter {
  readonly #outcome: FaultOutcome;
  readonly #proxy: FilterProxy;
  #delay: Timer | undefined;

  constructor(outcome: FaultOutcome, proxy: FilterProxy) {
    this.#outcome = outcome;
    this.#proxy = proxy;
  }

  requestHead(context: StreamContext): 'continue' | 'stop' {
    const { delay } = this.#outcome;
    if (delay <= 0) return this.#abort(context);
    this.#proxy.activeFaults.value++;
    context.flag('DI');
    this.#delay = context.after(delay, () => {
      this.#over();
      if (this.#abort(context) === 'continue') context.resume();
    });
    return 'stop';
  }

  end(): void {
    this.#over();
  }

  #abort(context: StreamContext): 'continue' | 'stop' {
    const { abort } = this.#outcome;
    if (!abort) return 'continue';
    const reply = { body: 'fault filter abort', cause: causes.abort };
    if (abort.kind === 'http') context.reply({ ...reply, status: abort.status });
    else context.reply({ ...reply, status: 200, grpcStatus: abort.status });
    return 'stop';
  }

  /** It counts as active for as long as it holds the request. */
  #over(): void {
    if (!this.#delay) return;
    this.#delay.cancel();
    this.#delay = undefined;
    this.#proxy.activeFaults.value--;
  }
}
