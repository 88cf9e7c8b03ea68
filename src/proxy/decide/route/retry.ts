// Whether an outcome is worth another try, and when it is due.
import { type Millis, unreachable } from '../../../base/index.ts';
import type { HeaderView, RequestView } from '../../codec/http/request-view.ts';
import { headerPresence } from '../../plan/route/header-match.ts';
import { defaultBackoff, RetryOn, type RetryPlan, retryOnBits } from '../../plan/route/retry.ts';
import { headerMatcher } from './header-match.ts';

const grpcBits: ReadonlyMap<number, number> = new Map([
  [1, RetryOn.cancelled],
  [4, RetryOn['deadline-exceeded']],
  [8, RetryOn['resource-exhausted']],
  [13, RetryOn.internal],
  [14, RetryOn.unavailable],
]);

export type RetryOutcome =
  | {
      readonly kind: 'response';
      readonly status: number;
      readonly grpcStatus?: number;
      readonly headers: HeaderView;
    }
  | { readonly kind: 'reset'; readonly reason: ResetReason; readonly requestStarted: boolean };

/** `timeout` is a try cut by its own limit. */
export type ResetReason =
  | 'connectFailure'
  | 'refusedStream'
  | 'overflow'
  | 'remoteReset'
  | 'localReset'
  | 'timeout';

export interface RetryVerdict {
  readonly retry: boolean;
  /** Delay that the upstream asked for, in place of the exponential backoff. */
  readonly after?: Millis;
}

const noRetry: RetryVerdict = { retry: false };
const yesRetry: RetryVerdict = { retry: true };
const headerPlan: RetryPlan = {
  on: 0,
  numRetries: 1,
  perTryTimeout: 0,
  perTryIdleTimeout: 0,
  statusCodes: [],
  responseHeaders: [],
  requestHeaders: [],
  backoff: { base: defaultBackoff, max: defaultBackoff * 10 },
  rateLimited: undefined,
  avoidPreviousHosts: false,
  omitCanaryHosts: false,
  previousPriorities: undefined,
  hostSelectionAttempts: 0,
};

/**
 * The plan for one request, or undefined when it is not to be retried. `trusted` lets the request's own
 * `x-envoy-*` headers add to the route's policy. Returns the route's plan itself when nothing changes it.
 */
export function requestRetry(
  plan: RetryPlan | undefined,
  request: RequestView,
  options: { trusted: boolean },
): RetryPlan | undefined {
  const own = options.trusted ? withRetryHeaders(plan, request) : plan;
  if (!own || own.on === 0 || own.numRetries === 0) return undefined;
  const wanted = own.requestHeaders;
  return wanted.length === 0 || wanted.some((header) => headerMatcher(header).matchesRequest(request))
    ? own
    : undefined;
}

/**
 * Whether the outcome is one the plan retries. How many tries are left and the retry budget are the caller's
 * to check.
 */
export function shouldRetry(plan: RetryPlan, outcome: RetryOutcome, now: Millis = 0): RetryVerdict {
  switch (outcome.kind) {
    case 'response':
      return retriesResponse(plan, outcome) ? withDelay(plan, outcome.headers, now) : noRetry;
    case 'reset':
      return retriesReset(plan, outcome.reason, outcome.requestStarted) ? yesRetry : noRetry;
    default:
      return unreachable(outcome);
  }
}

/** Fully jittered: uniform below base, 2 base, 4 base ..., capped. `attempt` is 1 for the first retry. */
export function retryBackoff(plan: RetryPlan, attempt: number, random: () => number): Millis {
  const window = Math.min(plan.backoff.max, plan.backoff.base * 2 ** Math.min(attempt - 1, 40));
  return Math.floor(random() * window);
}

function retriesResponse(plan: RetryPlan, response: RetryOutcome & { kind: 'response' }): boolean {
  const { on } = plan;
  const { status, headers } = response;
  if (headers.get('x-envoy-ratelimited') !== undefined) return (on & RetryOn['envoy-ratelimited']) !== 0;
  if (on & RetryOn['5xx'] && status >= 500 && status < 600) return true;
  if (on & RetryOn['gateway-error'] && status >= 502 && status <= 504) return true;
  if (on & RetryOn['retriable-4xx'] && status === 409) return true;
  if (on & RetryOn['retriable-status-codes'] && plan.statusCodes.includes(status)) return true;
  if (
    on & RetryOn['retriable-headers'] &&
    plan.responseHeaders.some((header) => headerMatcher(header).matches(headers))
  )
    return true;
  return response.grpcStatus !== undefined && (on & (grpcBits.get(response.grpcStatus) ?? 0)) !== 0;
}

function retriesReset(plan: RetryPlan, reason: ResetReason, requestStarted: boolean): boolean {
  const { on } = plan;
  if (reason === 'overflow') return false;
  if (on & (RetryOn.reset | RetryOn['5xx'] | RetryOn['gateway-error'])) return true;
  if (on & RetryOn['reset-before-request'] && !requestStarted) return true;
  if (on & RetryOn['refused-stream'] && reason === 'refusedStream') return true;
  return (on & RetryOn['connect-failure']) !== 0 && reason === 'connectFailure';
}

function withDelay(plan: RetryPlan, headers: HeaderView, now: Millis): RetryVerdict {
  for (const { name, unixTime } of plan.rateLimited?.headers ?? []) {
    const value = headers.get(name);
    if (value === undefined || !/^\d+$/.test(value)) continue;
    const after = unixTime ? Number(value) * 1000 - now : Number(value) * 1000;
    if (after > 0 && after <= (plan.rateLimited?.max ?? 0)) return { retry: true, after };
  }
  return yesRetry;
}

// https://www.envoyproxy.io/docs/envoy/latest/configuration/http/http_filters/router_filter#x-envoy-max-retries
function withRetryHeaders(plan: RetryPlan | undefined, request: RequestView): RetryPlan | undefined {
  const on = request.get('x-envoy-retry-on');
  const grpcOn = request.get('x-envoy-retry-grpc-on');
  const max = request.get('x-envoy-max-retries');
  if (on === undefined && grpcOn === undefined && max === undefined) return plan;
  const base = plan ?? headerPlan;
  const codes = (request.get('x-envoy-retriable-status-codes') ?? '')
    .split(',')
    .map((code) => Number.parseInt(code, 10));
  const names = (request.get('x-envoy-retriable-header-names') ?? '')
    .split(',')
    .map((name) => name.trim().toLowerCase());
  return {
    ...base,
    on: base.on | retryOnBits(on ?? '') | retryOnBits(grpcOn ?? ''),
    numRetries: max !== undefined && /^\d{1,9}$/.test(max) ? Number(max) : base.numRetries,
    statusCodes: [...base.statusCodes, ...codes.filter((code) => code >= 100)],
    responseHeaders: [...base.responseHeaders, ...names.filter((name) => name !== '').map(headerPresence)],
  };
}
