import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JsonValue } from '@bufbuild/protobuf';
import fc from 'fast-check';
import { context, type RequestText, requestOf, routesOf, withRoutes } from './fake-request.ts';

/** Whether a route with this match takes the request; `choose` and `explain` must agree. */
function check(match: JsonValue, request: RequestText, expected: boolean): void {
  const { table, problems } = routesOf(withRoutes({ match, route: { cluster: 'c' } }));
  assert.deepEqual(problems, []);
  const about = JSON.stringify({ match, request });
  assert.equal(table.choose(requestOf(request), context()).kind === 'forward', expected, about);
  const { trials } = table.explain(requestOf(request), context());
  assert.equal(trials[0]?.matched, expected, about);
  assert.notEqual(trials[0]?.reason, '', about);
}

const paths: readonly (readonly [JsonValue, string, boolean])[] = [
  [{ prefix: '/' }, '/', true],
  [{ prefix: '/cart' }, '/cartoons', true],
  [{ prefix: '/cart' }, '/car', false],
  [{ prefix: '/cart' }, '/Cart', false],
  [{ prefix: '/cart', case_sensitive: false }, '/CART/1', true],
  [{ prefix: '/cart/' }, '/cart?x=/cart/', false],
  [{ prefix: '/a?b' }, '/a?b', false],
  [{ path: '/cart' }, '/cart', true],
  [{ path: '/cart' }, '/cart?a=1', true],
  [{ path: '/cart' }, '/cart#f', true],
  [{ path: '/cart' }, '/cart/', false],
  [{ path: '/%2fx' }, '/%2Fx', false],
  [{ path: '/Cart', case_sensitive: false }, '/cARt', true],
  [{ path_separated_prefix: '/cart' }, '/cart', true],
  [{ path_separated_prefix: '/cart' }, '/cart/1', true],
  [{ path_separated_prefix: '/cart' }, '/cart?x', true],
  [{ path_separated_prefix: '/cart' }, '/cartoons', false],
  [{ safe_regex: { regex: '/v[0-9]+/.*' } }, '/v12/x', true],
  [{ safe_regex: { regex: '/v[0-9]+' } }, '/v12/x', false],
  [{ safe_regex: { regex: '/v[0-9]+' } }, '/v12?q=/x', true],
  [{ safe_regex: { regex: '/V1' }, case_sensitive: false }, '/v1', false],
  [{ safe_regex: { regex: '(?i)/V1' } }, '/v1', true],
  [{ safe_regex: { regex: '/items/.*' } }, '/items/', true],
  [{ safe_regex: { regex: '.*/items' } }, '/x/items', true],
  [{ safe_regex: { regex: '/a\\.b' } }, '/a.b', true],
  [{ safe_regex: { regex: '/a\\.b' } }, '/axb', false],
  [{ safe_regex: { regex: '/a|/b' } }, '/b', true],
  [{ connect_matcher: {} }, '/', false],
];

test('paths', () => {
  for (const [match, path, expected] of paths) check(match, { path }, expected);
  check({ connect_matcher: {} }, { method: 'CONNECT' }, true);
});

const exact = (name: string, value: string, more: object = {}) => ({
  name,
  string_match: { exact: value },
  ...more,
});
const regex = (name: string, value: string, more: object = {}) => ({
  name,
  string_match: { safe_regex: { regex: value } },
  ...more,
});
const empty = { invert_match: true, treat_missing_header_as_empty: true };

const headers: readonly (readonly [object, RequestText['headers'], boolean])[] = [
  [exact('x', 'a'), { x: 'a' }, true],
  [exact('X', 'a'), { x: 'a' }, true],
  [exact('x', 'a'), {}, false],
  [exact('x', 'a,b'), { x: ['a', 'b'] }, false],
  [exact('x', 'b'), { x: ['a', 'b'] }, true],
  [exact('x', 'b', { invert_match: true }), { x: ['a', 'b'] }, false],
  [exact('x', 'c', { invert_match: true }), { x: ['a', 'b'] }, true],
  [exact('x', 'c', { invert_match: true }), {}, false],
  [exact('x', 'c', empty), {}, true],
  [exact('x', 'A', { string_match: { exact: 'A', ignore_case: true } }), { x: 'a' }, true],
  [{ name: 'x', string_match: { prefix: 'ab' } }, { x: 'abc' }, true],
  [{ name: 'x', string_match: { suffix: 'bc' } }, { x: 'abc' }, true],
  [{ name: 'x', string_match: { contains: 'B', ignore_case: true } }, { x: 'abc' }, true],
  [regex('x', 'a+'), { x: 'aaa' }, true],
  [regex('x', 'a+'), { x: 'aab' }, false],
  [regex('x', '.*', empty), {}, false],
  [regex('x', '.+', empty), {}, true],
  [regex('x', '.+', empty), { x: '1' }, false],
  [{ name: 'x', present_match: true }, { x: '' }, true],
  [{ name: 'x', present_match: true }, {}, false],
  [{ name: 'x', present_match: true, invert_match: true }, {}, true],
  [{ name: 'x', present_match: false }, {}, true],
  [{ name: 'x' }, { x: '1' }, true],
  [{ name: 'x', range_match: { start: '-10', end: '5' } }, { x: '-10' }, true],
  [{ name: 'x', range_match: { start: '-10', end: '5' } }, { x: '5' }, false],
  [{ name: 'x', range_match: { start: '-10', end: '5' } }, { x: '1.5' }, false],
  [{ name: 'x', exact_match: 'a' }, { x: 'a' }, true],
  [{ name: 'x', prefix_match: 'a' }, { x: 'ab' }, true],
  [{ name: 'x', contains_match: 'b' }, { x: 'abc' }, true],
  [{ name: 'x', safe_regex_match: { regex: '[ab]' } }, { x: 'c' }, false],
];

test('headers', () => {
  for (const [header, lines, expected] of headers)
    check({ prefix: '/', headers: [header as JsonValue] }, { headers: lines ?? {} }, expected);
});

test('pseudo headers', () => {
  const one = (header: object, request: RequestText, expected: boolean) =>
    check({ prefix: '/', headers: [header as JsonValue] }, request, expected);
  one(exact(':method', 'POST'), { method: 'POST' }, true);
  one(exact(':path', '/a?b=c'), { path: '/a?b=c' }, true);
  one(exact(':authority', 'Shop:80'), { authority: 'Shop:80' }, true);
  one(exact('host', 'shop'), { authority: 'shop' }, true);
  one(exact(':scheme', 'https'), { scheme: 'https' }, true);
  one(exact('method', 'GET'), { method: 'GET' }, false);
});

const queries: readonly (readonly [object, string, boolean])[] = [
  [{ string_match: { exact: '' } }, '/?flag', true],
  [{ string_match: { exact: '1' } }, '/?flag=1', true],
  [{ string_match: { exact: '1' } }, '/?flag=2&flag=1', false],
  [{ string_match: { exact: 'a b' } }, '/?flag=a%20b', false],
  [{ string_match: { exact: 'a%20b' } }, '/?flag=a%20b', true],
  [{ string_match: { prefix: 'a=' } }, '/?x&flag=a=b', true],
  [{ string_match: { safe_regex: { regex: '[0-9]+' } } }, '/?flag=12', true],
  [{ present_match: true }, '/?flags=1', false],
  [{ present_match: true }, '/?a=flag&flag', true],
  [{ present_match: false }, '/?a=1', true],
  [{ present_match: true }, '/flag', false],
  [{ string_match: { exact: '1' } }, '/?flag=1#x', true],
];

test('query parameters', () => {
  for (const [query, path, expected] of queries)
    check({ prefix: '/', query_parameters: [{ name: 'flag', ...query } as JsonValue] }, { path }, expected);
});

test('gRPC content types', () => {
  for (const [type, expected] of [
    ['application/grpc', true],
    ['application/grpc+proto', true],
    ['application/grpc-web', false],
    ['text/plain', false],
  ] as const) {
    check({ prefix: '/', grpc: {} }, { headers: { 'content-type': type } }, expected);
  }
});

test('a runtime fraction draws once and lets its share pass', () => {
  const match = {
    prefix: '/',
    runtime_fraction: { default_value: { numerator: 30, denominator: 'HUNDRED' } },
  };
  const { table } = routesOf(withRoutes({ match, route: { cluster: 'c' } }));
  for (const [draw, kind] of [
    [0.29, 'forward'],
    [0.3, 'notFound'],
  ] as const)
    assert.equal(
      table.choose(
        requestOf({}),
        context(() => draw),
      ).kind,
      kind,
    );
});

test('client certificates and dynamic metadata', () => {
  const { table } = routesOf(
    withRoutes(
      {
        match: { prefix: '/', tls_context: { presented: true, validated: true } },
        route: { cluster: 'tls' },
      },
      {
        match: {
          prefix: '/',
          dynamic_metadata: [
            { filter: 'auth', path: [{ key: 'role' }], value: { string_match: { exact: 'admin' } } },
          ],
        },
        route: { cluster: 'meta' },
      },
    ),
  );
  assert.equal(
    table.choose(requestOf({}), { ...context(), tls: { presented: true, validated: false } }).kind,
    'notFound',
  );
  const byTls = table.choose(requestOf({}), { ...context(), tls: { presented: true, validated: true } });
  const byMetadata = table.choose(requestOf({}), { ...context(), metadata: { auth: { role: 'admin' } } });
  assert.deepEqual(
    [byTls, byMetadata].map((d) => d.kind === 'forward' && d.cluster),
    ['tls', 'meta'],
  );
});

test('problems refuse the configuration', () => {
  const cases: readonly (readonly [JsonValue, RegExp])[] = [
    [{ match: { safe_regex: { regex: '(a' } }, route: { cluster: 'c' } }, /invalid regex/],
    [{ match: { safe_regex: { regex: 'a'.repeat(5000) } }, route: { cluster: 'c' } }, /longer than/],
    [{ match: { safe_regex: { regex: '(?=a)b' } }, route: { cluster: 'c' } }, /invalid regex/],
    [{ match: { path_separated_prefix: '/a/' }, route: { cluster: 'c' } }, /path_separated_prefix/],
    [{ match: {}, route: { cluster: 'c' } }, /without a path/],
    [{ match: { prefix: '/' } }, /without an action/],
    [
      { match: { prefix: '/' }, route: { weighted_clusters: { clusters: [{ name: 'a', weight: 0 }] } } },
      /sum of weights/,
    ],
    [
      {
        match: { prefix: '/' },
        route: { cluster: 'c' },
        request_headers_to_add: [{ header: { key: 'host', value: 'x' } }],
      },
      /may not be modified/,
    ],
    [
      {
        match: { prefix: '/' },
        route: { cluster: 'c' },
        response_headers_to_add: [{ header: { key: 'x', value: '%NOPE%' } }],
      },
      /not a known operator/,
    ],
    [
      { match: { prefix: '/' }, direct_response: { status: 200, body: { inline_string: 'x'.repeat(5000) } } },
      /maximum is 4096/,
    ],
    [
      {
        match: { prefix: '/' },
        route: { cluster: 'c', regex_rewrite: { pattern: { regex: 'a' }, substitution: '\\1' } },
      },
      /names no group/,
    ],
  ];
  for (const [route, expected] of cases) {
    const { problems } = routesOf(withRoutes(route));
    assert.match(problems.join('\n'), expected);
  }
});

test('the shortcut for simple patterns agrees with the engine', () => {
  const piece = fc.constantFrom('a', '/', '\\.', '.*', 'b-', '.+', '(c)', '[d]', '\\*');
  const text = fc.array(fc.constantFrom('a', '/', '.', 'b-', 'c', 'd', '*', 'x'), { maxLength: 6 });
  fc.assert(
    fc.property(fc.array(piece, { minLength: 1, maxLength: 4 }), text, (pattern, subject) => {
      const source = pattern.join('');
      const value = subject.join('');
      // JavaScript's own engine agrees with RE2 on this subset.
      check(
        { prefix: '/', headers: [regex('x', source) as JsonValue] },
        { headers: { x: value } },
        new RegExp(`^(?:${source})$`).test(value),
      );
    }),
    { numRuns: 200, seed: 1 },
  );
});
