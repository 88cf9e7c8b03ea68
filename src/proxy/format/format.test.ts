import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JsonObject } from '@bufbuild/protobuf';
import { headersOf, requestOf } from '../decide/route/fake-request.ts';
import { compileFormat } from './format.ts';
import type { FormatContext } from './format-context.ts';
import { planFormat } from './format-plan.ts';
import { compileJsonFormat } from './json-format.ts';
import { planJsonFormat } from './json-format-plan.ts';

const exchange: FormatContext = {
  request: requestOf({
    path: '/a?x=1%202',
    headers: { 'content-type': 'application/grpc', 'x-a': 'abcdef' },
  }),
  response: headersOf({ 'grpc-status': '4' }),
  responseCode: 200,
  responseFlags: 'URX,UF',
  bytesSent: 12,
  duration: 3.7,
  startTime: Date.UTC(2026, 0, 2, 3, 4, 5, 6),
  upstreamHost: '[fd00::1]:80',
  upstreamRemoteAddress: '[fd00::1]:80',
  upstreamTransportFailureReason: 'delayed connect error: Connection refused',
  metadata: { ns: { list: [1, 2], text: 'é' } },
  moments: {
    begun: 1000,
    requestDone: 1001.5,
    upstreamBegun: 1002,
    upstreamRequestDone: 1002,
    firstFromUpstream: 1010.25,
    lastFromUpstream: 1011,
    firstToClient: 1011,
    lastToClient: 1012,
  },
};

const cases: Readonly<Record<string, string>> = {
  '%REQ(:PATH)% %REQ(X-NONE?X-A):3% %REQ(X-NONE)%': '/a?x=1%202 abc -',
  '%REQ_WITHOUT_QUERY(:PATH)% %QUERY_PARAM(x)%': '/a 1 2',
  '%DURATION% %REQUEST_DURATION% %RESPONSE_DURATION% %RESPONSE_TX_DURATION%': '3 1 10 1',
  '%COMMON_DURATION(US_TX_BEG:US_RX_BEG:us)% %COMMON_DURATION(US_CX_BEG:US_CX_END)%': '8250 -',
  '%RESPONSE_FLAGS% %RESPONSE_FLAGS_LONG%': 'URX,UF UpstreamRetryLimitExceeded,UpstreamConnectionFailure',
  '%GRPC_STATUS% %GRPC_STATUS(SNAKE_STRING)% %GRPC_STATUS_NUMBER%': 'DeadlineExceeded DEADLINE_EXCEEDED 4',
  '%UPSTREAM_HOST% %UPSTREAM_REMOTE_ADDRESS_WITHOUT_PORT% %UPSTREAM_REMOTE_PORT%': '[fd00::1]:80 fd00::1 80',
  '%UPSTREAM_TRANSPORT_FAILURE_REASON%': 'delayed_connect_error:_Connection_refused',
  '%START_TIME% %START_TIME(%s.%3f)%': '2026-01-02T03:04:05.006Z 1767323045.006',
  '%DYNAMIC_METADATA(ns:list)% %TRACE_ID% 100%%': '[1,2] - 100%',
};

for (const [text, expected] of Object.entries(cases))
  test(text, () => {
    const problems: string[] = [];
    assert.equal(compileFormat(planFormat(text, problems), '-')(exchange), expected);
    assert.deepEqual(problems, []);
  });

test('what is no operator is a problem', () => {
  for (const text of [
    '%NOTHING%',
    '%REQ%',
    '%PROTOCOL(x)%',
    '%COMMON_DURATION(A:B)%',
    '%GRPC_STATUS(x)%',
    '5%',
  ]) {
    const problems: string[] = [];
    planFormat(text, problems);
    assert.notEqual(problems.length, 0, text);
  }
});

function json(source: JsonObject, omitEmpty: boolean): unknown {
  const problems: string[] = [];
  const line = compileJsonFormat(planJsonFormat(source, problems), omitEmpty)(exchange);
  assert.deepEqual(problems, []);
  assert.ok(line.endsWith('}\n'));
  return JSON.parse(Buffer.from(line, 'latin1').toString());
}

test('JSON keeps numbers, structures and nothing', () => {
  const source: JsonObject = {
    sent: '%BYTES_SENT%',
    none: '%REQ(X-NONE)%',
    both: '%REQ(X-NONE)% %BYTES_SENT%',
    deep: { list: ['%RESPONSE_CODE%', 'x'], data: '%DYNAMIC_METADATA(ns)%', none: '%REQ(X-NONE)%' },
    quoted: 'a "b"',
  };
  const data = { list: [1, 2], text: 'é' };
  assert.deepEqual(json(source, false), {
    sent: 12,
    none: null,
    both: '- 12',
    deep: { list: [200, 'x'], data, none: null },
    quoted: 'a "b"',
  });
  assert.deepEqual(json(source, true), {
    sent: 12,
    both: ' 12',
    deep: { list: [200, 'x'], data },
    quoted: 'a "b"',
  });
});
