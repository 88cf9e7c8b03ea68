import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JsonValue } from '@bufbuild/protobuf';
import {
  context,
  type RequestText,
  requestOf,
  routeConfiguration,
  routesOf,
  withRoutes,
} from './fake-request.ts';

function check(
  redirect: JsonValue,
  request: RequestText,
  expected: string,
  match: JsonValue = { prefix: '/' },
): void {
  const { table, problems } = routesOf(withRoutes({ match, redirect }));
  assert.deepEqual(problems, []);
  const decision = table.choose(requestOf({ authority: 'shop', path: '/a?q=1', ...request }), context());
  assert.ok(decision.kind === 'redirect');
  assert.equal(`${decision.status} ${decision.location}`, expected);
}

test('locations', () => {
  check({ path_redirect: '/b' }, {}, '301 http://shop/b?q=1');
  check({ path_redirect: '/b?x=2' }, {}, '301 http://shop/b?x=2');
  check({ path_redirect: '/b?x=2', strip_query: true }, {}, '301 http://shop/b?x=2');
  check({ path_redirect: '/b', strip_query: true }, {}, '301 http://shop/b');
  check({ host_redirect: 'other', response_code: 'FOUND' }, {}, '302 http://other/a?q=1');
  check(
    { host_redirect: 'other', response_code: 'PERMANENT_REDIRECT' },
    { authority: 'shop:8080' },
    '308 http://other/a?q=1',
  );
});

test('ports of the authority', () => {
  check({ scheme_redirect: 'https' }, { authority: 'shop:80' }, '301 https://shop/a?q=1');
  check({ scheme_redirect: 'https' }, { authority: 'shop:8080' }, '301 https://shop:8080/a?q=1');
  check({ https_redirect: true }, { authority: 'shop' }, '301 https://shop/a?q=1');
  check({ port_redirect: 8443 }, { authority: 'shop:80' }, '301 http://shop:8443/a?q=1');
  check({ scheme_redirect: 'http' }, { authority: 'shop:443', scheme: 'https' }, '301 http://shop/a?q=1');
  check({ scheme_redirect: 'https' }, { authority: '[::1]:80' }, '301 https://[::1]/a?q=1');
  check({ path_redirect: '/' }, { authority: '[::1]' }, '301 http://[::1]/?q=1');
});

test('rewrites of the path', () => {
  check({ prefix_rewrite: '/new' }, { path: '/old/x?q' }, '301 http://shop/new/x?q', { prefix: '/old' });
  check({ prefix_rewrite: '/' }, { path: '/old/x' }, '301 http://shop//x', { path_separated_prefix: '/old' });
  check(
    { regex_rewrite: { pattern: { regex: '/old/(.*)' }, substitution: '/\\1/new' } },
    { path: '/old/x?q' },
    '301 http://shop/x/new?q',
  );
});

test('a rewritten path keeps its leading slash, and is not left empty', () => {
  const regex = (substitution: string) => ({
    regex_rewrite: { pattern: { regex: '/[a-z]+' }, substitution },
  });
  check(regex('x'), {}, '301 http://shop/x?q=1');
  check(regex(''), {}, '301 http://shop/a?q=1');
});

test('a virtual host that requires TLS keeps the authority as it is', () => {
  const config = {
    name: 'r',
    virtual_hosts: [
      {
        name: 'h',
        domains: ['*'],
        require_tls: 'ALL',
        routes: [{ match: { prefix: '/' }, route: { cluster: 'c' } }],
      },
    ],
  };
  const { table } = routesOf(routeConfiguration(config));
  const plain = table.choose(requestOf({ authority: 'shop:80', path: '/a?b' }), context());
  assert.equal(plain.kind === 'redirect' && plain.location, 'https://shop:80/a?b');
  assert.equal(table.choose(requestOf({ scheme: 'https' }), context()).kind, 'forward');
  assert.equal(
    table.choose(requestOf({ headers: { 'x-forwarded-proto': 'https' } }), context()).kind,
    'forward',
  );
});
