import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fromJson, type JsonValue } from '@bufbuild/protobuf';
import { RetryPolicySchema } from '@meltemi/envoy-api/envoy/config/route/v3/route_components';
import fc from 'fast-check';
import type { RetryPlan } from '../../plan/route/retry.ts';
import { planRetry } from '../../plan/route/retry.ts';
import { headersOf, registry, requestOf } from './fake-request.ts';
import { type RetryOutcome, requestRetry, retryBackoff, shouldRetry } from './retry.ts';

function plan(json: JsonValue): RetryPlan {
  const problems: string[] = [];
  const compiled = planRetry(fromJson(RetryPolicySchema, json, { registry }), problems);
  assert.deepEqual(problems, []);
  assert.ok(compiled);
  return compiled;
}

const response = (
  status: number,
  headers: Record<string, string> = {},
  grpcStatus?: number,
): RetryOutcome => ({
  kind: 'response',
  status,
  headers: headersOf(headers),
  ...(grpcStatus === undefined ? {} : { grpcStatus }),
});
const reset = (
  reason: (RetryOutcome & { kind: 'reset' })['reason'],
  requestStarted = true,
): RetryOutcome => ({
  kind: 'reset',
  reason,
  requestStarted,
});

const cases: readonly (readonly [string, RetryOutcome, boolean])[] = [
  ['5xx', response(500), true],
  ['5xx', response(499), false],
  ['5xx', reset('remoteReset'), true],
  ['5xx', reset('timeout'), true],
  ['5xx', reset('overflow'), false],
  ['gateway-error', response(500), false],
  ['gateway-error', response(502), true],
  ['gateway-error', response(504), true],
  ['gateway-error', reset('remoteReset'), true],
  ['reset', reset('remoteReset'), true],
  ['reset', response(503), false],
  ['reset-before-request', reset('remoteReset', false), true],
  ['reset-before-request', reset('remoteReset', true), false],
  ['connect-failure', reset('connectFailure'), true],
  ['connect-failure', reset('remoteReset'), false],
  ['connect-failure', response(503), false],
  ['refused-stream', reset('refusedStream'), true],
  ['refused-stream', reset('connectFailure'), false],
  ['retriable-4xx', response(409), true],
  ['retriable-4xx', response(404), false],
  ['retriable-status-codes', response(503), false],
  ['cancelled', response(200, {}, 1), true],
  ['unavailable', response(200, {}, 14), true],
  ['unavailable', response(200, {}, 2), false],
  ['deadline-exceeded, internal', response(200, {}, 13), true],
  ['resource-exhausted', response(200, {}, 8), true],
  ['5xx', response(503, { 'x-envoy-ratelimited': 'true' }), false],
  ['envoy-ratelimited', response(429, { 'x-envoy-ratelimited': 'true' }), true],
  ['nonsense', response(503), false],
  ['connect-failure,refused-stream,unavailable,cancelled,retriable-status-codes', response(503), false],
];

test('which outcomes are retried', () => {
  for (const [retryOn, outcome, expected] of cases)
    assert.equal(
      shouldRetry(plan({ retry_on: retryOn }), outcome).retry,
      expected,
      `${retryOn} ${JSON.stringify(outcome)}`,
    );
  const codes = plan({ retry_on: 'retriable-status-codes', retriable_status_codes: [200, 418] });
  assert.deepEqual(
    [200, 201, 418].map((status) => shouldRetry(codes, response(status)).retry),
    [true, false, true],
  );
  const headers = plan({
    retry_on: 'retriable-headers',
    retriable_headers: [{ name: 'x-again', string_match: { exact: 'yes' } }],
  });
  assert.deepEqual(
    ['yes', 'no'].map((again) => shouldRetry(headers, response(200, { 'x-again': again })).retry),
    [true, false],
  );
});

test('defaults and predicates', () => {
  const compiled = plan({
    retry_on: '5xx',
    retry_host_predicate: [
      {
        name: 'p',
        typed_config: {
          '@type': 'type.googleapis.com/envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate',
        },
      },
    ],
    host_selection_retry_max_attempts: '5',
    retry_priority: {
      name: 'q',
      typed_config: {
        '@type':
          'type.googleapis.com/envoy.extensions.retry.priority.previous_priorities.v3.PreviousPrioritiesConfig',
        update_frequency: 2,
      },
    },
  });
  assert.deepEqual(
    [
      compiled.numRetries,
      compiled.avoidPreviousHosts,
      compiled.hostSelectionAttempts,
      compiled.previousPriorities,
      compiled.backoff,
    ],
    [1, true, 5, { updateFrequency: 2 }, { base: 25, max: 250 }],
  );
  const problems: string[] = [];
  planRetry(fromJson(RetryPolicySchema, { retry_host_predicate: [{ name: 'other' }] }), problems);
  assert.match(problems.join(), /"other" is not supported/);
});

test('request headers add to the policy only when they are trusted', () => {
  const base = plan({ retry_on: 'connect-failure', num_retries: 2 });
  const request = requestOf({
    headers: {
      'x-envoy-retry-on': '5xx,retriable-status-codes',
      'x-envoy-max-retries': '7',
      'x-envoy-retriable-status-codes': '418,x',
    },
  });
  assert.equal(requestRetry(base, request, { trusted: false }), base);
  const merged = requestRetry(base, request, { trusted: true });
  assert.ok(merged);
  assert.deepEqual([merged.numRetries, merged.statusCodes], [7, [418]]);
  assert.ok(shouldRetry(merged, response(500)).retry && shouldRetry(merged, reset('connectFailure')).retry);
  assert.equal(requestRetry(undefined, requestOf({}), { trusted: true }), undefined);
  assert.equal(requestRetry(undefined, request, { trusted: true })?.numRetries, 7);
  assert.equal(
    requestRetry(plan({ retry_on: '5xx', num_retries: 0 }), requestOf({}), { trusted: true }),
    undefined,
  );
  const gets = plan({
    retry_on: '5xx',
    retriable_request_headers: [{ name: ':method', string_match: { exact: 'GET' } }],
  });
  assert.deepEqual(
    ['GET', 'POST'].map((method) => requestRetry(gets, requestOf({ method }), { trusted: false })),
    [gets, undefined],
  );
});

test('a delay that the upstream asks for', () => {
  const limited = plan({
    retry_on: '5xx',
    rate_limited_retry_back_off: {
      reset_headers: [
        { name: 'Retry-After', format: 'SECONDS' },
        { name: 'x-reset', format: 'UNIX_TIMESTAMP' },
      ],
      max_interval: '10s',
    },
  });
  const after = (headers: Record<string, string>) =>
    shouldRetry(limited, response(503, headers), 100_000).after;
  assert.deepEqual(
    [after({ 'retry-after': '3' }), after({ 'retry-after': '30' }), after({ 'x-reset': '104' }), after({})],
    [3000, undefined, 4000, undefined],
  );
});

test('backoff stays below its doubling, capped window', () => {
  const compiled = plan({
    retry_on: '5xx',
    retry_back_off: { base_interval: '0.010s', max_interval: '0.050s' },
  });
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 2000 }),
      fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
      (attempt, draw) => {
        const delay = retryBackoff(compiled, attempt, () => draw);
        assert.ok(delay >= 0 && delay < Math.min(50, 10 * 2 ** (attempt - 1)));
      },
    ),
    { seed: 1 },
  );
});
