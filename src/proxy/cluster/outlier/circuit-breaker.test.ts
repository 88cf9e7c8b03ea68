import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fromJson, type JsonObject } from '@bufbuild/protobuf';
import { CircuitBreakersSchema } from '@meltemi/envoy-api/envoy/config/cluster/v3/circuit_breaker';
import { type BreakerResource, breakerAllows, compileBreakers, type InFlight } from './circuit-breaker.ts';

const idle: InFlight = { connections: 0, pending: 0, requests: 0, retries: 0 };

function check(thresholds: JsonObject, resource: BreakerResource, inFlight: Partial<InFlight>, expected: boolean): void {
  const plan = compileBreakers(fromJson(CircuitBreakersSchema, { thresholds: [thresholds] }));
  assert.equal(breakerAllows(plan.default, resource, { ...idle, ...inFlight }), expected);
}

test('defaults', () => {
  for (const [resource, limit] of [
    ['connections', 1024],
    ['pending', 1024],
    ['requests', 1024],
    ['retries', 3],
  ] as const) {
    check({}, resource, { [resource]: limit - 1 }, true);
    check({}, resource, { [resource]: limit }, false);
  }
});

test('configured limits', () => {
  check({ max_connections: 1 }, 'connections', {}, true);
  check({ max_connections: 1 }, 'connections', { connections: 1 }, false);
  check({ max_requests: 0 }, 'requests', {}, false);
});

test('a retry budget replaces the limit of retries', () => {
  const budget = { max_retries: 0, retry_budget: { budget_percent: { value: 20 }, min_retry_concurrency: 2 } };
  check(budget, 'retries', { retries: 1 }, true);
  check(budget, 'retries', { retries: 2 }, false);
  check(budget, 'retries', { retries: 2, requests: 10, pending: 5 }, true);
  check(budget, 'retries', { retries: 3, requests: 10, pending: 5 }, false);
});

test('priorities have limits of their own', () => {
  const plan = compileBreakers(
    fromJson(CircuitBreakersSchema, { thresholds: [{ priority: 'HIGH', max_requests: 7 }], per_host_thresholds: [{ max_connections: 2 }] }),
  );
  assert.deepEqual([plan.default.maxRequests, plan.high.maxRequests, plan.perHostConnections], [1024, 7, 2]);
});
