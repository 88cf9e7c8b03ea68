import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fromJson, type JsonObject } from '@bufbuild/protobuf';
import { AccessLogFilterSchema } from '@meltemi/envoy-api/envoy/config/accesslog/v3/accesslog';
import { headersOf, requestOf } from '../../decide/route/fake-request.ts';
import { planLogFilter } from '../../plan/access-log/log-filter.ts';
import { type LogRecord, logFilter } from './log-filter.ts';

const comparison = (op: string, bound: number): JsonObject => ({
  comparison: { op, value: { default_value: bound } },
});
const grpc = requestOf({ headers: { 'content-type': 'application/grpc' } });
const status = (responseCode: number) => ({ responseCode });
const auth = (fields: object) => ({ metadata: { auth: fields } });
const admins = {
  matcher: { filter: 'auth', path: [{ key: 'role' }], value: { string_match: { exact: 'admin' } } },
};
const never = { status_code_filter: comparison('EQ', 0) };
const always = { status_code_filter: comparison('GE', 0) };

const cases: readonly (readonly [JsonObject, Partial<LogRecord>, boolean])[] = [
  [{ status_code_filter: comparison('GE', 500) }, status(500), true],
  [{ status_code_filter: comparison('GE', 500) }, status(499), false],
  [{ status_code_filter: comparison('LE', 399) }, status(200), true],
  [{ status_code_filter: comparison('EQ', 404) }, status(403), false],
  [{ duration_filter: comparison('GE', 10) }, { duration: 10.9 }, true],
  [{ duration_filter: comparison('GE', 10) }, { duration: 9.9 }, false],
  [{ not_health_check_filter: {} }, { isHealthCheck: true }, false],
  [{ not_health_check_filter: {} }, {}, true],
  [{ runtime_filter: { runtime_key: 'k', percent_sampled: { numerator: 50 } } }, {}, true],
  [{ runtime_filter: { runtime_key: 'k', percent_sampled: { numerator: 40 } } }, {}, false],
  [{ and_filter: { filters: [always, never] } }, status(200), false],
  [{ or_filter: { filters: [never, always] } }, status(200), true],
  [{ header_filter: { header: { name: 'content-type' } } }, { request: grpc }, true],
  [{ header_filter: { header: { name: 'content-type' } } }, {}, false],
  [{ response_flag_filter: {} }, { responseFlags: 'UH' }, true],
  [{ response_flag_filter: {} }, {}, false],
  [{ response_flag_filter: { flags: ['UF'] } }, { responseFlags: 'URX,UF' }, true],
  [{ response_flag_filter: { flags: ['UF'] } }, { responseFlags: 'UH' }, false],
  [
    { grpc_status_filter: { statuses: ['NOT_FOUND'] } },
    { request: grpc, trailers: headersOf({ 'grpc-status': '5' }) },
    true,
  ],
  [{ grpc_status_filter: { statuses: ['OK'], exclude: true } }, status(200), false],
  [{ grpc_status_filter: { statuses: ['UNKNOWN'] } }, status(404), true],
  [{ metadata_filter: admins }, auth({ role: 'admin' }), true],
  [{ metadata_filter: admins }, auth({ role: 'guest' }), false],
  [{ metadata_filter: admins }, auth({}), true],
  [{ metadata_filter: { ...admins, match_if_key_not_found: false } }, auth({}), false],
];

test('which exchanges a log is about', () => {
  for (const [json, record, expected] of cases) {
    const problems: string[] = [];
    const filter = logFilter(planLogFilter(fromJson(AccessLogFilterSchema, json), problems));
    assert.deepEqual(problems, []);
    assert.equal(
      filter({ request: requestOf({}), ...record }, () => 0.45),
      expected,
      JSON.stringify([json, record]),
    );
  }
});

test('what is not known is a problem', () => {
  const refused: readonly (readonly [JsonObject, RegExp])[] = [
    [{}, /without a kind/],
    [{ log_type_filter: {} }, /logTypeFilter is not supported/],
    [{ response_flag_filter: { flags: ['XX'] } }, /XX is no response flag/],
  ];
  for (const [json, expected] of refused) {
    const problems: string[] = [];
    planLogFilter(fromJson(AccessLogFilterSchema, json), problems);
    assert.match(problems.join('\n'), expected);
  }
});
