// What traffic meets is what people are told: for random routes and requests `choose` and `explain` agree, and every
// decision is a plain value.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JsonObject } from '@bufbuild/protobuf';
import fc from 'fast-check';
import { type RequestText, requestOf, routeConfiguration, routesOf, seeded } from './fake-request.ts';

const word = fc.constantFrom('a', 'b', 'ab', 'c');
const path = fc.array(word, { maxLength: 3 }).map((parts) => `/${parts.join('/')}`);
const pattern = fc.oneof(
  word.map((text) => ({ exact: text })),
  word.map((text) => ({ prefix: text, ignore_case: true })),
  fc.constantFrom('a.*', '.+', '[ab]+', '').map((regex) => ({ safe_regex: { regex } })),
);
const pathMatch = fc.oneof(
  path.map((prefix) => ({ prefix })),
  path.map((text) => ({ path: text, case_sensitive: false })),
  word.map((text) => ({ path_separated_prefix: `/${text}` })),
  fc.constantFrom('/a.*', '/[ab]/.*').map((regex) => ({ safe_regex: { regex } })),
  fc.constant({ connect_matcher: {} }),
);
const percent = fc.integer({ min: 0, max: 100 }).map((numerator) => ({ default_value: { numerator } }));
const header = fc.record({
  name: fc.constantFrom('x', 'y', ':method'),
  string_match: pattern,
  invert_match: fc.boolean(),
});
const query = fc.record({ name: word, string_match: pattern });
const match = fc
  .tuple(
    pathMatch,
    fc.record(
      {
        headers: fc.array(header, { maxLength: 2 }),
        query_parameters: fc.array(query, { maxLength: 1 }),
        runtime_fraction: percent,
        tls_context: fc.record({ presented: fc.boolean() }),
      },
      { requiredKeys: [] },
    ),
  )
  .map(([where, conditions]) => ({ ...where, ...conditions }));

const target = fc.oneof(
  word.map((cluster) => ({ cluster })),
  fc.constant({ cluster_header: 'x' }),
  fc
    .array(fc.record({ name: word, weight: fc.integer({ min: 1, max: 9 }) }), { minLength: 1, maxLength: 3 })
    .map((clusters) => ({ weighted_clusters: { clusters } })),
);
const mirrors = fc.array(fc.record({ cluster: word, runtime_fraction: percent }), { maxLength: 2 });
const action = fc.oneof(
  fc
    .tuple(target, mirrors)
    .map(([where, copies]) => ({ route: { ...where, request_mirror_policies: copies } })),
  word.map((host) => ({ redirect: { host_redirect: host } })),
  fc.constant({ direct_response: { status: 200, body: { inline_string: 'x' } } }),
  fc.constant({ non_forwarding_action: {} }),
);
const routes = fc.array(
  fc.tuple(match, action).map(([condition, does]) => ({ match: condition, ...does })),
  { maxLength: 4 },
);
const domains = fc.uniqueArray(fc.constantFrom('a', 'b.a', '*.a', 'a.*', '*'), { minLength: 1 });
const configuration = fc.tuple(domains, routes, fc.constantFrom('NONE', 'ALL')).map(([names, list, tls]) =>
  names.map(
    (name): JsonObject => ({
      name,
      domains: [name],
      routes: list,
      require_tls: name === '*' ? tls : 'NONE',
    }),
  ),
);
const request: fc.Arbitrary<RequestText> = fc.record({
  method: fc.constantFrom('GET', 'CONNECT', 'a'),
  path: fc.tuple(path, fc.constantFrom('', '?a=b', '?b')).map(([before, after]) => before + after),
  authority: fc.constantFrom('a', 'b.a', 'c.a', 'a.c', 'z', 'A:80'),
  headers: fc.dictionary(
    fc.constantFrom('x', 'y'),
    fc.oneof(word, fc.array(word, { minLength: 1, maxLength: 2 })),
  ),
});

test('choose and explain agree, on plain decisions', () => {
  const kinds = new Set<string>();
  fc.assert(
    fc.property(configuration, request, fc.nat(), (hosts, text, seed) => {
      const { table, problems } = routesOf(routeConfiguration({ name: 'r', virtual_hosts: hosts }));
      assert.deepEqual(problems, []);
      const view = requestOf(text);
      const chosen = table.choose(view, { random: seeded(seed) });
      const { decision, trials } = table.explain(view, { random: seeded(seed) });
      assert.deepEqual(decision, chosen);
      assert.deepEqual(structuredClone(chosen), chosen);
      // Exactly the last trial took it, where one did.
      const taken = trials.flatMap(({ matched, index }) => (matched ? [index] : []));
      const rule = chosen.kind === 'notFound' ? undefined : chosen.route?.index;
      assert.deepEqual(taken, rule === undefined ? [] : [rule]);
      assert.equal(trials.at(-1)?.matched ?? false, rule !== undefined);
      kinds.add(chosen.kind);
    }),
    { numRuns: 500, seed: 3 },
  );
  assert.deepEqual([...kinds].sort(), ['directResponse', 'forward', 'nonForwarding', 'notFound', 'redirect']);
});

test('mirrors are drawn with the decision', () => {
  const mirror = (cluster: string, numerator: number) => ({
    cluster,
    runtime_fraction: { default_value: { numerator } },
  });
  const { table } = routesOf(
    routeConfiguration({
      name: 'r',
      request_mirror_policies: [mirror('always', 100), mirror('half', 50), mirror('never', 0)],
      virtual_hosts: [
        { name: 'v', domains: ['*'], routes: [{ match: { prefix: '/' }, route: { cluster: 'c' } }] },
      ],
    }),
  );
  const drawn = (draw: number) => {
    const decision = table.choose(requestOf({}), { random: () => draw });
    assert.ok(decision.kind === 'forward');
    return decision.mirrors.flatMap((one) => (one.drawn ? [one.mirror.cluster] : []));
  };
  assert.deepEqual(drawn(0.49), ['always', 'half']);
  assert.deepEqual(drawn(0.5), ['always']);
});
