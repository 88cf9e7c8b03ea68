import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fromJson, type JsonObject } from '@bufbuild/protobuf';
import { CorsPolicySchema } from '@meltemi/envoy-api/envoy/extensions/filters/http/cors/v3/cors';
import { requestOf } from '../decide/route/fake-request.ts';
import { corsDecision, planCors } from './cors-decision.ts';

const origin = 'https://shop.example.com';
const base: JsonObject = {
  allow_origin_string_match: [{ exact: origin }],
  allow_methods: 'GET,PUT',
  allow_headers: 'x-token',
  expose_headers: 'x-id',
  max_age: '90',
};

function check(
  policy: JsonObject,
  method: string,
  headers: Record<string, string>,
  kind: string,
  expected: Record<string, string> = {},
): void {
  const problems: string[] = [];
  const plan = planCors(fromJson(CorsPolicySchema, { ...base, ...policy }), problems);
  assert.deepEqual(problems, []);
  const outcome = corsDecision(requestOf({ method, headers }), plan, () => 0.5);
  assert.equal(outcome.kind, kind);
  assert.deepEqual(outcome.kind === 'pass' ? {} : Object.fromEntries(outcome.headers), expected);
}

const short = (headers: Record<string, string>) =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [`access-control-${name}`, value]));
const preflight = { origin, 'access-control-request-method': 'PUT' };
const lists = { 'allow-methods': 'GET,PUT', 'allow-headers': 'x-token', 'max-age': '90' };

test('preflights', () => {
  check(
    {},
    'OPTIONS',
    preflight,
    'preflight',
    short({ 'allow-origin': origin, ...lists, 'expose-headers': 'x-id' }),
  );
  check(
    {},
    'OPTIONS',
    { ...preflight, 'access-control-request-method': 'DELETE' },
    'preflight',
    short({ 'allow-origin': origin, ...lists, 'expose-headers': 'x-id' }),
  );
  check(
    { allow_credentials: true, expose_headers: '' },
    'OPTIONS',
    preflight,
    'preflight',
    short({ 'allow-origin': origin, 'allow-credentials': 'true', ...lists }),
  );
  check({}, 'OPTIONS', { ...preflight, origin: 'https://evil.example.com' }, 'pass');
  check(
    { forward_not_matching_preflights: false },
    'OPTIONS',
    { ...preflight, origin: 'https://evil.example.com' },
    'preflight',
    short(lists),
  );
  check({}, 'OPTIONS', { 'access-control-request-method': 'PUT' }, 'pass');
  check(
    { allow_private_network_access: true, expose_headers: '' },
    'OPTIONS',
    { ...preflight, 'access-control-request-private-network': 'true' },
    'preflight',
    short({ 'allow-origin': origin, ...lists, 'allow-private-network': 'true' }),
  );
});

test('other requests', () => {
  const annotated = short({ 'allow-origin': origin, 'expose-headers': 'x-id' });
  check({}, 'GET', { origin }, 'annotate', annotated);
  check({}, 'OPTIONS', { origin }, 'annotate', annotated);
  check({}, 'GET', preflight, 'annotate', annotated);
  check({}, 'GET', {}, 'pass');
  check({}, 'GET', { origin: 'https://evil.example.com' }, 'pass');
  check(
    { allow_origin_string_match: [{ safe_regex: { regex: 'https://.*\\.example\\.com' } }] },
    'GET',
    { origin },
    'annotate',
    annotated,
  );
});

test('the enabled fraction', () => {
  const enabled = (numerator: number) => ({ filter_enabled: { default_value: { numerator } } });
  check(enabled(50), 'GET', { origin }, 'pass');
  check(
    enabled(51),
    'GET',
    { origin },
    'annotate',
    short({ 'allow-origin': origin, 'expose-headers': 'x-id' }),
  );
});

test('a lone star repeats what was asked for, even when that was nothing', () => {
  const star = { allow_methods: '*', allow_headers: '*', expose_headers: '', max_age: '' };
  const asked = { ...preflight, 'access-control-request-headers': 'x-z, X-Y' };
  check(
    star,
    'OPTIONS',
    asked,
    'preflight',
    short({ 'allow-origin': origin, 'allow-methods': 'PUT', 'allow-headers': 'x-z, X-Y' }),
  );
  check(
    star,
    'OPTIONS',
    preflight,
    'preflight',
    short({ 'allow-origin': origin, 'allow-methods': 'PUT', 'allow-headers': '' }),
  );
  const list = { ...star, allow_headers: 'x-a,*', allow_methods: 'GET,*' };
  check(
    list,
    'OPTIONS',
    asked,
    'preflight',
    short({ 'allow-origin': origin, 'allow-methods': 'GET,*', 'allow-headers': 'x-a,*' }),
  );
});
