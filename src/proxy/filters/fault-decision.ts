// The fault filter's decisions: delay first, then abort.
// https://www.envoyproxy.io/docs/envoy/latest/configuration/http/http_filters/fault_filter
import type { HTTPFault } from '@meltemi/envoy-api/envoy/extensions/filters/http/fault/v3/fault';
import type { Millis } from '../../base/index.ts';
import { millis } from '../codec/duration.ts';
import type { RequestView } from '../codec/http/request-view.ts';
import { drawn } from '../decide/route/fraction.ts';
import { headerMatcher } from '../decide/route/header-match.ts';
import { fractionOf } from '../plan/route/fraction.ts';
import { type HeaderMatchPlan, planHeaderMatch } from '../plan/route/header-match.ts';

type Abort =
  | { readonly kind: 'http'; readonly status: number }
  | { readonly kind: 'grpc'; readonly status: number };

export interface FaultPlan {
  /** `fixed` undefined reads the request's own header. */
  readonly delay: { readonly fixed: Millis | undefined; readonly fraction: number } | undefined;
  readonly abort: { readonly fixed: Abort | undefined; readonly fraction: number } | undefined;
  readonly headers: readonly HeaderMatchPlan[];
  /** Empty means every cluster. */
  readonly upstreamCluster: string;
  readonly downstreamNodes: readonly string[];
  readonly maxActiveFaults: number | undefined;
}

export interface FaultOutcome {
  /** 0 for none. */
  readonly delay: Millis;
  /** After the delay: a local reply with the body "fault filter abort". */
  readonly abort: Abort | undefined;
}

export interface FaultContext {
  readonly random: () => number;
  readonly cluster: string;
  readonly activeFaults: number;
  readonly downstreamNode?: string;
}

const noFault: FaultOutcome = { delay: 0, abort: undefined };

export function planFault(config: HTTPFault, problems: string[]): FaultPlan {
  const delay = config.delay;
  const abort = config.abort;
  if (config.responseRateLimit) problems.push('fault: response_rate_limit is not supported');
  return {
    delay: delay && {
      fixed:
        delay.faultDelaySecifier.case === 'fixedDelay' ? millis(delay.faultDelaySecifier.value) : undefined,
      fraction: fractionOf(delay.percentage),
    },
    abort: abort && { fixed: fixedAbort(abort.errorType, problems), fraction: fractionOf(abort.percentage) },
    headers: config.headers.map((header) => planHeaderMatch(header, problems)),
    upstreamCluster: config.upstreamCluster,
    downstreamNodes: config.downstreamNodes,
    maxActiveFaults: config.maxActiveFaults,
  };
}

export function faultDecision(plan: FaultPlan, request: RequestView, context: FaultContext): FaultOutcome {
  if (!applies(plan, request, context)) return noFault;
  const delay =
    plan.delay && drawn(headerFraction(plan.delay, request, 'delay'), context.random)
      ? delayOf(plan.delay, request)
      : 0;
  const abort =
    plan.abort && drawn(headerFraction(plan.abort, request, 'abort'), context.random)
      ? abortOf(plan.abort, request)
      : undefined;
  return delay === 0 && abort === undefined ? noFault : { delay, abort };
}

function applies(plan: FaultPlan, request: RequestView, context: FaultContext): boolean {
  if (plan.upstreamCluster !== '' && plan.upstreamCluster !== context.cluster) return false;
  if (plan.downstreamNodes.length > 0 && !plan.downstreamNodes.includes(context.downstreamNode ?? ''))
    return false;
  if (plan.maxActiveFaults !== undefined && context.activeFaults >= plan.maxActiveFaults) return false;
  return plan.headers.every((header) => headerMatcher(header).matchesRequest(request));
}

// A request may lower the percentage of a header-controlled fault, never raise it.
function headerFraction(
  fault: { fixed: unknown; fraction: number },
  request: RequestView,
  name: 'delay' | 'abort',
): number {
  if (fault.fixed !== undefined) return fault.fraction;
  const asked = number(request.get(`x-envoy-fault-${name}-request-percentage`));
  return asked === undefined ? fault.fraction : Math.min(fault.fraction, asked / 100);
}

function delayOf(delay: NonNullable<FaultPlan['delay']>, request: RequestView): Millis {
  return delay.fixed ?? number(request.get('x-envoy-fault-delay-request')) ?? 0;
}

function abortOf(abort: NonNullable<FaultPlan['abort']>, request: RequestView): Abort | undefined {
  if (abort.fixed) return abort.fixed;
  const status = number(request.get('x-envoy-fault-abort-request'));
  if (status !== undefined && status >= 200 && status < 600) return { kind: 'http', status };
  const grpc = number(request.get('x-envoy-fault-abort-grpc-request'));
  return grpc === undefined ? undefined : { kind: 'grpc', status: grpc };
}

function fixedAbort(
  type: NonNullable<HTTPFault['abort']>['errorType'],
  problems: string[],
): Abort | undefined {
  if (type.case === 'grpcStatus') return { kind: 'grpc', status: type.value };
  if (type.case !== 'httpStatus') return undefined;
  if (type.value < 200 || type.value >= 600)
    problems.push(`fault: abort status ${type.value} is outside 200-599`);
  return { kind: 'http', status: type.value };
}

function number(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,9}$/.test(text) ? Number(text) : undefined;
}
