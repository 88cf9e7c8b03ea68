// Names operations for traces. No filter of its own in Envoy, whose connection manager does it before the
// first filter; `plan/http/filter-list.ts` puts it there.
// https://www.envoyproxy.io/docs/envoy/latest/api-v3/config/route/v3/route_components.proto#config-route-v3-decorator
import type { RouteDecision } from '../decide/route/decision.ts';
import type { DecoratorPlan } from '../plan/http/filter-list.ts';
import { httpFilter, type StreamContext, type StreamFilter } from './http-filter.ts';

export const decorator = httpFilter<DecoratorPlan, DecoratorPlan>({
  kind: 'decorator',
  name: 'decorator',
  messages: [],
  plan: () => ({ kind: 'decorator', direction: 'inbound' }),
  open: ({ direction }) => ({
    onlyByRoute: false,
    stream: direction === 'outbound' ? () => outbound : inbound,
  }),
});

const field = 'x-envoy-decorator-operation';

const outbound: StreamFilter = {
  requestHead: ({ decision, request }) => {
    const operation = operationOf(decision);
    if (operation !== undefined) request.headers.set(field, operation);
    return 'continue';
  },
  responseHead: (_status, headers) => headers.remove(field),
};

function inbound({ request, decision }: StreamContext): StreamFilter | undefined {
  // The name that the caller gave is for this hop only.
  const named = request.headers.has(field);
  const operation = named ? undefined : operationOf(decision);
  if (!named && operation === undefined) return undefined;
  return {
    requestHead: () => {
      if (named) request.headers.remove(field);
      return 'continue';
    },
    responseHead: (_status, headers) => {
      if (operation !== undefined) headers.set(field, operation);
    },
  };
}

function operationOf(decision: RouteDecision): string | undefined {
  return decision.kind === 'notFound' ? undefined : decision.route?.decorator;
}
