// The health check filter: answers for the proxy itself.
// https://www.envoyproxy.io/docs/envoy/latest/configuration/http/http_filters/health_check_filter
import { fromBinary } from '@bufbuild/protobuf';
import { HealthCheckSchema } from '@meltemi/envoy-api/envoy/extensions/filters/http/health_check/v3/health_check';
import type { LocalReply } from '../decide/local-reply.ts';
import { headerMatcher } from '../decide/route/header-match.ts';
import { type HeaderMatchPlan, planHeaderMatch } from '../plan/route/header-match.ts';
import { type FilterProxy, httpFilter, type StreamFilter } from './http-filter.ts';

export interface HealthCheckPlan {
  readonly kind: 'healthCheck';
  readonly passThrough: boolean;
  readonly headers: readonly HeaderMatchPlan[];
  readonly minHealthy: readonly { readonly cluster: string; readonly percent: number }[];
}

export const healthCheck = httpFilter<HealthCheckPlan, HealthCheckPlan>({
  kind: 'healthCheck',
  name: 'envoy.filters.http.health_check',
  messages: [HealthCheckSchema],
  plan: (message, problems) => {
    const source = fromBinary(HealthCheckSchema, message);
    return {
      kind: 'healthCheck',
      passThrough: source.passThroughMode ?? false,
      headers: source.headers.map((header) => planHeaderMatch(header, problems)),
      minHealthy: Object.entries(source.clusterMinHealthyPercentages).map(([cluster, { value }]) => ({
        cluster,
        percent: value,
      })),
    };
  },
  open: (plan, { proxy }) => ({
    onlyByRoute: false,
    stream: ({ request }) =>
      plan.headers.every((header) => headerMatcher(header).matchesRequest(request))
        ? checkStream(plan, proxy)
        : undefined,
  }),
});

/** The field by which a health checker sees whose answer it got. */
const checkedCluster = 'x-envoy-upstream-healthchecked-cluster';

function checkStream(plan: HealthCheckPlan, proxy: FilterProxy): StreamFilter {
  return {
    requestHead: (context) => {
      context.isHealthCheck();
      const reply = replyOf(plan, proxy);
      if (reply) context.reply(reply);
      return reply ? 'stop' : 'continue';
    },
    responseHead: (_status, headers) => headers.set(checkedCluster, proxy.nodeCluster),
  };
}

/** Undefined where the upstream is to answer. */
function replyOf(plan: HealthCheckPlan, proxy: FilterProxy): LocalReply | undefined {
  const failing = proxy.healthFailing();
  if (plan.passThrough && !failing) return undefined;
  if (failing || proxy.draining())
    return { status: 503, body: '', headers: [['x-envoy-immediate-health-check-fail', 'true']] };
  return {
    status: plan.minHealthy.every(({ cluster, percent }) => isHealthy(proxy, cluster, percent)) ? 200 : 503,
    body: '',
  };
}

function isHealthy(proxy: FilterProxy, name: string, percent: number): boolean {
  const { total, healthy } = proxy.hostsOf(name);
  if (total === 0) return percent === 0;
  return (healthy * 100) / total >= percent;
}
