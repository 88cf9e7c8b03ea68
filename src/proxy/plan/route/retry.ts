// Retry policies as plans.
// https://www.envoyproxy.io/docs/envoy/latest/configuration/http/http_filters/router_filter#x-envoy-retry-on
import { anyUnpack } from '@bufbuild/protobuf/wkt';
import {
  RetryPolicy_ResetHeaderFormat as ResetFormat,
  type RetryPolicy,
} from '@meltemi/envoy-api/envoy/config/route/v3/route_components';
import { PreviousPrioritiesConfigSchema } from '@meltemi/envoy-api/envoy/extensions/retry/priority/previous_priorities/v3/previous_priorities_config';
import type { Millis } from '../../../base/index.ts';
import { millis } from '../../codec/duration.ts';
import { type HeaderMatchPlan, planHeaderMatch } from './header-match.ts';

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
export interface RetryPlan {
  /** Bits of `RetryOn`. */
  readonly on: number;
  readonly numRetries: number;
  readonly perTryTimeout: Millis;
  readonly perTryIdleTimeout: Millis;
  readonly statusCodes: readonly number[];
  readonly responseHeaders: readonly HeaderMatchPlan[];
  /** When there are any, one must match the request for it to be retried at all. */
  readonly requestHeaders: readonly HeaderMatchPlan[];
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

export const defaultBackoff: Millis = 25;

export function planRetry(policy: RetryPolicy | undefined, problems: string[]): RetryPlan | undefined {
  if (!policy) return undefined;
  const base = Math.max(1, millis(policy.retryBackOff?.baseInterval) ?? defaultBackoff);
  const max = millis(policy.retryBackOff?.maxInterval) ?? base * 10;
  if (policy.retryOptionsPredicates.length > 0) problems.push('retry_options_predicates are not supported');
  if (max < base) problems.push('retry_back_off: max_interval is less than base_interval');
  return {
    on: retryOnBits(policy.retryOn),
    numRetries: policy.numRetries ?? 1,
    perTryTimeout: millis(policy.perTryTimeout) ?? 0,
    perTryIdleTimeout: millis(policy.perTryIdleTimeout) ?? 0,
    statusCodes: policy.retriableStatusCodes,
    responseHeaders: policy.retriableHeaders.map((header) => planHeaderMatch(header, problems)),
    requestHeaders: policy.retriableRequestHeaders.map((header) => planHeaderMatch(header, problems)),
    backoff: { base, max },
    rateLimited: planRateLimited(policy),
    ...planPredicates(policy, problems),
    hostSelectionAttempts: Number(policy.hostSelectionRetryMaxAttempts),
  };
}

/** Unknown words are ignored, as Envoy ignores them. */
export function retryOnBits(list: string): number {
  return list.split(',').reduce((bits, word) => bits | (retryBits.get(word.trim()) ?? 0), 0);
}

function planRateLimited(policy: RetryPolicy): RateLimitedBackoff | undefined {
  const limited = policy.rateLimitedRetryBackOff;
  return (
    limited && {
      headers: limited.resetHeaders.map(({ name, format }) => ({
        name: name.toLowerCase(),
        unixTime: format === ResetFormat.UNIX_TIMESTAMP,
      })),
      max: millis(limited.maxInterval) ?? 300_000,
    }
  );
}

type Predicates = Pick<RetryPlan, 'avoidPreviousHosts' | 'omitCanaryHosts' | 'previousPriorities'>;

function planPredicates(policy: RetryPolicy, problems: string[]): Predicates {
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
    previousPriorities: planPriorities(policy, problems),
  };
}

const knownPredicates = new Set([
  'envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate',
  'envoy.retry_host_predicates.previous_hosts',
  'envoy.extensions.retry.host.omit_canary_hosts.v3.OmitCanaryHostsPredicate',
  'envoy.retry_host_predicates.omit_canary_hosts',
]);

function planPriorities(policy: RetryPolicy, problems: string[]): RetryPlan['previousPriorities'] {
  const any = policy.retryPriority?.configType.value;
  if (!policy.retryPriority) return undefined;
  const config = any && anyUnpack(any, PreviousPrioritiesConfigSchema);
  if (!config) problems.push(`retry priority "${policy.retryPriority.name}" is not supported`);
  return config && { updateFrequency: Math.max(1, config.updateFrequency) };
}

function extensionKind(typeUrl: string | undefined, name: string): string {
  return typeUrl ? typeUrl.slice(typeUrl.lastIndexOf('/') + 1) : name;
}
