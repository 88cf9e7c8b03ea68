// Route configurations and their plans.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fromJson, type JsonObject } from '@bufbuild/protobuf';
import { RouteConfigurationSchema } from '@meltemi/envoy-api/envoy/config/route/v3/route';
import { filterCatalog } from '../../filters/all.ts';
import type { ActionPlan, RouteRule } from './route-plan.ts';
import { planRoutes } from './route-table.ts';

function rule(route: JsonObject, host: JsonObject = {}, wide: JsonObject = {}): RouteRule {
  const { plan, problems } = planRoutes(
    fromJson(RouteConfigurationSchema, {
      name: 'r',
      virtual_hosts: [{ name: 'v', domains: ['*'], routes: [route], ...host }],
      ...wide,
    }),
    filterCatalog,
  );
  assert.deepEqual(problems, []);
  const [first] = plan.virtualHosts[0]?.routes ?? [];
  assert.ok(first);
  return first;
}

const toCluster = { route: { cluster: 'c' } };
const exact = (text: string) => ({ kind: 'exact', text, ignoreCase: false });

const matches: readonly (readonly [JsonObject, Partial<RouteRule['match']>])[] = [
  [{ prefix: '/a' }, { path: { kind: 'prefix', text: '/a', ignoreCase: false }, headers: [], fraction: 1 }],
  [{ path: '/a', case_sensitive: false }, { path: { kind: 'path', text: '/a', ignoreCase: true } }],
  [
    { safe_regex: { regex: '/a+' }, case_sensitive: false },
    { path: { kind: 'regex', text: '/a+', ignoreCase: false } },
  ],
  [{ connect_matcher: {} }, { path: { kind: 'connect', text: '', ignoreCase: false } }],
  [
    { prefix: '/', query_parameters: [{ name: 'q', present_match: false }, { name: 'p' }] },
    {
      query: [
        { name: 'q', value: undefined, present: false },
        { name: 'p', value: undefined, present: true },
      ],
    },
  ],
  [
    { prefix: '/', grpc: {}, tls_context: { presented: true } },
    { grpc: true, tls: { presented: true, validated: undefined } },
  ],
  [
    { prefix: '/', runtime_fraction: { default_value: { numerator: 5, denominator: 'TEN_THOUSAND' } } },
    { fraction: 0.0005 },
  ],
];

test('matches', () => {
  for (const [match, expected] of matches) {
    const plan = rule({ match, ...toCluster }).match;
    assert.deepEqual({ ...plan, ...expected }, plan, JSON.stringify(match));
  }
});

test('conditions on headers and metadata', () => {
  const { match } = rule({
    match: {
      prefix: '/',
      headers: [
        { name: 'X', string_match: { exact: 'a' }, invert_match: true },
        { name: 'y', range_match: { start: '-1', end: '5' }, treat_missing_header_as_empty: true },
        { name: 'z' },
      ],
      dynamic_metadata: [
        {
          filter: 'auth',
          path: [{ key: 'roles' }],
          value: {
            list_match: {
              one_of: {
                or_match: { value_matchers: [{ string_match: { exact: 'a' } }, { bool_match: true }] },
              },
            },
          },
        },
      ],
    },
    ...toCluster,
  });
  assert.deepEqual(match.headers, [
    { name: 'x', condition: { kind: 'text', text: exact('a') }, invert: true, missingIsEmpty: false },
    { name: 'y', condition: { kind: 'range', start: -1, end: 5 }, invert: false, missingIsEmpty: true },
    { name: 'z', condition: { kind: 'present', present: true }, invert: false, missingIsEmpty: false },
  ]);
  const values = [
    { kind: 'string', string: exact('a') },
    { kind: 'equal', value: true },
  ];
  assert.deepEqual(match.metadata, [
    { keys: ['auth', 'roles'], value: { kind: 'oneOf', item: { kind: 'or', values } }, invert: false },
  ]);
});

function action(route: JsonObject): ActionPlan {
  return rule({ match: { prefix: '/a' }, ...route }).action;
}

test('where a request goes', () => {
  const target = (route: JsonObject) => {
    const plan = action({ route });
    return plan.kind === 'forward' ? plan.target : plan.kind;
  };
  assert.deepEqual(target({ cluster: 'c' }), { kind: 'cluster', cluster: 'c' });
  assert.deepEqual(target({ cluster_header: 'X-To' }), { kind: 'clusterHeader', header: 'x-to' });
  const weighted = target({
    weighted_clusters: {
      header_name: 'X-Draw',
      clusters: [
        { name: 'a', weight: 1, host_rewrite_literal: 'h' },
        {
          cluster_header: 'X-To',
          weight: 3,
          metadata_match: { filter_metadata: { 'envoy.lb': { k: 'own' } } },
        },
      ],
    },
    metadata_match: { filter_metadata: { 'envoy.lb': { k: 'v', l: 'w' } } },
  });
  assert.ok(typeof weighted === 'object' && weighted.kind === 'weighted');
  assert.deepEqual([weighted.total, weighted.header], [4, 'x-draw']);
  assert.deepEqual(
    weighted.choices.map(({ end, clusterHeader, entry }) => [
      end,
      clusterHeader,
      entry.cluster,
      entry.hostRewrite,
    ]),
    [
      [1, '', 'a', 'h'],
      [4, 'x-to', '', undefined],
    ],
  );
  assert.deepEqual(
    weighted.choices.map(({ entry }) => entry.metadataMatch),
    [
      { k: 'v', l: 'w' },
      { k: 'own', l: 'w' },
    ],
  );
});

test('rewrites hold the parts of their substitution', () => {
  const rewrites = (route: JsonObject) => {
    const plan = action({ route: { cluster: 'c', ...route } });
    return plan.kind === 'forward' ? [plan.route.pathRewrite, plan.route.hostRewrite] : [];
  };
  const regex = { pattern: { regex: '^/(a)' }, substitution: '/x\\1\\\\' };
  const substitution = { pattern: '^/(a)', pieces: ['/x', 1, '\\'] };
  assert.deepEqual(rewrites({ prefix_rewrite: '/b', host_rewrite_literal: 'h' }), [
    { kind: 'prefix', length: 2, replacement: '/b' },
    { kind: 'literal', value: 'h' },
  ]);
  assert.deepEqual(rewrites({ regex_rewrite: regex, host_rewrite_path_regex: regex }), [
    { kind: 'regex', substitution },
    { kind: 'pathRegex', substitution },
  ]);
});

test('answers of the proxy itself', () => {
  const redirect = action({
    redirect: { https_redirect: true, port_redirect: 8443, response_code: 'FOUND' },
  });
  assert.deepEqual(redirect.kind === 'redirect' && redirect.redirect, {
    status: 302,
    scheme: 'https',
    host: '',
    port: 8443,
    path: '',
    rewrite: { kind: 'none' },
    stripQuery: false,
  });
  const direct = action({ direct_response: { status: 418, body: { inline_bytes: 'dGVh' } } });
  assert.deepEqual(direct.kind === 'directResponse' && [direct.status, direct.body], [418, 'tea']);
});

test('header mutations of all levels, the widest last unless the most specific wins', () => {
  const remove = (name: string) => ({ request_headers_to_remove: [name] });
  const order = (wins: boolean) => {
    const levels = { most_specific_header_mutations_wins: wins, ...remove('wide') };
    const { route } = rule(
      { match: { prefix: '/' }, ...toCluster, ...remove('route') },
      remove('virtual'),
      levels,
    ).action;
    return route.requestHeaders.flatMap((one) => one.remove);
  };
  assert.deepEqual(order(false), ['route', 'virtual', 'wide']);
  assert.deepEqual(order(true), ['wide', 'virtual', 'route']);
});

test('added headers hold the parts of their format', () => {
  const { route } = action({
    ...toCluster,
    response_headers_to_add: [
      { header: { key: 'X-A', value: '100%% of %REQ(X-B?:PATH):5%' }, append_action: 'ADD_IF_ABSENT' },
      { header: { key: 'x-c', value: 'c' }, append: false, keep_empty_value: true },
    ],
  });
  assert.deepEqual(route.responseHeaders, [
    {
      add: [
        {
          name: 'x-a',
          format: ['100', '%', ' of ', { name: 'REQ', args: 'X-B?:PATH', limit: 5 }],
          action: 'addIfAbsent',
          keepEmpty: false,
        },
        { name: 'x-c', format: ['c'], action: 'overwriteOrAdd', keepEmpty: true },
      ],
      remove: [],
    },
  ]);
});

test('what would send requests elsewhere or let them through is refused', () => {
  const cases: readonly (readonly [JsonObject, RegExp])[] = [
    [{ route: { cluster: 'c', internal_redirect_policy: {} } }, /internal redirects/],
    [{ route: { cluster: 'c', hedge_policy: { hedge_on_per_try_timeout: true } } }, /hedge/],
    [{ filter_action: {} }, /filterAction is not supported/],
  ];
  for (const [route, expected] of cases) {
    const host = { name: 'v', domains: ['*'], routes: [{ match: { prefix: '/' }, ...route }] };
    const { problems } = planRoutes(
      fromJson(RouteConfigurationSchema, { name: 'r', virtual_hosts: [host] }),
      filterCatalog,
    );
    assert.match(problems.join('\n'), expected);
  }
  const { problems } = planRoutes(
    fromJson(RouteConfigurationSchema, { name: 'r', internal_only_headers: ['x'] }),
    filterCatalog,
  );
  assert.match(problems.join('\n'), /internal_only_headers/);
});
