// Retry policies as plain plans, and the decision whether an outcome is worth another try.
// https://www.envoyproxy.io/docs/envoy/latest/configuration/http/http_filters/router_filter#x-envoy-retry-on
import { anyUnpack } from '@bufbuild/protobuf/wkt';
import {
  RetryPolicy_ResetHeaderFormat as ResetFormat,
  type RetryPolicy,
} from '@meltemi/envoy-api/envoy/config/route/v3/route_components';
import { PreviousPrioritiesConfigSchema } from '@meltemi/envoy-api/envoy/extensions/retry/priority/previous_priorities/v3/previous_priorities_config';
import { type Millis, unreachable } from '../../../base/index.ts';
import { compileHeaderMatcher, HeaderMatcher } from './header-match.ts';
import type { HeaderView, RequestView } from './request-view.ts';
import { durationMillis } from './timeout.ts';

/** Conditions as bits of `RetryPlan.on`. */
export const RetryOn = {
  '5xx': 1,
  'gateway-error': 2,
  'connect-failure': 4,
  'retriable-4xx': 8,
  'refused-stream': 16,
  'retriable-status-codes': 32,
  reset: 64,
  'retriable-headers': 128,
  'envoy-ratelimited': 256,
  'reset-before-request': 512,
  'http3-post-connect-failure': 1024,
  cancelled: 1 << 16,
  'deadline-exceeded': 1 << 17,
  'resource-exhausted': 1 << 18,
  unavailable: 1 << 19,
  internal: 1 << 20,
} as const;

const retryBits: ReadonlyMap<string, number> = new Map(Object.entries(RetryOn));
const grpcBits: ReadonlyMap<number, number> = new Map([
  [1, RetryOn.cancelled],
  [4, RetryOn['deadline-exceeded']],
  [8, RetryOn['resource-exhausted']],
  [13, RetryOn.internal],
  [14, RetryOn.unavailable],
]);

export interface RetryPlan {
  /** Bits of `RetryOn`. */
  readonly on: number;
  readonly numRetries: number;
  readonly perTryTimeout: Millis;
  readonly perTryIdleTimeout: Millis;
  readonly statusCodes: readonly number[];
  readonly responseHeaders: readonly HeaderMatcher[];
  /** When there are any, one must match the request for it to be retried at all. */
  readonly requestHeaders: readonly HeaderMatcher[];
  readonly backoff: { readonly base: Millis; readonly max: Millis };
  readonly rateLimited: RateLimitedBackoff | undefined;
  readonly avoidPreviousHosts: boolean;
  readonly omitCanaryHosts: boolean;
  /** Tries after which used priorities count again; undefined does not look at priorities. */
  readonly previousPriorities: { readonly updateFrequency: number } | undefined;
  /** Extra draws to find a host that the predicates accept. */
  readonly hostSelectionAttempts: number;
}

interface RateLimitedBackoff {
  readonly headers: readonly { readonly name: string; readonly unixTime: boolean }[];
  readonly max: Millis;
}

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
const defaultBase: Millis = 25;

export function compileRetry(policy: RetryPolicy | undefined, problems: string[]): RetryPlan | undefined {
  if (!policy) return undefined;
  const base = Math.max(1, durationMillis(policy.retryBackOff?.baseInterval) ?? defaultBase);
  const max = durationMillis(policy.retryBackOff?.maxInterval) ?? base * 10;
  if (max < base) problems.push('retry_back_off: max_interval is less than base_interval');
  return {
    on: retryOnBits(policy.retryOn),
    numRetries: policy.numRetries ?? 1,
    perTryTimeout: durationMillis(policy.perTryTimeout) ?? 0,
    perTryIdleTimeout: durationMillis(policy.perTryIdleTimeout) ?? 0,
    statusCodes: policy.retriableStatusCodes,
    responseHeaders: policy.retriableHeaders.map((header) => compileHeaderMatcher(header, problems)),
    requestHeaders: policy.retriableRequestHeaders.map((header) => compileHeaderMatcher(header, problems)),
    backoff: { base, max },
    rateLimited: compileRateLimited(policy),
    ...compilePredicates(policy, problems),
    hostSelectionAttempts: Number(policy.hostSelectionRetryMaxAttempts),
  };
}

const headerPlan: RetryPlan = {
  on: 0,
  numRetries: 1,
  perTryTimeout: 0,
  perTryIdleTimeout: 0,
  statusCodes: [],
  responseHeaders: [],
  requestHeaders: [],
  backoff: { base: defaultBase, max: defaultBase * 10 },
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
  return wanted.length === 0 || wanted.some((header) => header.matchesRequest(request)) ? own : undefined;
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
  if (on & RetryOn['retriable-headers'] && plan.responseHeaders.some((header) => header.matches(headers)))
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
    responseHeaders: [...base.responseHeaders, ...names.filter((name) => name !== '').map(presence)],
  };
}

function presence(name: string): HeaderMatcher {
  return new HeaderMatcher(
    name,
    { kind: 'present', present: true },
    { invert: false, missingIsEmpty: false },
  );
}

/** Unknown words are ignored, as Envoy ignores them. */
function retryOnBits(list: string): number {
  return list.split(',').reduce((bits, word) => bits | (retryBits.get(word.trim()) ?? 0), 0);
}

function compileRateLimited(policy: RetryPolicy): RateLimitedBackoff | undefined {
  const limited = policy.rateLimitedRetryBackOff;
  return (
    limited && {
      headers: limited.resetHeaders.map(({ name, format }) => ({
        name: name.toLowerCase(),
        unixTime: format === ResetFormat.UNIX_TIMESTAMP,
      })),
      max: durationMillis(limited.maxInterval) ?? 300_000,
    }
  );
}

type Predicates = Pick<RetryPlan, 'avoidPreviousHosts' | 'omitCanaryHosts' | 'previousPriorities'>;

function compilePredicates(policy: RetryPolicy, problems: string[]): Predicates {
  const kinds = policy.retryHostPredicate.map((predicate) =>
    extensionKind(predicate.configType.value?.typeUrl, predicate.name),
  );
  for (const kind of kinds)
    if (!knownPredicates.has(kind)) problems.push(`retry host predicate "${kind}" is not supported`);
  return {
    avoidPreviousHosts: kinds.some(
      (kind) => kind.includes('PreviousHosts') || kind.endsWith('previous_hosts'),
    ),
    omitCanaryHosts: kinds.some((kind) => kind.includes('OmitCanary') || kind.endsWith('omit_canary_hosts')),
    previousPriorities: compilePriorities(policy, problems),
  };
}

const knownPredicates = new Set([
  'envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate',
  'envoy.retry_host_predicates.previous_hosts',
  'envoy.extensions.retry.host.omit_canary_hosts.v3.OmitCanaryHostsPredicate',
  'envoy.retry_host_predicates.omit_canary_hosts',
]);

function compilePriorities(policy: RetryPolicy, problems: string[]): RetryPlan['previousPriorities'] {
  const any = policy.retryPriority?.configType.value;
  if (!policy.retryPriority) return undefined;
  const config = any && anyUnpack(any, PreviousPrioritiesConfigSchema);
  if (!config) problems.push(`retry priority "${policy.retryPriority.name}" is not supported`);
  return config && { updateFrequency: Math.max(1, config.updateFrequency) };
}

function extensionKind(typeUrl: string | undefined, name: string): string {
  return typeUrl ? typeUrl.slice(typeUrl.lastIndexOf('/') + 1) : name;
}
