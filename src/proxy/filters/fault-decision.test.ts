import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fromJson, type JsonObject } from '@bufbuild/protobuf';
import { HTTPFaultSchema } from '@meltemi/envoy-api/envoy/extensions/filters/http/fault/v3/fault';
import { draws, requestOf } from '../decide/route/fake-request.ts';
import { type FaultOutcome, faultDecision, planFault } from './fault-decision.ts';

interface Given {
  readonly headers?: Record<string, string>;
  readonly random?: readonly number[];
  readonly cluster?: string;
  readonly active?: number;
}

function check(config: JsonObject, given: Given, expected: FaultOutcome): void {
  const problems: string[] = [];
  const plan = planFault(fromJson(HTTPFaultSchema, config), problems);
  assert.deepEqual(problems, []);
  const outcome = faultDecision(plan, requestOf({ headers: given.headers ?? {} }), {
    random: draws(...(given.random ?? [0.5])),
    cluster: given.cluster ?? 'c',
    activeFaults: given.active ?? 0,
  });
  assert.deepEqual(outcome, expected, JSON.stringify({ config, given }));
}

const nothing: FaultOutcome = { delay: 0, abort: undefined };
const delay = (numerator: number, denominator = 'HUNDRED') => ({
  delay: { fixed_delay: '2s', percentage: { numerator, denominator } },
});
const abort = { abort: { http_status: 503, percentage: { numerator: 100 } } };

test('percentages', () => {
  check(delay(100), {}, { delay: 2000, abort: undefined });
  check(delay(50), { random: [0.5] }, nothing);
  check(delay(51), { random: [0.5] }, { delay: 2000, abort: undefined });
  check(delay(1, 'MILLION'), { random: [0.0000009] }, { delay: 2000, abort: undefined });
  check(delay(1, 'MILLION'), { random: [0.000001] }, nothing);
  check({ delay: { fixed_delay: '2s' } }, { random: [0] }, nothing);
});

test('aborts, alone and after a delay', () => {
  check(abort, {}, { delay: 0, abort: { kind: 'http', status: 503 } });
  check(
    { abort: { grpc_status: 14, percentage: { numerator: 100 } } },
    {},
    { delay: 0, abort: { kind: 'grpc', status: 14 } },
  );
  check(
    { ...delay(50), abort: { http_status: 500, percentage: { numerator: 50 } } },
    { random: [0.1, 0.9] },
    { delay: 2000, abort: undefined },
  );
  check(
    { ...delay(50), abort: { http_status: 500, percentage: { numerator: 50 } } },
    { random: [0.9, 0.1] },
    { delay: 0, abort: { kind: 'http', status: 500 } },
  );
});

test('conditions', () => {
  const only = {
    ...abort,
    headers: [{ name: 'x-test', string_match: { exact: 'yes' } }],
    upstream_cluster: 'c',
    max_active_faults: 2,
  };
  const hit: FaultOutcome = { delay: 0, abort: { kind: 'http', status: 503 } };
  const headers = { 'x-test': 'yes' };
  check(only, { headers }, hit);
  check(only, {}, nothing);
  check(only, { headers, cluster: 'd' }, nothing);
  check(only, { headers, active: 1 }, hit);
  check(only, { headers, active: 2 }, nothing);
});

test('faults that the request asks for', () => {
  const config = {
    delay: { header_delay: {}, percentage: { numerator: 50 } },
    abort: { header_abort: {}, percentage: { numerator: 100 } },
  };
  check(config, { random: [0.4] }, nothing);
  check(
    config,
    { random: [0.4], headers: { 'x-envoy-fault-delay-request': '70' } },
    { delay: 70, abort: undefined },
  );
  check(
    config,
    {
      random: [0.4],
      headers: { 'x-envoy-fault-delay-request': '70', 'x-envoy-fault-delay-request-percentage': '30' },
    },
    nothing,
  );
  check(
    config,
    { headers: { 'x-envoy-fault-abort-request': '418' } },
    { delay: 0, abort: { kind: 'http', status: 418 } },
  );
  check(
    config,
    { headers: { 'x-envoy-fault-abort-grpc-request': '5' } },
    { delay: 0, abort: { kind: 'grpc', status: 5 } },
  );
});
