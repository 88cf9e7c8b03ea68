import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JsonObject } from '@bufbuild/protobuf';
import type { FormatContext } from '../../format/format-context.ts';
import {
  context,
  headersOf,
  mutableHeaders,
  requestOf,
  routeConfiguration,
  routesOf,
} from './fake-request.ts';
import { finalizeRequestHeaders, finalizeResponseHeaders } from './finalize.ts';
import { rewriteAuthority } from './rewrite.ts';

type Pairs = readonly (readonly [string, string])[];
type Levels = {
  readonly table?: JsonObject;
  readonly host?: JsonObject;
  readonly route?: JsonObject;
  readonly action?: JsonObject;
  readonly match?: JsonObject;
};

const start: Pairs = [
  [':authority', 'shop'],
  [':path', '/api/x?q=1'],
];

function decide({
  table = {},
  host = {},
  route = {},
  action = { cluster: 'c' },
  match = { prefix: '/api' },
}: Levels) {
  const routes = [{ match, route: action, ...route }];
  const config = { name: 'r', ...table, virtual_hosts: [{ name: 'h', domains: ['*'], ...host, routes }] };
  const compiled = routesOf(routeConfiguration(config));
  assert.deepEqual(compiled.problems, []);
  const decision = compiled.table.choose(requestOf({ path: '/api/x?q=1' }), context());
  assert.ok(decision.kind === 'forward');
  return decision;
}

const format: FormatContext = {
  request: requestOf({
    method: 'POST',
    path: '/api/x?q=1',
    authority: 'shop',
    headers: { 'x-in': 'inside', 'x-second': 'two' },
  }),
  response: headersOf({ 'content-type': 'text/plain' }),
  downstreamRemoteAddress: '10.0.0.9:1234',
  downstreamLocalAddress: '[fd00::1]:80',
  protocol: 'HTTP/1.1',
  responseCode: 201,
  routeName: 'n',
  startTime: Date.UTC(2024, 1, 3, 4, 5, 6, 7),
};

function checkRequest(levels: Levels, expected: readonly string[], before: Pairs = start): void {
  const headers = mutableHeaders(before);
  finalizeRequestHeaders(decide(levels), headers, format);
  assert.deepEqual(headers.lines(), expected);
}

const plain = [':authority: shop', ':path: /api/x?q=1'];

test('rewrites of the path', () => {
  const path = (rewritten: string) => [
    ':authority: shop',
    `:path: ${rewritten}`,
    'x-envoy-original-path: /api/x?q=1',
  ];
  checkRequest({}, plain);
  checkRequest({ action: { cluster: 'c', prefix_rewrite: '/' } }, path('//x?q=1'));
  checkRequest({ action: { cluster: 'c', prefix_rewrite: '/v2' } }, path('/v2/x?q=1'));
  checkRequest(
    { action: { cluster: 'c', prefix_rewrite: '/v2' }, match: { prefix: '/' } },
    path('/v2api/x?q=1'),
  );
  checkRequest(
    { action: { cluster: 'c', prefix_rewrite: '/v2' }, match: { path: '/api/x' } },
    path('/v2?q=1'),
  );
  checkRequest(
    { action: { cluster: 'c', prefix_rewrite: '/v2' }, match: { safe_regex: { regex: '/a.*' } } },
    path('/v2?q=1'),
  );
  const regex = (pattern: string, substitution: string) => ({
    action: { cluster: 'c', regex_rewrite: { pattern: { regex: pattern }, substitution } },
  });
  checkRequest(regex('/(a)pi/(.*)', '/\\2/\\1\\\\'), path('/x/a\\?q=1'));
  checkRequest(regex('i', 'I\\0'), path('/apIi/x?q=1'));
  checkRequest(regex('none', 'x'), path('/api/x?q=1'));
  checkRequest(regex('x*', '-'), path('-/-a-p-i-/-?q=1'));
  checkRequest(regex('.*', ''), plain);
  checkRequest(regex('q', 'z'), path('/api/x?q=1'));
});

test('rewrites of the host', () => {
  const host = (name: string, ...more: string[]) => [`:authority: ${name}`, ':path: /api/x?q=1', ...more];
  checkRequest(
    { action: { cluster: 'c', host_rewrite_literal: 'other' } },
    host('other', 'x-envoy-original-host: shop'),
  );
  checkRequest(
    { action: { cluster: 'c', host_rewrite_literal: 'other', append_x_forwarded_host: true } },
    host('other', 'x-forwarded-host: shop', 'x-envoy-original-host: shop'),
  );
  checkRequest({ action: { cluster: 'c', host_rewrite_header: 'X-To' } }, plain);
  checkRequest(
    { action: { cluster: 'c', host_rewrite_header: 'X-To' } },
    [...host('z', 'x-to: z'), 'x-envoy-original-host: shop'],
    [...start, ['x-to', 'z']],
  );
  const byPath = { host_rewrite_path_regex: { pattern: { regex: '^/(.+)/.+$' }, substitution: '\\1.local' } };
  checkRequest({ action: { cluster: 'c', ...byPath } }, host('api.local', 'x-envoy-original-host: shop'));
  const weighted = {
    weighted_clusters: { clusters: [{ name: 'v1', weight: 1, host_rewrite_literal: 'v1.local' }] },
  };
  checkRequest({ action: weighted }, host('v1.local'));
});

test('x-forwarded-host is not repeated', () => {
  const headers = mutableHeaders([
    [':authority', 'b'],
    ['x-forwarded-host', 'a,b'],
  ]);
  rewriteAuthority(headers, 'c', { appendForwardedHost: true, keepOriginal: false });
  assert.deepEqual(headers.lines(), [':authority: c', 'x-forwarded-host: a,b']);
});

const add = (
  key: string,
  value: string,
  append_action = 'APPEND_IF_EXISTS_OR_ADD',
  more: JsonObject = {},
) => ({
  header: { key, value },
  append_action,
  ...more,
});
const level = (name: string) => ({
  request_headers_to_add: [add('x-level', name, 'OVERWRITE_IF_EXISTS_OR_ADD')],
});

test('append actions', () => {
  const cases: readonly (readonly [string, Pairs, readonly string[]])[] = [
    ['APPEND_IF_EXISTS_OR_ADD', [], ['x: n']],
    ['APPEND_IF_EXISTS_OR_ADD', [['x', 'o']], ['x: o', 'x: n']],
    ['ADD_IF_ABSENT', [], ['x: n']],
    ['ADD_IF_ABSENT', [['x', 'o']], ['x: o']],
    [
      'OVERWRITE_IF_EXISTS_OR_ADD',
      [
        ['x', 'o'],
        ['x', 'p'],
      ],
      ['x: n'],
    ],
    ['OVERWRITE_IF_EXISTS_OR_ADD', [], ['x: n']],
    ['OVERWRITE_IF_EXISTS', [], []],
    ['OVERWRITE_IF_EXISTS', [['x', 'o']], ['x: n']],
  ];
  for (const [action, before, expected] of cases) {
    checkRequest(
      { route: { request_headers_to_add: [add('X', 'n', action)] } },
      [...plain, ...expected],
      [...start, ...before],
    );
  }
  checkRequest(
    { route: { request_headers_to_add: [{ header: { key: 'x', value: 'n' }, append: false }] } },
    [...plain, 'x: n'],
    [...start, ['x', 'o']],
  );
});

test('removal comes before addition, and values are those from before', () => {
  const route = {
    request_headers_to_remove: ['X'],
    request_headers_to_add: [add('x', 'new %REQ(x-in)%'), add('y', '%REQ(x-in)%')],
  };
  checkRequest({ route }, [...plain, 'x: new inside', 'y: inside'], [...start, ['x', 'o']]);
});

test('the widest level wins, or the most specific one when so configured', () => {
  const weighted = { weighted_clusters: { clusters: [{ name: 'v1', weight: 1, ...level('cluster') }] } };
  const levels = { table: level('table'), host: level('host'), route: level('route'), action: weighted };
  checkRequest(levels, [...plain, 'x-level: table']);
  checkRequest({ ...levels, table: { ...level('table'), most_specific_header_mutations_wins: true } }, [
    ...plain,
    'x-level: route',
  ]);
  checkRequest({ route: level('route'), action: weighted }, [...plain, 'x-level: route']);
});

test('an empty value drops the header unless it is to be kept', () => {
  checkRequest({ route: { request_headers_to_add: [add('x', '%REQ(none)%')] } }, plain);
  checkRequest(
    {
      route: {
        request_headers_to_add: [
          add('x', '%REQ(none)%', 'APPEND_IF_EXISTS_OR_ADD', { keep_empty_value: true }),
        ],
      },
    },
    [...plain, 'x: '],
  );
});

test('operators', () => {
  const cases: readonly (readonly [string, string])[] = [
    ['plain', 'plain'],
    ['100%%', '100%'],
    ['%REQ(X-In)%', 'inside'],
    ['%REQ(x-in):3%', 'ins'],
    ['%REQ(x-none?x-second)%', 'two'],
    ['<%REQ(:METHOD)% %REQ(:PATH)% %REQ(:AUTHORITY)%>', '<POST /api/x?q=1 shop>'],
    ['%RESP(content-type)%', 'text/plain'],
    ['%DOWNSTREAM_REMOTE_ADDRESS%', '10.0.0.9:1234'],
    ['%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%', '10.0.0.9'],
    ['%DOWNSTREAM_LOCAL_ADDRESS_WITHOUT_PORT%/%DOWNSTREAM_LOCAL_PORT%', 'fd00::1/80'],
    ['%PROTOCOL% %RESPONSE_CODE% %ROUTE_NAME%', 'HTTP/1.1 201 n'],
    ['%START_TIME%', '2024-02-03T04:05:06.007Z'],
    ['%START_TIME(%s.%3f %Y/%m/%d %H:%M:%S)%', '1706933106.007 2024/02/03 04:05:06'],
    ['%UPSTREAM_HOST%x', 'x'],
  ];
  for (const [template, expected] of cases) {
    const headers = mutableHeaders([]);
    finalizeResponseHeaders(
      decide({ route: { response_headers_to_add: [add('x', template)] } }),
      headers,
      format,
    );
    assert.deepEqual(headers.lines(), [`x: ${expected}`], template);
  }
});

test('bad operators are problems', () => {
  for (const value of [
    '%',
    '%FOO%',
    '%REQ%',
    '%REQ()%',
    '%REQ(a?b?c)%',
    'a%b',
    '%START_TIME(%Q)%',
    '%PROTOCOL(x)%',
  ]) {
    const routes = [
      { match: { prefix: '/' }, route: { cluster: 'c' }, request_headers_to_add: [add('x', value)] },
    ];
    const { problems } = routesOf(
      routeConfiguration({ name: 'r', virtual_hosts: [{ name: 'h', domains: ['*'], routes }] }),
    );
    assert.match(problems.join(), /not a known operator/, value);
  }
});

test('response headers of every level', () => {
  const own = (name: string) => ({
    response_headers_to_add: [add('x', name)],
    response_headers_to_remove: [`remove-${name}`],
  });
  const action = { weighted_clusters: { clusters: [{ name: 'v1', weight: 1, ...own('cluster') }] } };
  const headers = mutableHeaders([
    ['remove-host', '1'],
    ['keep', '1'],
  ]);
  finalizeResponseHeaders(
    decide({ table: own('table'), host: own('host'), route: own('route'), action }),
    headers,
    format,
  );
  assert.deepEqual(headers.lines(), ['keep: 1', 'x: cluster', 'x: route', 'x: host', 'x: table']);
});
