// The health check filter: answers for the proxy itself.
// https://www.envoyproxy.io/docs/envoy/latest/configuration/http/http_filters/health_check_filter
import { fromBinary } from '@bufbuild/protobuf';
import { HealthCheckSchema } from '@meltemi/envoy-api/envoy/extensions/filters/http/health_check/v3/health_check';
import type { Request } from '../../codec/http/request.ts';
import { compileHeaderMatcher, type HeaderMatcher } from '../../decide/route/index.ts';
import type { HttpEnvironment } from '../http/environment.ts';
import type { LocalReply } from '../http/local-reply.ts';

export interface HealthCheckPlan {
  readonly passThrough: boolean;
  readonly headers: readonly HeaderMatcher[];
  readonly minHealthy: readonly { readonly cluster: string; readonly percent: number }[];
}

export function readHealthCheck(bytes: Uint8Array, problems: string[]): HealthCheckPlan {
  const source = fromBinary(HealthCheckSchema, bytes);
  return {
    passThrough: source.passThroughMode ?? false,
    headers: source.headers.map((header) => compileHeaderMatcher(header, problems)),
    minHealthy: Object.entries(source.clusterMinHealthyPercentages).map(([cluster, { value }]) => ({
      cluster,
      percent: value,
    })),
  };
}

/** Undefined for a request that is not for it, or that the upstream is to answer. */
export function healthReply(
  plans: readonly HealthCheckPlan[],
  request: Request,
  env: HttpEnvironment,
): LocalReply | undefined {
  for (const plan of plans) {
    const reply = replyOf(plan, request, env);
    if (reply) return reply;
  }
  return undefined;
}

/** The field by which a health checker sees whose answer it got. */
export const healthCheckedCluster = 'x-envoy-upstream-healthchecked-cluster';

export function isHealthCheck(plans: readonly HealthCheckPlan[], request: Request): boolean {
  return plans.some((plan) => plan.headers.every((header) => header.matchesRequest(request)));
}

function replyOf(plan: HealthCheckPlan, request: Request, env: HttpEnvironment): LocalReply | undefined {
  if (!plan.headers.every((header) => header.matchesRequest(request))) return undefined;
  const failing = env.healthFailing();
  if (plan.passThrough && !failing) return undefined;
  if (failing || env.draining())
    return { status: 503, body: '', headers: [['x-envoy-immediate-health-check-fail', 'true']] };
  return {
    status: plan.minHealthy.every(({ cluster, percent }) => isHealthy(env, cluster, percent)) ? 200 : 503,
    body: '',
  };
}

function isHealthy(env: HttpEnvironment, name: string, percent: number): boolean {
  const stats = env.cluster(name)?.stats;
  const total = stats?.membershipTotal.value ?? 0;
  if (total === 0) return percent === 0;
  return ((stats?.membershipHealthy.value ?? 0) * 100) / total >= percent;
}
