import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JsonObject } from '@bufbuild/protobuf';
import { filterConfig } from '../../plan/route/filter-config.ts';
import {
  context,
  draws,
  requestOf,
  routeConfiguration,
  routesOf,
  seeded,
  withRoutes,
} from './fake-request.ts';

const route = { match: { prefix: '/' }, route: { cluster: 'c' } };
const hosts = (ignorePort: boolean, ...domains: readonly string[]) =>
  routeConfiguration({
    name: 'r',
    ignore_port_in_host_matching: ignorePort,
    virtual_hosts: domains.map((domain) => ({ name: domain, domains: [domain], routes: [route] })),
  });

function checkDomain(
  authority: string,
  expected: string | undefined,
  domains: readonly string[],
  ignorePort = false,
): void {
  const { table } = routesOf(hosts(ignorePort, ...domains));
  for (const _ of [1, 2])
    assert.equal(
      table.explain(requestOf({ authority }), context()).domain,
      expected,
      `${authority} among ${domains}`,
    );
}

test('virtual hosts', () => {
  const all = [
    'a.example.com',
    '*.example.com',
    '*.b.example.com',
    '*-x.example.com',
    'a.*',
    'a.example.*',
    '*',
  ];
  checkDomain('a.example.com', 'a.example.com', all);
  checkDomain('A.Example.COM', 'a.example.com', all);
  checkDomain('z.example.com', '*.example.com', all);
  checkDomain('z.b.example.com', '*.b.example.com', all);
  checkDomain('z-x.example.com', '*-x.example.com', all);
  checkDomain('a.example.org', 'a.example.*', all);
  checkDomain('a.b', 'a.*', all);
  checkDomain('example.com', '*', all);
  checkDomain('.example.com', undefined, ['*.example.com']);
  checkDomain('a.example.com:80', undefined, ['a.example.com']);
  checkDomain('a.example.com:81', 'a.example.com', ['a.example.com'], true);
  checkDomain('[::1]:80', '[::1]', ['[::1]'], true);
  checkDomain('[::1]', '[::1]', ['[::1]'], true);
  checkDomain('a.example.com.', 'a.example.com.', ['a.example.com', 'a.example.com.'], true);
  checkDomain('a:b', undefined, ['a'], true);
});

test('duplicate domains and names are problems', () => {
  assert.match(routesOf(hosts(false, 'a', 'A')).problems.join(), /duplicate entry of domain A/);
  assert.match(
    routesOf(hosts(false, '*', '*')).problems.join(),
    /duplicate "\*".*duplicate entry of domain \*/,
  );
});

test('remembered authorities stay bounded and right', () => {
  const { table } = routesOf(hosts(false, '*.example.com', 'a'));
  for (let i = 0; i < 3000; i++)
    assert.equal(
      table.explain(requestOf({ authority: `h${i}.example.com` }), context()).domain,
      '*.example.com',
    );
  assert.equal(table.explain(requestOf({ authority: 'a' }), context()).domain, 'a');
});

test('the first matching route wins, and the explanation says why the others did not', () => {
  const { table } = routesOf(
    withRoutes(
      {
        name: 'jason',
        match: { prefix: '/', headers: [{ name: 'end-user', string_match: { exact: 'jason' } }] },
        route: { cluster: 'v2' },
      },
      { name: 'login', match: { path: '/login' }, route: { cluster: 'v1' } },
      { name: 'rest', match: { prefix: '/' }, route: { cluster: 'v3' } },
    ),
  );
  const { trials, decision } = table.explain(requestOf({ path: '/x' }), context());
  assert.deepEqual(
    trials.map(({ name, matched, reason }) => `${name} ${matched}: ${reason}`),
    [
      'jason false: header end-user exact "jason" does not hold',
      'login false: path "/login" does not match "/x"',
      'rest true: prefix "/"',
    ],
  );
  assert.equal(decision.kind === 'forward' && decision.cluster, 'v3');
});

test('weights', () => {
  const { table } = routesOf(
    withRoutes({
      match: { prefix: '/' },
      route: {
        weighted_clusters: {
          clusters: [
            { name: 'v1', weight: 1 },
            { name: 'none', weight: 0 },
            { name: 'v2', weight: 3 },
          ],
        },
      },
    }),
  );
  const pick = (random: () => number) => {
    const decision = table.choose(requestOf({}), context(random));
    return decision.kind === 'forward' ? decision.cluster : decision.kind;
  };
  assert.deepEqual(
    [0, 0.2499, 0.25, 0.9999].map((draw) => pick(draws(draw))),
    ['v1', 'v1', 'v2', 'v2'],
  );
  const random = seeded(7);
  const first = Array.from({ length: 10_000 }, () => pick(random)).filter((name) => name === 'v1').length;
  assert.ok(first > 2350 && first < 2650, `${first} of 10000`);
});

test('the random value of weights may come from a header, the cluster too', () => {
  const weighted: JsonObject = {
    clusters: [
      { name: 'v1', weight: 50 },
      { cluster_header: 'x-to', weight: 50 },
    ],
    header_name: 'x-random',
  };
  const { table } = routesOf(withRoutes({ match: { prefix: '/' }, route: { weighted_clusters: weighted } }));
  const cluster = (headers: Record<string, string>) => {
    const decision = table.choose(requestOf({ headers }), context());
    return decision.kind === 'forward' && decision.cluster;
  };
  assert.deepEqual(
    [
      cluster({ 'x-random': '149' }),
      cluster({ 'x-random': '199', 'x-to': 'z' }),
      cluster({ 'x-random': '199' }),
    ],
    ['v1', 'z', ''],
  );
  const byHeader = routesOf(
    withRoutes({ match: { prefix: '/' }, route: { cluster_header: 'X-To' } }),
  ).table.choose(requestOf({ headers: { 'x-to': 'y' } }), context());
  assert.equal(byHeader.kind === 'forward' && byHeader.cluster, 'y');
});

test('a plain route is decided without making anything', () => {
  const { table } = routesOf(withRoutes(route));
  assert.equal(
    table.choose(requestOf({}), context()),
    table.choose(requestOf({ path: '/other' }), context()),
  );
});

test('what a forward decision carries', () => {
  const { table, problems } = routesOf(
    routeConfiguration({
      name: 'r',
      virtual_hosts: [
        {
          name: 'h',
          domains: ['*'],
          include_request_attempt_count: true,
          retry_policy: { retry_on: '5xx', num_retries: 4 },
          routes: [
            {
              name: 'n',
              match: { prefix: '/' },
              decorator: { operation: 'op' },
              metadata: { filter_metadata: { istio: { config: 'here' } } },
              typed_per_filter_config: {
                'envoy.filters.http.fault': {
                  '@type': 'type.googleapis.com/envoy.extensions.filters.http.fault.v3.HTTPFault',
                  max_active_faults: 2,
                },
              },
              route: {
                cluster: 'c',
                priority: 'HIGH',
                cluster_not_found_response_code: 'INTERNAL_SERVER_ERROR',
                upgrade_configs: [{ upgrade_type: 'websocket' }],
                request_mirror_policies: [
                  {
                    cluster: 'm',
                    runtime_fraction: { default_value: { numerator: 5, denominator: 'TEN_THOUSAND' } },
                    disable_shadow_host_suffix_append: true,
                  },
                ],
                host_rewrite_literal: 'other',
              },
            },
          ],
        },
      ],
    }),
  );
  assert.deepEqual(problems, []);
  const decision = table.choose(requestOf({}), context());
  assert.ok(decision.kind === 'forward');
  const { route: plan } = decision;
  assert.deepEqual(
    [
      plan.name,
      plan.decorator,
      plan.metadata,
      plan.priority,
      plan.clusterNotFoundStatus,
      plan.includeAttemptCount,
      plan.retry?.numRetries,
      plan.timeouts.request,
    ],
    ['n', 'op', { istio: { config: 'here' } }, 'high', 500, true, 4, 15_000],
  );
  assert.deepEqual(plan.mirrors, [
    { cluster: 'm', clusterHeader: '', fraction: 0.0005, appendShadowSuffix: false },
  ]);
  assert.deepEqual(plan.upgrades, [{ type: 'websocket', enabled: true, terminateConnect: false }]);
  assert.equal(filterConfig(decision.filters, 'envoy.filters.http.fault')?.kind, 'fault');
});

test('direct responses', () => {
  const { table } = routesOf(
    withRoutes({ match: { prefix: '/' }, direct_response: { status: 418, body: { inline_string: 'tea' } } }),
  );
  const decision = table.choose(requestOf({}), context());
  assert.ok(decision.kind === 'directResponse');
  assert.deepEqual([decision.status, decision.body], [418, 'tea']);
});
