import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fromJson, type JsonValue } from '@bufbuild/protobuf';
import { RouteAction_HashPolicySchema } from '@meltemi/envoy-api/envoy/config/route/v3/route_components';
import { planHashPolicies } from '../../plan/route/hash-policy.ts';
import { xxHash64 } from '../lb/index.ts';
import { type RequestText, requestOf } from './fake-request.ts';
import { type HashContext, requestHash } from './hash-policy.ts';

const client: HashContext = {
  sourceIp: '10.0.0.9',
  downstreamRemoteAddress: '10.0.0.9:1234',
  downstreamLocalAddress: '10.0.0.1:80',
};

function hashOf(policies: readonly JsonValue[], request: RequestText, context: HashContext = client) {
  const problems: string[] = [];
  const compiled = planHashPolicies(
    policies.map((json) => fromJson(RouteAction_HashPolicySchema, json)),
    problems,
  );
  assert.deepEqual(problems, []);
  assert.ok(compiled);
  return requestHash(compiled, requestOf(request), context);
}

const user = { header: { header_name: 'X-User' } };
const sourceIp = { connection_properties: { source_ip: true } };

test('each source', () => {
  assert.deepEqual(hashOf([user], { headers: { 'x-user': 'a' } }).hash, xxHash64('a'));
  assert.equal(hashOf([user], {}).hash, undefined);
  assert.deepEqual(
    hashOf([user], { headers: { 'x-user': ['b', 'a'] } }),
    hashOf([user], { headers: { 'x-user': ['a', 'b'] } }),
  );
  assert.deepEqual(
    hashOf(
      [
        {
          header: {
            header_name: ':path',
            regex_rewrite: { pattern: { regex: '^/(\\w+)/.*' }, substitution: '\\1' },
          },
        },
      ],
      {
        path: '/shop/1',
      },
    ).hash,
    xxHash64('shop'),
  );
  assert.deepEqual(hashOf([sourceIp], {}).hash, xxHash64('10.0.0.9'));
  assert.deepEqual(
    hashOf([{ query_parameter: { name: 'u' } }], { path: '/?u=a%20b' }).hash,
    xxHash64('a%20b'),
  );
  assert.equal(hashOf([{ query_parameter: { name: 'u' } }], {}).hash, undefined);
  assert.deepEqual(
    hashOf([{ filter_state: { key: 'k' } }], {}, { filterState: new Map([['k', 'v']]) }).hash,
    xxHash64('v'),
  );
});

test('cookies', () => {
  const cookie = (more: object) => [{ cookie: { name: 'sid', ...more } } as JsonValue];
  assert.deepEqual(hashOf(cookie({}), { headers: { cookie: 'a=1; sid="s1"' } }).hash, xxHash64('s1'));
  assert.equal(hashOf(cookie({}), {}).hash, undefined);
  const { hash, cookies } = hashOf(
    cookie({ ttl: '60s', path: '/', attributes: [{ name: 'SameSite', value: 'Lax' }, { name: 'Secure' }] }),
    {},
  );
  const [made] = cookies;
  assert.ok(made);
  assert.deepEqual(hash, xxHash64(made.value));
  assert.match(made.setCookie, /^sid="[0-9a-f]{16}"; Max-Age=60; Path=\/; SameSite=Lax; Secure; HttpOnly$/);
  assert.match(
    hashOf(cookie({ ttl: '0s' }), {}).cookies[0]?.setCookie ?? '',
    /^sid="[0-9a-f]{16}"; HttpOnly$/,
  );
  assert.deepEqual(hashOf(cookie({ ttl: '0s' }), { headers: { cookie: 'sid=x' } }).cookies, []);
});

test('several policies combine, a terminal one ends', () => {
  const request = { headers: { 'x-user': 'a' } };
  const both = hashOf([user, sourceIp], request).hash;
  assert.notDeepEqual(both, hashOf([user], request).hash);
  assert.notDeepEqual(hashOf([user, user], request).hash, { hi: 0, lo: 0 });
  assert.deepEqual(hashOf([{ ...user, terminal: true }, sourceIp], request).hash, xxHash64('a'));
  assert.deepEqual(hashOf([{ ...user, terminal: true }, sourceIp], {}).hash, xxHash64('10.0.0.9'));
});
