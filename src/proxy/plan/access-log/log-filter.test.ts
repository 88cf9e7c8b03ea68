import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fromJson, type JsonObject } from '@bufbuild/protobuf';
import { AccessLogFilterSchema } from '@meltemi/envoy-api/envoy/config/accesslog/v3/accesslog';
import { headersOf, requestOf } from '../../decide/route/fake-request.ts';
import { type LogRecord, planLogFilter } from './log-filter.ts';

const record: LogRecord = {
  request: requestOf({ headers: { 'x-a': '1', 'content-type': 'application/grpc' } }),
  response: headersOf({ 'grpc-status': '5' }),
  responseCode: 200,
  responseFlags: 'UF,URX',
  duration: 20.9,
  isHealthCheck: true,
  metadata: { ns: { key: 'value' } },
};

const compared = (op: string, value: number): JsonObject => ({
  comparison: { op, value: { default_value: value, runtime_key: 'x' } },
});
const yes = { status_code_filter: compared('EQ', 200) };
const no = { status_code_filter: compared('GE', 400) };
const key = { filter: 'ns', path: [{ key: 'key' }], value: { string_match: { exact: 'value' } } };

const cases: readonly (readonly [JsonObject, boolean])[] = [
  [yes, true],
  [no, false],
  [{ duration_filter: compared('LE', 20) }, true],
  [{ duration_filter: compared('GE', 21) }, false],
  [{ not_health_check_filter: {} }, false],
  [{ and_filter: { filters: [yes, no] } }, false],
  [{ or_filter: { filters: [yes, no] } }, true],
  [{ header_filter: { header: { name: 'x-a', string_match: { exact: '1' } } } }, true],
  [{ header_filter: { header: { name: 'x-b', present_match: true } } }, false],
  [{ response_flag_filter: { flags: ['URX'] } }, true],
  [{ response_flag_filter: { flags: ['NR'] } }, false],
  [{ response_flag_filter: {} }, true],
  [{ grpc_status_filter: { statuses: ['NOT_FOUND'] } }, true],
  [{ grpc_status_filter: { statuses: ['NOT_FOUND'], exclude: true } }, false],
  [{ runtime_filter: { runtime_key: 'x', percent_sampled: { numerator: 50 } } }, true],
  [{ runtime_filter: { runtime_key: 'x', percent_sampled: { numerator: 10 } } }, false],
  [{ metadata_filter: { matcher: key } }, true],
  [{ metadata_filter: { matcher: { ...key, filter: 'other' }, match_if_key_not_found: false } }, false],
  [{ traceable_filter: {} }, false],
];

for (const [filter, expected] of cases)
  test(JSON.stringify(filter), () => {
    const problems: string[] = [];
    const takes = planLogFilter(fromJson(AccessLogFilterSchema, filter), problems);
    assert.deepEqual(problems, []);
    assert.equal(
      takes(record, () => 0.2),
      expected,
    );
  });

test('what is not known is a problem', () => {
  const refused: readonly JsonObject[] = [
    {},
    { response_flag_filter: { flags: ['XX'] } },
    { log_type_filter: {} },
  ];
  for (const filter of refused) {
    const problems: string[] = [];
    planLogFilter(fromJson(AccessLogFilterSchema, filter), problems);
    assert.equal(problems.length, 1, JSON.stringify(filter));
  }
});
