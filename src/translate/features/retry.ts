// VirtualService `retries` as Envoy's retry policy.
// https://istio.io/latest/docs/reference/config/networking/virtual-service/#HTTPRetry
import { create } from '@bufbuild/protobuf';
import {
  type RetryPolicy,
  RetryPolicySchema,
} from '@meltemi/envoy-api/envoy/config/route/v3/route_components';
import { PreviousHostsPredicateSchema } from '@meltemi/envoy-api/envoy/extensions/retry/host/previous_hosts/v3/previous_hosts';
import { PreviousPrioritiesConfigSchema } from '@meltemi/envoy-api/envoy/extensions/retry/priority/previous_priorities/v3/previous_priorities_config';
import type { HTTPRetry } from '../../config/index.ts';
import { any, duration, type Init } from '../wire.ts';

export interface RetryContext {
  /** The mesh's `defaultHttpRetryPolicy`. */
  readonly meshDefault?: HTTPRetry;
  /** A hashed host is to stay the same on every try. */
  readonly consistentHash: boolean;
}

const defaultRetryOn = 'connect-failure,refused-stream,unavailable,cancelled,retriable-status-codes';
const defaultAttempts = 2;

const previousHosts = any(PreviousHostsPredicateSchema, {});
const previousPriorities = any(PreviousPrioritiesConfigSchema, { updateFrequency: 2 });

/** Undefined when requests are not to be retried. */
export function retryPolicy(retries: HTTPRetry | undefined, context: RetryContext): RetryPolicy | undefined {
  const own = retries ?? context.meshDefault;
  if (!own)
    return create(RetryPolicySchema, {
      retryOn: defaultRetryOn,
      numRetries: defaultAttempts,
      ...hostSelection(undefined, context),
    });
  if ((own.attempts ?? 0) <= 0) return undefined;
  const { conditions, codes } = splitRetryOn(own.retryOn);
  return create(RetryPolicySchema, {
    retryOn: conditions,
    retriableStatusCodes: codes,
    numRetries: own.attempts,
    perTryTimeout: own.perTryTimeout === undefined ? undefined : duration(own.perTryTimeout),
    retryBackOff: own.backoff === undefined ? undefined : { baseInterval: duration(own.backoff) },
    retryPriority: own.retryRemoteLocalities
      ? {
          name: 'envoy.retry_priorities.previous_priorities',
          configType: { case: 'typedConfig', value: previousPriorities },
        }
      : undefined,
    ...hostSelection(own, context),
  });
}

function hostSelection(own: HTTPRetry | undefined, context: RetryContext): Init<typeof RetryPolicySchema> {
  const attempts = { hostSelectionRetryMaxAttempts: 5n };
  if (context.consistentHash || own?.retryIgnorePreviousHosts === false) return attempts;
  return {
    ...attempts,
    retryHostPredicate: [
      {
        name: 'envoy.retry_host_predicates.previous_hosts',
        configType: { case: 'typedConfig', value: previousHosts },
      },
    ],
  };
}

/** Status codes of `retryOn` become `retriable_status_codes`, which needs its own condition. */
function splitRetryOn(text: string | undefined): { readonly conditions: string; readonly codes: number[] } {
  const parts = (text || defaultRetryOn).split(',');
  const codes = parts.filter(isStatusCode).map(Number);
  const conditions = parts.filter((part) => !isStatusCode(part));
  return {
    conditions: [...new Set([...conditions, ...(codes.length > 0 ? ['retriable-status-codes'] : [])])].join(
      ',',
    ),
    codes,
  };
}

function isStatusCode(text: string): boolean {
  return /^\d+$/.test(text);
}
