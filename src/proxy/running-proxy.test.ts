import assert from 'node:assert/strict';
import { once } from 'node:events';
import http from 'node:http';
import http2 from 'node:http2';
import net, { type AddressInfo } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { type RunningProxy, readBootstrap, startProxy } from './index.ts';

const router = {
  name: 'envoy.filters.http.router',
  typed_config: { '@type': 'type.googleapis.com/envoy.extensions.filters.http.router.v3.Router' },
};

interface Routes {
  readonly routes: readonly unknown[];
  readonly hcm?: object;
}

function bootstrap(
  port: number,
  clusters: Readonly<Record<string, { port: number; extra?: object }>>,
  { routes, hcm }: Routes,
): string {
  const address = (value: number): object => ({
    socket_address: { address: '127.0.0.1', port_value: value },
  });
  return JSON.stringify({
    node: { id: 'test', cluster: 'test' },
    static_resources: {
      clusters: Object.entries(clusters).map(([name, one]) => ({
        name,
        type: 'STATIC',
        connect_timeout: '1s',
        load_assignment: {
          cluster_name: name,
          endpoints: [{ lb_endpoints: [{ endpoint: { address: address(one.port) } }] }],
        },
        ...one.extra,
      })),
      listeners: [
        {
          name: 'main',
          address: address(port),
          filter_chains: [
            {
              filters: [
                {
                  name: 'envoy.filters.network.http_connection_manager',
                  typed_config: {
                    '@type':
                      'type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager',
                    stat_prefix: 'main',
                    http_filters: [router],
                    upgrade_configs: [{ upgrade_type: 'websocket' }, { upgrade_type: 'CONNECT' }],
                    proxy_100_continue: true,
                    route_config: { name: 'r', virtual_hosts: [{ name: 'v', domains: ['*'], routes }] },
                    ...hcm,
                  },
                },
              ],
            },
          ],
        },
      ],
    },
  });
}

async function freePort(): Promise<number> {
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** What the upstream does is in the path. */
function upstreamHandler(request: http.IncomingMessage, response: http.ServerResponse): void {
  const url = new URL(request.url ?? '/', 'http://x');
  if (url.pathname === '/slow') return;
  if (url.pathname === '/reset') return void request.socket.resetAndDestroy();
  if (url.pathname === '/status') return void response.writeHead(Number(url.searchParams.get('code'))).end();
  if (url.pathname === '/headers') return void response.end(JSON.stringify(request.headers));
  if (url.pathname === '/trailers') {
    response.writeHead(200, { trailer: 'x-end' });
    response.write('a');
    response.addTrailers({ 'x-end': 'yes' });
    return void response.end();
  }
  request.pipe(response);
}

interface Answer {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: Buffer;
}

function send(port: number, options: http.RequestOptions, body?: Buffer | string): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = http.request({ host: '127.0.0.1', port, agent: false, ...options }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks) }),
      );
      response.on('error', reject);
    });
    request.on('error', reject);
    request.end(body);
  });
}

/** Sends bytes as they are and reads until the other side closes or `until` appears. */
async function raw(port: number, text: string, until?: string): Promise<string> {
  const socket = net.connect(port, '127.0.0.1');
  let got = '';
  socket.on('error', () => undefined);
  const done = new Promise<void>((resolve) => {
    socket.on('data', (chunk: Buffer) => {
      got += chunk.toString('latin1');
      if (until !== undefined && got.includes(until)) resolve();
    });
    socket.on('close', () => resolve());
  });
  socket.write(text);
  await done;
  socket.destroy();
  return got;
}

describe('a proxy with static configuration', () => {
  const upstream = http.createServer(upstreamHandler);
  const upstreamH2 = http2.createServer();
  let proxy: RunningProxy;
  let port: number;

  before(async () => {
    upstream.listen(0, '127.0.0.1');
    upstream.on('upgrade', (_request, socket) => {
      socket.write('HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: Upgrade\r\n\r\n');
      socket.pipe(socket);
    });
    upstream.on('checkContinue', (_request, response: http.ServerResponse) => {
      response.writeContinue();
      _request.pipe(response);
    });
    upstreamH2.on('stream', (stream, headers) => {
      stream.respond(
        { ':status': 200, 'x-path': headers[':path'], 'content-type': 'application/grpc' },
        { waitForTrailers: true },
      );
      stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
      stream.pipe(stream);
    });
    upstreamH2.listen(0, '127.0.0.1');
    await Promise.all([once(upstream, 'listening'), once(upstreamH2, 'listening')]);
    port = await freePort();
    const dead = await freePort();
    const h2 = {
      typed_extension_protocol_options: {
        'envoy.extensions.upstreams.http.v3.HttpProtocolOptions': {
          '@type': 'type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions',
          explicit_http_config: { http2_protocol_options: {} },
        },
      },
    };
    const up = (upstream.address() as AddressInfo).port;
    const text = bootstrap(
      port,
      {
        up: { port: up },
        dead: { port: dead },
        h2: { port: (upstreamH2.address() as AddressInfo).port, extra: h2 },
        mixed: {
          port: up,
          extra: {
            lb_policy: 'ROUND_ROBIN',
            load_assignment: {
              cluster_name: 'mixed',
              endpoints: [
                {
                  lb_endpoints: [dead, up].map((p) => ({
                    endpoint: { address: { socket_address: { address: '127.0.0.1', port_value: p } } },
                  })),
                },
              ],
            },
          },
        },
        narrow: {
          port: up,
          extra: { circuit_breakers: { thresholds: [{ max_connections: 1, max_pending_requests: 1 }] } },
        },
      },
      {
        routes: [
          {
            match: { connect_matcher: {} },
            route: { cluster: 'up', upgrade_configs: [{ upgrade_type: 'CONNECT', connect_config: {} }] },
          },
          { match: { prefix: '/h2' }, route: { cluster: 'h2' } },
          { match: { prefix: '/dead' }, route: { cluster: 'dead' } },
          {
            match: { prefix: '/narrow' },
            route: { cluster: 'narrow', prefix_rewrite: '/slow', timeout: '0.3s' },
          },
          {
            match: { prefix: '/mixed' },
            route: {
              cluster: 'mixed',
              prefix_rewrite: '/headers',
              retry_policy: { retry_on: 'connect-failure', num_retries: 3 },
            },
          },
          {
            match: { prefix: '/retry' },
            route: {
              cluster: 'up',
              prefix_rewrite: '/status',
              retry_policy: { retry_on: '5xx', num_retries: 2, retry_back_off: { base_interval: '0.001s' } },
            },
          },
          { match: { prefix: '/slow' }, route: { cluster: 'up', timeout: '0.05s' } },
          { match: { prefix: '/nowhere' }, route: { cluster: 'nowhere' } },
          { match: { prefix: '/direct' }, direct_response: { status: 418, body: { inline_string: 'tea' } } },
          { match: { prefix: '/' }, route: { cluster: 'up' } },
        ],
      },
    );
    proxy = await startProxy(readBootstrap(text), { drainMs: 200 });
    await proxy.ready;
  });

  after(async () => {
    await proxy.stop();
    upstream.closeAllConnections();
    upstream.close();
    upstreamH2.close();
  });

  const big = Buffer.alloc(5 << 20, 'abcdefghij');

  test('a large body with a length, there and back', async () => {
    const answer = await send(
      port,
      { method: 'POST', path: '/echo', headers: { 'content-length': big.length } },
      big,
    );
    assert.equal(answer.status, 200);
    assert.ok(answer.body.equals(big));
  });

  test('a large chunked body, there and back', async () => {
    const answer = await send(
      port,
      { method: 'POST', path: '/echo', headers: { 'transfer-encoding': 'chunked' } },
      big,
    );
    assert.ok(answer.body.equals(big));
  });

  test('HEAD, 204, 304', async () => {
    assert.equal((await send(port, { method: 'HEAD', path: '/headers' })).body.length, 0);
    assert.equal((await send(port, { path: '/status?code=204' })).status, 204);
    assert.equal((await send(port, { path: '/status?code=304' })).status, 304);
  });

  test('request headers of the sidecar kind', async () => {
    const { body, headers } = await send(port, {
      path: '/headers',
      headers: {
        connection: 'close, x-hop',
        'x-hop': '1',
        'x-envoy-retry-on': '5xx',
        te: 'gzip',
        'x-keep': '1',
      },
    });
    const seen = JSON.parse(body.toString());
    assert.equal(seen['x-hop'], undefined);
    assert.equal(seen['x-envoy-retry-on'], undefined);
    assert.equal(seen.te, undefined);
    assert.equal(seen['x-keep'], '1');
    assert.equal(seen['x-forwarded-proto'], 'http');
    assert.match(
      seen['x-request-id'],
      /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
    );
    assert.equal(seen['x-envoy-expected-rq-timeout-ms'], '15000');
    assert.equal(headers.server, 'envoy');
    assert.match(headers['x-envoy-upstream-service-time']?.toString() ?? '', /^\d+$/);
  });

  test('pipelined requests are answered in order', async () => {
    const one = (code: number): string => `GET /status?code=${code} HTTP/1.1\r\nhost: x\r\n\r\n`;
    const got = await raw(
      port,
      `${one(201)}${one(202)}${one(203)}GET /direct HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n`,
    );
    assert.deepEqual(
      [...got.matchAll(/HTTP\/1\.1 (\d+)/g)].map((match) => match[1]),
      ['201', '202', '203', '418'],
    );
  });

  test('100-continue is passed on', async () => {
    const got = await raw(
      port,
      'POST /echo HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\ncontent-length: 2\r\n\r\n',
      '100 Continue\r\n\r\n',
    );
    assert.match(got, /^HTTP\/1\.1 100 Continue/);
  });

  test('a WebSocket carries bytes both ways', async () => {
    const got = await raw(
      port,
      'GET /ws HTTP/1.1\r\nhost: x\r\nconnection: Upgrade\r\nupgrade: websocket\r\n\r\nping',
      'ping',
    );
    assert.match(got, /^HTTP\/1\.1 101 [\s\S]*ping$/);
  });

  test('CONNECT makes a tunnel', async () => {
    const got = await raw(
      port,
      'CONNECT up:80 HTTP/1.1\r\nhost: up:80\r\n\r\nGET /status?code=207 HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n',
    );
    assert.match(got, /^HTTP\/1\.1 200 OK\r\n[\s\S]*\r\n\r\nHTTP\/1\.1 207 /);
  });

  test('another upgrade is refused', async () => {
    assert.match(
      await raw(
        port,
        'GET / HTTP/1.1\r\nhost: x\r\nconnection: Upgrade\r\nupgrade: other\r\n\r\n',
        '\r\n\r\n',
      ),
      /^HTTP\/1\.1 403/,
    );
  });

  test('what the proxy answers itself', async () => {
    const cases: readonly (readonly [path: string, status: number, body: string])[] = [
      ['/direct', 418, 'tea'],
      ['/nowhere', 503, ''],
      [
        '/dead',
        503,
        'upstream connect error or disconnect/reset before headers. reset reason: remote connection failure',
      ],
      [
        '/reset',
        503,
        'upstream connect error or disconnect/reset before headers. reset reason: connection termination',
      ],
      ['/slow', 504, 'upstream request timeout'],
    ];
    for (const [path, status, body] of cases) {
      const answer = await send(port, { path });
      assert.deepEqual([answer.status, answer.body.toString()], [status, body], path);
    }
  });

  test('malformed requests', async () => {
    assert.match(await raw(port, 'GET / HTTP/1.1\r\n\r\n'), /^HTTP\/1\.1 400/);
    assert.match(await raw(port, 'GET / HTTP/1.0\r\nhost: x\r\n\r\n'), /^HTTP\/1\.1 426/);
    assert.match(
      await raw(
        port,
        'POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n',
      ),
      /^HTTP\/1\.1 400/,
    );
    assert.match(
      await raw(port, 'POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: gzip\r\n\r\n'),
      /^HTTP\/1\.1 501/,
    );
    assert.match(await raw(port, '\x16\x03\x01\x00\x00'), /^HTTP\/1\.1 400/);
  });

  test('retries a refused connection on another host', async () => {
    for (let i = 0; i < 6; i++) assert.equal((await send(port, { path: '/mixed' })).status, 200);
  });

  test('retries a status, then gives it back', async () => {
    const before = proxy.stats.counter('cluster.up.upstream_rq_retry').value;
    assert.equal((await send(port, { path: '/retry?code=503' })).status, 503);
    assert.equal(proxy.stats.counter('cluster.up.upstream_rq_retry').value - before, 2);
  });

  test('a full cluster refuses at once', async () => {
    const answers = await Promise.all(Array.from({ length: 6 }, () => send(port, { path: '/narrow' })));
    const refused = answers.filter((one) => one.status === 503);
    assert.ok(refused.length >= 4, `${refused.length} refused`);
    assert.ok(refused.every((one) => one.headers['x-envoy-overloaded'] === 'true'));
  });

  test('HTTP/2 from a client to an HTTP/1.1 host', async () => {
    const session = http2.connect(`http://127.0.0.1:${port}`);
    const stream = session.request({ ':method': 'POST', ':path': '/echo' });
    stream.end(big);
    const chunks: Buffer[] = [];
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    await once(stream, 'end');
    session.close();
    assert.ok(Buffer.concat(chunks).equals(big));
  });

  test('HTTP/1.1 from a client to an HTTP/2 host', async () => {
    const answer = await send(port, { method: 'POST', path: '/h2/x' }, 'hello');
    assert.deepEqual(
      [answer.status, answer.headers['x-path'], answer.body.toString()],
      [200, '/h2/x', 'hello'],
    );
  });

  test('gRPC trailers go through', async () => {
    const session = http2.connect(`http://127.0.0.1:${port}`);
    const stream = session.request({
      ':method': 'POST',
      ':path': '/h2/s/m',
      'content-type': 'application/grpc',
      te: 'trailers',
    });
    stream.end('message');
    stream.resume();
    const [trailers] = await once(stream, 'trailers');
    session.close();
    assert.equal(trailers['grpc-status'], '0');
  });

  test('a gRPC caller is told in its own terms', async () => {
    const session = http2.connect(`http://127.0.0.1:${port}`);
    const stream = session.request({
      ':method': 'POST',
      ':path': '/dead',
      'content-type': 'application/grpc',
    });
    stream.end();
    stream.resume();
    const [headers] = await once(stream, 'response');
    session.close();
    assert.deepEqual([headers[':status'], headers['grpc-status']], [200, '14']);
  });

  test('a client that goes away takes its request along', async () => {
    const active = proxy.stats.gauge('cluster.up.upstream_rq_active');
    const socket = net.connect(port, '127.0.0.1');
    const arrived = once(upstream, 'request');
    socket.write('GET /slow HTTP/1.1\r\nhost: x\r\n\r\n');
    const [request] = await arrived;
    assert.equal(active.value, 1);
    const gone = once(request.socket, 'close');
    socket.destroy();
    await gone;
    assert.equal(active.value, 0);
  });
});
