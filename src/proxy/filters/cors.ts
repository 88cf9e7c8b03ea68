// The CORS filter: answers preflights and marks the responses that a browser may hand on.
import { fromBinary } from '@bufbuild/protobuf';
import { CorsPolicySchema, CorsSchema } from '@meltemi/envoy-api/envoy/extensions/filters/http/cors/v3/cors';
import { causes } from '../decide/reply-cause.ts';
import { type CorsPlan, corsDecision, planCors } from './cors-decision.ts';
import { httpFilter, type StreamFilter } from './http-filter.ts';

interface CorsFilterPlan {
  readonly kind: 'cors';
}

export interface CorsRoutePlan {
  readonly kind: 'cors';
  readonly plan: CorsPlan;
}

type Fields = readonly (readonly [string, string])[];

export const cors = httpFilter<CorsFilterPlan, CorsRoutePlan>({
  kind: 'cors',
  name: 'envoy.filters.http.cors',
  messages: [CorsSchema],
  plan: () => ({ kind: 'cors' }),
  routeMessages: [CorsPolicySchema],
  planRoute: (message, problems) => ({
    kind: 'cors',
    plan: planCors(fromBinary(CorsPolicySchema, message), problems),
  }),
  open: (_plan, { proxy }) => ({
    onlyByRoute: true,
    // Answers that no upstream gives are left alone.
    stream: ({ decision }, route) =>
      route && decision.kind === 'forward' ? corsStream(route.plan, proxy.random) : undefined,
  }),
});

function corsStream(plan: CorsPlan, random: () => number): StreamFilter {
  let fields: Fields = [];
  return {
    requestHead: (context) => {
      const outcome = corsDecision(context.request, plan, random);
      if (outcome.kind === 'pass') return 'continue';
      if (outcome.kind === 'annotate') {
        fields = outcome.headers;
        return 'continue';
      }
      context.reply({ status: 200, body: '', headers: outcome.headers, bare: true, cause: causes.cors });
      return 'stop';
    },
    responseHead: (_status, headers) => {
      for (const [name, value] of fields) headers.set(name, value);
    },
  };
}
