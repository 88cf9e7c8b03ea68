// The router ends the list of filters: it carries out what the route decision says.
// https://www.envoyproxy.io/docs/envoy/latest/configuration/http/http_filters/router_filter
import { fromBinary } from '@bufbuild/protobuf';
import { RouterSchema } from '@meltemi/envoy-api/envoy/extensions/filters/http/router/v3/router';
import { httpFilter, type StreamFilter } from './http-filter.ts';

export interface RouterPlan {
  readonly kind: 'router';
  /** Whether upstreams and clients are told what the router does. */
  readonly envoyHeaders: boolean;
}

export const router = httpFilter<RouterPlan, RouterPlan>({
  kind: 'router',
  name: 'envoy.filters.http.router',
  messages: [RouterSchema],
  plan: (message, problems) => {
    const { suppressEnvoyHeaders, upstreamHttpFilters } = fromBinary(RouterSchema, message);
    if (upstreamHttpFilters.some(({ name }) => name !== 'envoy.filters.http.upstream_codec'))
      problems.push('router: upstream_http_filters are not supported');
    return { kind: 'router', envoyHeaders: !suppressEnvoyHeaders };
  },
  open: (plan) => {
    const stream: StreamFilter = {
      requestHead: (context) => {
        context.carryOut(plan);
        return 'stop';
      },
    };
    return { onlyByRoute: false, stream: () => stream };
  },
});
