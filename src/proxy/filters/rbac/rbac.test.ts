import assert from 'node:assert/strict';
import { test } from 'node:test';
import { create, fromJson, type JsonObject } from '@bufbuild/protobuf';
import { type Principal, PrincipalSchema, RBACSchema } from '@meltemi/envoy-api/envoy/config/rbac/v3/rbac';
import type { ConnectionInfo } from '../../decide/connection-info.ts';
import { requestOf } from '../../decide/route/fake-request.ts';
import { denialDetails, type RbacFacts, rbacVerdict } from './decide.ts';
import { planRules } from './rules.ts';

const peer = { subject: 'CN=web', issuer: '', sha256: '', pem: '', serial: '' };
const names = { uris: ['spiffe://td/ns/a/sa/web'], dns: ['web.example.com'], others: [] };
const connection: ConnectionInfo = {
  id: 1,
  remoteIp: '10.0.0.9',
  remotePort: 1234,
  localIp: '10.0.0.1',
  localPort: 8080,
  redirected: false,
  hops: 0,
  tls: undefined,
  serverName: 'shop.example.com',
};
const tls = { sni: undefined, version: '', cipher: '', localNames: { uris: [], dns: [], others: [] } };

function verdictOf(
  rules: JsonObject,
  facts: Partial<RbacFacts> = {},
): readonly [boolean, string | undefined] {
  const problems: string[] = [];
  const plan = planRules(fromJson(RBACSchema, rules), problems);
  assert.deepEqual(problems, []);
  const { allowed, policy } = rbacVerdict(plan, {
    connection,
    clientIp: '10.0.0.9',
    request: requestOf({ path: '/a?b' }),
    metadata: {},
    ...facts,
  });
  return [allowed, policy];
}

const only = (permission: JsonObject, principal: JsonObject = { any: true }): JsonObject => ({
  policies: { p: { permissions: [permission], principals: [principal] } },
});

test('a client is known by its URIs, its DNS names or its subject', () => {
  const is = (exact: string): JsonObject =>
    only({ any: true }, { authenticated: { principal_name: { exact } } });
  const secure = { connection: { ...connection, tls: { ...tls, peer: { ...peer, names } } } };
  for (const name of ['spiffe://td/ns/a/sa/web', 'web.example.com', 'CN=web'])
    assert.deepEqual(verdictOf(is(name), secure), [true, 'p'], name);
  assert.deepEqual(verdictOf(is('spiffe://td/ns/a/sa/other'), secure), [false, undefined]);
  assert.deepEqual(verdictOf(is('CN=web')), [false, undefined], 'in the clear');
});

test('server names, ports and addresses', () => {
  assert.equal(verdictOf(only({ requested_server_name: { suffix: '.example.com' } }))[0], true);
  assert.equal(verdictOf(only({ destination_port: 8080 }))[0], true);
  assert.equal(verdictOf(only({ destination_port_range: { start: 8000, end: 8080 } }))[0], false);
  const from = (prefix: string): JsonObject => ({ address_prefix: prefix, prefix_len: 24 });
  assert.equal(verdictOf(only({ any: true }, { source_ip: from('10.0.0.0') }))[0], true);
  const proxied = { clientIp: '192.168.1.1' };
  assert.equal(verdictOf(only({ any: true }, { remote_ip: from('192.168.1.0') }), proxied)[0], true);
  assert.equal(verdictOf(only({ any: true }, { direct_remote_ip: from('192.168.1.0') }), proxied)[0], false);
});

test('metadata of the request', () => {
  const rules = only({
    metadata: { filter: 'jwt', path: [{ key: 'sub' }], value: { string_match: { exact: 'me' } } },
  });
  assert.equal(verdictOf(rules, { metadata: { jwt: { sub: 'me' } } })[0], true);
  assert.equal(verdictOf(rules, { metadata: { jwt: { sub: 'you' } } })[0], false);
});

test('what is not understood is a problem', () => {
  const problemsOf = (rules: JsonObject): readonly string[] => {
    const problems: string[] = [];
    planRules(fromJson(RBACSchema, rules), problems);
    return problems;
  };
  const refused: readonly (readonly [JsonObject, RegExp])[] = [
    [only({ any: true }, { filter_state: { key: 'a', string_match: { exact: 'b' } } }), /filterState is not/],
    [only({ matcher: { name: 'm' } }), /permission matcher is not supported/],
    [only({}), /of a kind that is not known/],
    [only({ any: false }), /any: false/],
    [{ policies: { p: { condition: { id: '1' } } } }, /condition is not supported/],
  ];
  for (const [rules, expected] of refused) assert.match(problemsOf(rules).join(), expected);
});

test('a field that the messages do not know yet is a problem', () => {
  const problems: string[] = [];
  const newer: Principal = create(PrincipalSchema);
  newer.$unknown = [{ no: 99, wireType: 0, data: new Uint8Array([1]) }];
  const source = fromJson(RBACSchema, only({ any: true }));
  source.$unknown = newer.$unknown;
  planRules(source, problems);
  assert.deepEqual(problems, ['rbac: rules: field 99 is not supported']);
});

test('blanks do not break up the line of a log', () => {
  assert.equal(denialDetails('a b'), 'rbac_access_denied_matched_policy[a_b]');
});
