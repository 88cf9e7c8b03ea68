import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fromJson, type JsonValue } from '@bufbuild/protobuf';
import { RouteActionSchema } from '@meltemi/envoy-api/envoy/config/route/v3/route_components';
import type { TimeoutPlan } from '../../plan/route/timeout.ts';
import { planTimeouts } from '../../plan/route/timeout.ts';
import { headersOf } from './fake-request.ts';
import { parseGrpcTimeout, requestTimeouts } from './timeout.ts';

function check(
  action: JsonValue,
  options: { headers?: Record<string, string>; grpc?: boolean; trusted?: boolean; perTry?: number },
  expected: Partial<TimeoutPlan>,
): void {
  const plan = planTimeouts(fromJson(RouteActionSchema, action), {
    perTry: options.perTry ?? 0,
    perTryIdle: 0,
  });
  const actual = requestTimeouts(plan, headersOf(options.headers ?? {}), {
    grpc: options.grpc ?? false,
    trusted: options.trusted ?? false,
  });
  assert.deepEqual({ ...actual, ...expected }, actual, JSON.stringify({ action, options }));
}

test('plans', () => {
  check({}, {}, { request: 15_000, idle: undefined, maxStream: undefined });
  check({ timeout: '0s' }, {}, { request: 0 });
  check({ timeout: '0.5s', idle_timeout: '3s' }, {}, { request: 500, idle: 3000 });
  check({ timeout: '1s' }, { perTry: 400 }, { perTry: 400 });
  check({ timeout: '1s' }, { perTry: 1000 }, { perTry: 0 });
  check({ timeout: '0s' }, { perTry: 1000 }, { perTry: 1000 });
});

test('x-envoy headers count only from inside', () => {
  const headers = { 'x-envoy-upstream-rq-timeout-ms': '100', 'x-envoy-upstream-rq-per-try-timeout-ms': '40' };
  check({ timeout: '1s' }, { headers }, { request: 1000, perTry: 0 });
  check({ timeout: '1s' }, { headers, trusted: true }, { request: 100, perTry: 40 });
  check(
    { timeout: '1s' },
    { headers: { 'x-envoy-upstream-rq-timeout-ms': 'soon' }, trusted: true },
    { request: 1000 },
  );
});

test('grpc-timeout within max_grpc_timeout', () => {
  const grpc = (max: string, value: string | undefined, request: number, more: object = {}) =>
    check(
      { timeout: '1s', max_grpc_timeout: max, ...more } as JsonValue,
      { grpc: true, headers: value === undefined ? {} : { 'grpc-timeout': value } },
      { request },
    );
  grpc('2s', '500m', 500);
  grpc('2s', '5S', 2000);
  grpc('2s', undefined, 2000);
  grpc('0s', '5S', 5000);
  grpc('0s', undefined, 0);
  grpc('2s', '500m', 400, { grpc_timeout_offset: '0.1s' });
  grpc('2s', '50m', 50, { grpc_timeout_offset: '0.1s' });
  check({ timeout: '1s', max_grpc_timeout: '2s' }, { headers: { 'grpc-timeout': '5S' } }, { request: 1000 });
  check({ timeout: '1s' }, { grpc: true, headers: { 'grpc-timeout': '5S' } }, { request: 1000 });
});

test('grpc-timeout within max_stream_duration', () => {
  const stream = { max_stream_duration: { max_stream_duration: '9s', grpc_timeout_header_max: '2s' } };
  check(stream, { grpc: true, headers: { 'grpc-timeout': '5S' } }, { maxStream: 2000, request: 15_000 });
  check(stream, { grpc: true }, { maxStream: 9000 });
});

test('the text of grpc-timeout', () => {
  const cases = [
    ['1H', 3_600_000],
    ['2M', 120_000],
    ['3S', 3000],
    ['4m', 4],
    ['1u', 1],
    ['1n', 1],
    ['0S', 0],
    ['123456789m', undefined],
    ['5', undefined],
    ['-1S', undefined],
    ['1 S', undefined],
    [undefined, undefined],
  ] as const;
  for (const [text, expected] of cases) assert.equal(parseGrpcTimeout(text), expected, text);
});
