// What becomes of fields, beside Envoy: repeated ones, gRPC-Web, CORS, copies for mirrors, response flags,
// configured text.
import { strict as assert } from 'node:assert';
import { describe, test } from 'node:test';
import { reasonToSkipWithoutEnvoy } from '../real-software.ts';
import { type Json, type ListenerParts, routeTo, typed } from './bootstrap.ts';
import { unexplained } from './explained.ts';
import { send } from './raw-client.ts';
import { type Handler, okResponse, onEachHead } from './raw-upstream.ts';
import { compare, type Lane, type LaneOptions } from './side-by-side.ts';

interface Row {
  readonly name: string;
  readonly request: string;
}

interface Outcome {
  readonly requests: readonly string[];
  readonly response: string;
}

/**
 * Fields that differ from moment to moment, and the address that Envoy puts in the place of a loopback one.
 */
const changing = /^(date|x-envoy-upstream-service-time|x-forwarded-for|x-request-id|connection): .*$/;

function plain(text: string): string {
  const [head = '', ...rest] = text.split('\r\n\r\n');
  const [first = '', ...fields] = head.split('\r\n').filter((line) => !changing.test(line));
  return [first, ...fields.sort(), ...rest].join('|');
}

async function outcomeOf(lane: Lane, { request }: Row): Promise<Outcome> {
  const { text } = await send(lane.port, request);
  return {
    requests: lane.upstream.connections
      .map((one) => plain(one.take()))
      .filter((one) => one !== '')
      .sort(),
    response: plain(text),
  };
}

async function check(
  rows: readonly Row[],
  options: LaneOptions,
  differences: Readonly<Record<string, readonly string[]>> = {},
): Promise<void> {
  const outcomes = await compare(rows, options, outcomeOf);
  assert.equal(outcomes.length, rows.length);
  assert.deepEqual(unexplained(outcomes, differences), []);
}

const get = (fields: string, path = '/'): string =>
  `GET ${path} HTTP/1.1\r\nHost: a\r\n${fields}Connection: close\r\n\r\n`;
const skip = reasonToSkipWithoutEnvoy();

const names =
  'accept accept-charset accept-encoding accept-language access-control-request-headers access-control-request-method authorization cache-control content-encoding content-type cookie date etag expect ' +
  'expires grpc-timeout if-match if-none-match if-range link origin pragma proxy-authorization range referer te user-agent vary via warning x-custom x-envoy-attempt-count x-envoy-decorator-operation x-envoy-max-retries ' +
  'x-envoy-original-path x-forwarded-client-cert x-forwarded-host x-forwarded-port set-cookie location age allow server grpc-status grpc-message last-modified retry-after www-authenticate';

describe('a field that comes twice', { skip }, () => {
  test('in a request', () =>
    check(
      names.split(' ').map((name) => ({ name, request: get(`${name}: a\r\n${name}: b\r\n`) })),
      {},
    ));

  test('in a response', () => {
    const handler = (): Handler =>
      onEachHead((socket, head) => {
        const name = /^GET \/(\S*)/.exec(head)?.[1] ?? '';
        socket.write(`HTTP/1.1 200 OK\r\n${name}: a\r\n${name}: b\r\ncontent-length: 0\r\n\r\n`);
      });
    return check(
      names.split(' ').map((name) => ({ name, request: get('', `/${name}`) })),
      { handler },
    );
  });
});

test('gRPC-Web', { skip }, async () => {
  const filters = [typed('envoy.filters.http.grpc_web', 'extensions.filters.http.grpc_web.v3.GrpcWeb')];
  const types = [
    'grpc-web',
    'grpc-web+proto',
    'grpc-web-text',
    'grpc-web-text+proto',
    'grpc-web+json',
    'grpc-web;x=y',
    'grpc',
    'json',
  ];
  const call = (type: string, accept: string, path: string, body = 'AAAAAAA='): string =>
    `POST ${path} HTTP/1.1\r\nHost: a\r\nContent-Type: application/${type}\r\n${accept}Content-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`;
  const accepts = {
    nothing: '',
    text: 'Accept: application/grpc-web-text\r\n',
    'text+proto': 'Accept: application/grpc-web-text+proto\r\nGrpc-Accept-Encoding: gzip\r\n',
    binary: 'Accept: application/grpc-web\r\n',
  };
  const rows = types.flatMap((type) =>
    Object.entries(accepts).flatMap(([accept, field]) =>
      ['/ok', '/status', '/plain', '/404', '/admin', '/nowhere'].map((path) => ({
        name: `${type} ${accept} ${path}`,
        request: call(type, field, path),
      })),
    ),
  );
  const bad = ['AAA', 'A*AA', 'AAAA=AAA', ''].map((body) => ({
    name: `text ${body}`,
    request: call('grpc-web-text', '', '/ok', body),
  }));
  const message = '\0\0\0\0\x01A';
  const answers: Readonly<Record<string, string>> = {
    '/ok': `HTTP/1.1 200 OK\r\ncontent-type: application/grpc\r\ncontent-length: 6\r\n\r\n${message}`,
    '/status':
      'HTTP/1.1 200 OK\r\ncontent-type: application/grpc\r\ngrpc-status: 5\r\ngrpc-message: no\r\ncontent-length: 0\r\n\r\n',
    '/plain': 'HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: 5\r\n\r\nh~l%o',
    '/404': 'HTTP/1.1 404 Not Found\r\ncontent-length: 4\r\n\r\ngone',
  };
  const handler =
    (): Handler =>
    ({ socket }) => {
      let text = '';
      socket.on('data', (chunk: Buffer) => {
        text += chunk.toString('latin1');
        if (/\r\n\r\n.|content-length: 0/s.test(text) && !socket.writableEnded)
          socket.end(answers[/^POST (\S*)/.exec(text)?.[1] ?? ''] ?? okResponse, 'latin1');
      });
    };
  const nowhere = { match: { path: '/nowhere' }, route: { cluster_header: 'nowhere' } };
  const denied = {
    match: { path: '/admin' },
    direct_response: { status: 403, body: { inline_string: 'denied' } },
  };
  const endless = types
    .slice(0, 4)
    .flatMap((type) => ['text', 'text+proto'].map((accept) => `${type} ${accept} /ok`));
  await check(
    [...rows, ...bad],
    { handler, listener: (name) => ({ filters, routes: [denied, nowhere, routeTo(name)] }) },
    { 'Envoy never ends a response in text mode that has no trailers': endless },
  );
});

test('CORS', { skip }, async () => {
  const policy =
    (fields: Json, path: string) =>
    (name: string): Json => ({
      ...routeTo(name, {}, { path }),
      typed_per_filter_config: {
        'envoy.filters.http.cors': {
          '@type': 'type.googleapis.com/envoy.extensions.filters.http.cors.v3.CorsPolicy',
          allow_origin_string_match: [{ exact: 'https://a.example' }],
          ...fields,
        },
      },
    });
  const policies = {
    '/star': policy({ allow_headers: '*', allow_methods: '*', expose_headers: '*', max_age: '5' }, '/star'),
    '/list': policy({ allow_headers: 'x-a,*', allow_methods: 'GET,*', allow_credentials: true }, '/list'),
    '/none': policy({}, '/none'),
    '/here': policy(
      { allow_headers: '*', forward_not_matching_preflights: false, allow_private_network_access: true },
      '/here',
    ),
  };
  const origins = {
    known: 'Origin: https://a.example\r\n',
    foreign: 'Origin: https://b.example\r\n',
    none: '',
  };
  const wishes = {
    nothing: '',
    method: 'Access-Control-Request-Method: PUT\r\n',
    both: 'Access-Control-Request-Method: PUT\r\nAccess-Control-Request-Headers: x-z, X-Y\r\nAccess-Control-Request-Private-Network: true\r\n',
  };
  const rows = Object.keys(policies).flatMap((path) =>
    Object.entries(origins).flatMap(([origin, first]) =>
      Object.entries(wishes).flatMap(([wish, second]) =>
        ['OPTIONS', 'GET'].map((method) => ({
          name: `${method} ${path} ${origin} ${wish}`,
          request: get(first + second, path).replace('GET', method),
        })),
      ),
    ),
  );
  const filters = [typed('envoy.filters.http.cors', 'extensions.filters.http.cors.v3.Cors')];
  await check(rows, {
    listener: (name) => ({ filters, routes: Object.values(policies).map((make) => make(name)) }),
  });
});

test('copies for mirrors', { skip }, async () => {
  const routes = (name: string): Pick<ListenerParts, 'routes'> => ({
    routes: [
      { ...routeTo(name, { request_mirror_policies: [{ cluster: name }] }, { path: '/plain' }) },
      {
        ...routeTo(
          name,
          {
            request_mirror_policies: [{ cluster: name, disable_shadow_host_suffix_append: true }],
            prefix_rewrite: '/new',
            timeout: '3s',
          },
          { path: '/rewritten' },
        ),
      },
      {
        ...routeTo(
          name,
          { request_mirror_policies: [{ cluster: name }], retry_policy: { retry_on: '5xx' } },
          { path: '/retried' },
        ),
        request_headers_to_add: [{ header: { key: 'x-h', value: 'v' } }],
      },
    ],
  });
  const rows = ['/plain', '/rewritten', '/retried'].map((path) => ({
    name: path,
    request: get('X-Envoy-Internal: true\r\nX-A: 1\r\n', path),
  }));
  await check(rows, { listener: routes });
});

describe('text of the configuration', { skip }, () => {
  const odd = 'é€ č\u010a 漢字';
  const added = {
    request_headers_to_add: [{ header: { key: 'x-a', value: odd } }],
    response_headers_to_add: [{ header: { key: 'x-b', value: odd } }],
  };
  const routes = (name: string): readonly Json[] => [
    { ...routeTo(name, { prefix_rewrite: '/č\u010aé' }, { prefix: '/prefix' }), ...added },
    {
      ...routeTo(
        name,
        { regex_rewrite: { pattern: { regex: '^/regex/(.*)' }, substitution: '/é/\\1' } },
        { prefix: '/regex' },
      ),
    },
    routeTo(name, { host_rewrite_literal: 'bč\u010ac' }, { prefix: '/host' }),
    { match: { prefix: '/redirect' }, redirect: { host_redirect: 'bč\u010a', path_redirect: '/é' } },
    { match: { prefix: '/cut' }, redirect: { prefix_rewrite: '/č' } },
    { match: { prefix: '/direct' }, direct_response: { status: 200, body: { inline_string: odd } } },
    { ...routeTo(name), match: { prefix: '/exact', headers: [{ name: 'x', string_match: { exact: 'é' } }] } },
    {
      ...routeTo(name),
      match: { prefix: '/like', headers: [{ name: 'x', string_match: { safe_regex: { regex: '.é.' } } }] },
    },
    {
      ...routeTo(name),
      match: {
        prefix: '/begins',
        headers: [{ name: 'x', string_match: { prefix: 'É', ignore_case: true } }],
      },
    },
    {
      ...routeTo(name),
      match: { prefix: '/query', query_parameters: [{ name: 'q', string_match: { exact: 'é' } }] },
    },
    { match: { path: '/%C3%A9' }, direct_response: { status: 409 } },
    { match: { path: '/é' }, direct_response: { status: 410 } },
  ];
  const utf8 = (text: string): string => Buffer.from(text).toString('latin1');
  const rows = [
    ...['/prefix', '/prefix/x?y', '/regex/1', '/host', '/redirect', '/cut/1', '/direct'].map((path) => ({
      name: path,
      request: get('', path),
    })),
    ...['é', 'É', 'aéb', 'aéé', 'é€'].flatMap((value) =>
      ['/exact', '/like', '/begins'].flatMap((path) => [
        { name: `${path} ${value}`, request: get(`x: ${utf8(value)}\r\n`, path) },
        {
          name: `${path} ${value}, one byte a character`,
          request: get(`x: ${value.replace('€', '')}\r\n`, path),
        },
      ]),
    ),
    { name: 'query', request: get('', '/query?q=%C3%A9') },
    { name: 'escaped path', request: get('', '/%C3%A9') },
  ];
  test('is UTF-8 on the wire', () => check(rows, { listener: (name) => ({ routes: routes(name) }) }));
});

test('why a response is what it is', { skip }, async () => {
  const words = ['RESPONSE_FLAGS', 'RESPONSE_CODE', 'RESPONSE_CODE_DETAILS'].map((name) => ({
    header: { key: name.toLowerCase(), value: `%${name}%` },
  }));
  const told = (route: Json): Json => ({ ...route, response_headers_to_add: words });
  const fault = {
    'envoy.filters.http.fault': {
      '@type': 'type.googleapis.com/envoy.extensions.filters.http.fault.v3.HTTPFault',
      abort: { http_status: 429, percentage: { numerator: 100 } },
    },
  };
  const to = (name: string, path: string, action: Json = {}): Json => told(routeTo(name, action, { path }));
  const routes = (name: string): readonly Json[] => [
    to(name, '/ok'),
    to(name, '/closes'),
    to(name, '/nonsense'),
    to(name, '/silent', { timeout: '0.2s' }),
    to(name, '/silent-try', {
      retry_policy: { retry_on: 'gateway-error', num_retries: 1, per_try_timeout: '0.1s' },
    }),
    to(name, '/fails', { retry_policy: { retry_on: '5xx', num_retries: 1 } }),
    to(name, '/fails-untried'),
    told({ match: { path: '/moved' }, direct_response: { status: 302 } }),
    told({ match: { path: '/nowhere' }, route: { cluster_header: 'nowhere' } }),
    told({ match: { path: '/direct' }, direct_response: { status: 201 } }),
    told({ match: { path: '/redirect' }, redirect: { path_redirect: '/x' } }),
    { ...to(name, '/fault'), typed_per_filter_config: fault },
  ];
  const handler = (): Handler =>
    onEachHead((socket, head) => {
      const path = /^GET (\S*)/.exec(head)?.[1] ?? '';
      if (path === '/closes') socket.end();
      else if (path === '/nonsense') socket.write('nonsense\r\n\r\n');
      else if (path.startsWith('/fails'))
        socket.end('HTTP/1.1 500 E\r\ncontent-length: 0\r\nconnection: close\r\n\r\n');
      else if (!path.startsWith('/silent')) socket.write(okResponse);
    });
  const rows =
    '/ok /closes /nonsense /silent /silent-try /fails /fails-untried /nowhere /direct /moved /redirect /fault'.split(
      ' ',
    );
  const filters = [typed('envoy.filters.http.fault', 'extensions.filters.http.fault.v3.HTTPFault')];
  await check(
    rows.map((name) => ({ name, request: get('', name) })),
    { handler, listener: (name) => ({ filters, routes: routes(name) }) },
  );
});
