import assert from 'node:assert/strict';
import { once } from 'node:events';
import http from 'node:http';
import http2 from 'node:http2';
import net from 'node:net';
import { after, describe, test } from 'node:test';
import {
  cluster,
  type FakeConfig,
  freePort,
  httpFilter,
  listener,
  portOf,
  startFake,
  talk,
} from '../../fake-bootstrap.ts';
import type { RunningProxy } from '../../index.ts';

const cleanups: (() => unknown)[] = [];
after(async () => {
  for (const clean of cleanups.reverse()) await clean();
});

interface Shape {
  readonly route?: object;
  readonly hcm?: object;
  readonly clusters: FakeConfig['clusters'];
}

async function started({ route, hcm, clusters }: Shape): Promise<{ proxy: RunningProxy; port: number }> {
  const port = await freePort();
  const routes = [{ match: { prefix: '/' }, route: { cluster: 'up', ...route } }];
  const proxy = await startFake({
    listeners: [listener(port, [httpFilter(routes, hcm)])],
    clusters: clusters ?? [],
  });
  cleanups.push(() => proxy.stop());
  await proxy.ready;
  return { proxy, port };
}

async function upstream(handler: http.RequestListener): Promise<number> {
  const server = http.createServer(handler);
  cleanups.push(
    () => server.closeAllConnections(),
    () => server.close(),
  );
  return portOf(server);
}

const get = (fields = ''): string => `GET / HTTP/1.1\r\nhost: a\r\n${fields}\r\n`;
const closing = get('connection: close\r\n');
const statusOf = (text: string): number => Number(text.slice(9, 12));

describe('limits towards clients', () => {
  test('what a request may bring and what a connection may carry', async () => {
    const up = await upstream((_request, response) => void response.end('ok'));
    const wide = await started({
      hcm: { common_http_protocol_options: { max_headers_count: 200 }, max_request_headers_kb: 90 },
      clusters: [cluster('up', [up])],
    });
    const fields = (count: number): string =>
      get(`${Array.from({ length: count }, (_, i) => `x${i}: y\r\n`).join('')}connection: close\r\n`);
    assert.equal(statusOf((await talk(wide.port, fields(198))).received), 200);
    assert.equal(statusOf((await talk(wide.port, fields(199))).received), 431);
    const plain = await started({ clusters: [cluster('up', [up])] });
    assert.equal(statusOf((await talk(plain.port, fields(98))).received), 200);
    assert.equal(statusOf((await talk(plain.port, fields(99))).received), 431);
    assert.equal(statusOf((await talk(plain.port, get(`x: ${'y'.repeat(70_000)}\r\n`))).received), 431);
  });

  test('HTTP/2: fields of a request', async () => {
    const up = await upstream((_request, response) => void response.end('ok'));
    const { port } = await started({
      hcm: { common_http_protocol_options: { max_headers_count: 10 } },
      clusters: [cluster('up', [up])],
    });
    const client = http2.connect(`http://127.0.0.1:${port}`);
    client.on('error', () => undefined);
    cleanups.push(() => client.destroy());
    const ask = async (count: number): Promise<number | 'reset'> => {
      const stream = client.request(
        Object.fromEntries(Array.from({ length: count }, (_, i) => [`x${i}`, 'y'])),
      );
      return new Promise((resolve) => {
        stream.on('response', (headers) => resolve(Number(headers[':status'])));
        stream.on('error', () => resolve('reset'));
        stream.on('close', () => resolve('reset'));
        stream.resume();
      });
    };
    // Pseudo-fields count, of which there are four.
    assert.equal(await ask(6), 200);
    assert.equal(await ask(7), 'reset');
  });

  test('requests of one connection, those answered at once included', async () => {
    const up = await upstream((_request, response) => void response.end('ok'));
    const common = { common_http_protocol_options: { max_requests_per_connection: 2 } };
    for (const clusters of [[cluster('up', [up])], []]) {
      const { port } = await started({ hcm: common, clusters });
      const { received, ended } = await talk(port, get().repeat(4));
      assert.equal(received.split('HTTP/1.1 ').length - 1, 2);
      assert.equal(received.match(/connection: close/g)?.length, 1);
      assert.equal(ended, 'end');
    }
  });

  test('HTTP/1.0 without a host', async () => {
    const up = await upstream((request, response) => void response.end(`host ${request.headers.host}`));
    const { port } = await started({
      hcm: { http_protocol_options: { accept_http_10: true, default_host_for_http_10: 'old.example' } },
      clusters: [cluster('up', [up])],
    });
    assert.match((await talk(port, 'GET / HTTP/1.0\r\n\r\n')).received, /host old\.example$/);
    assert.match(
      (await talk(port, 'GET / HTTP/1.0\r\nhost: new.example\r\n\r\n')).received,
      /host new\.example$/,
    );
  });

  test('HTTP/1.0 is answered in its own way', async () => {
    const up = await upstream((request, response) => {
      if (request.url === '/sized') return void response.end('sized');
      response.write('un');
      response.end('sized');
    });
    const { port } = await started({
      hcm: { http_protocol_options: { accept_http_10: true } },
      clusters: [cluster('up', [up])],
    });
    const ask = (path: string, more = ''): ReturnType<typeof talk> =>
      talk(port, `GET ${path} HTTP/1.0\r\nhost: a\r\n${more}\r\n`);
    const plain = await ask('/unsized', 'connection: keep-alive\r\n');
    assert.match(
      plain.received,
      /^HTTP\/1\.0 200 OK\r\n(?!.*transfer-encoding).*connection: close\r\n\r\nunsized$/s,
    );
    assert.equal(plain.ended, 'end');
    const twice = await talk(
      port,
      'GET /sized HTTP/1.0\r\nhost: a\r\nconnection: keep-alive\r\n\r\n'.repeat(2),
      'sizedHTTP/1.0 200 OK',
    );
    assert.match(twice.received, /^HTTP\/1\.0 200 .*connection: keep-alive\r\n\r\nsized/s);
    assert.match((await ask('/sized')).received, /connection: close\r\n\r\nsized$/);
    assert.equal(statusOf((await talk(port, 'GET / HTTP/1.0\r\n\r\n')).received), 400);
  });

  test('limits of the route replace those of the connection manager', async () => {
    const up = await upstream(() => undefined);
    const clusters = [cluster('up', [up])];
    const body = 'POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 9\r\n\r\n';
    const cases: readonly (readonly [Omit<Shape, 'clusters'>, string, number, string])[] = [
      [
        { hcm: { stream_idle_timeout: '100s' }, route: { timeout: '0s', idle_timeout: '0.05s' } },
        closing,
        504,
        'stream timeout',
      ],
      [
        { hcm: { stream_idle_timeout: '100s' }, route: { timeout: '0s', idle_timeout: '0.05s' } },
        body,
        408,
        'stream timeout',
      ],
      [
        { hcm: { stream_idle_timeout: '0.05s' }, route: { timeout: '0.2s', idle_timeout: '0s' } },
        closing,
        504,
        'upstream request timeout',
      ],
      [
        { route: { timeout: '0s', max_stream_duration: { max_stream_duration: '0.05s' } } },
        closing,
        504,
        'downstream duration timeout',
      ],
      [
        { route: { timeout: '0s', max_stream_duration: { max_stream_duration: '0.05s' } } },
        body,
        408,
        'downstream duration timeout',
      ],
    ];
    for (const [shape, request, status, text] of cases) {
      const { port } = await started({ ...shape, clusters });
      const { received } = await talk(port, request, text);
      assert.equal(statusOf(received), status, JSON.stringify(shape));
    }
  });

  test('an interim response keeps its fields', async () => {
    const up = await upstream((_request, response) => {
      response.writeEarlyHints(
        { link: '</style.css>; rel=preload', 'x-early': 'yes' },
        () => void response.end('ok'),
      );
    });
    const { port } = await started({ hcm: { proxy_100_continue: true }, clusters: [cluster('up', [up])] });
    const { received } = await talk(port, closing, 'ok');
    const [first = ''] = received.split('\r\n\r\n');
    assert.match(first, /^HTTP\/1.1 103 .*\r\nlink: <\/style.css>; rel=preload/is);
    assert.match(first, /x-early: yes/i);
    const silent = await started({ hcm: { proxy_100_continue: false }, clusters: [cluster('up', [up])] });
    assert.match((await talk(silent.port, closing, 'ok')).received, /^HTTP\/1.1 200 /);
  });
});

describe('limits towards hosts', () => {
  test('a try in which nothing passes', async () => {
    let hits = 0;
    const up = await upstream((_request, response) => {
      if (++hits > 1) response.end('second');
    });
    const retry = {
      retry_on: '5xx',
      num_retries: 1,
      per_try_idle_timeout: '0.05s',
      retry_back_off: { base_interval: '0.001s' },
    };
    const { proxy, port } = await started({
      route: { timeout: '0s', retry_policy: retry },
      clusters: [cluster('up', [up])],
    });
    assert.match((await talk(port, closing)).received, /^HTTP\/1.1 200 .*second$/s);
    assert.equal(proxy.stats.counter('cluster.up.upstream_rq_per_try_timeout').value, 1);
  });

  test('a stream that lasts longer than its cluster allows', async () => {
    const up = await upstream(() => undefined);
    const options = {
      typed_extension_protocol_options: {
        'envoy.extensions.upstreams.http.v3.HttpProtocolOptions': {
          '@type': 'type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions',
          explicit_http_config: { http_protocol_options: {} },
          common_http_protocol_options: { max_stream_duration: '0.05s' },
        },
      },
    };
    const { port } = await started({ route: { timeout: '0s' }, clusters: [cluster('up', [up], options)] });
    for (const [request, status] of [
      [closing, 504],
      ['POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 9\r\n\r\n', 408],
    ] as const) {
      const { received } = await talk(port, request, 'reached');
      assert.match(received, new RegExp(`^HTTP/1.1 ${status} .*upstream max stream duration reached$`, 's'));
    }
  });

  test('the head of a request goes out before its body', async () => {
    const up = await upstream((request, response) => void response.end(`early ${request.method}`));
    const { port } = await started({ clusters: [cluster('up', [up])] });
    const { received } = await talk(
      port,
      'POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 9\r\n\r\n',
      'early POST',
    );
    assert.equal(statusOf(received), 200);
  });

  test('a try that goes on is not idle', async () => {
    const up = await upstream((_request, response) => {
      let pieces = 0;
      const timer = setInterval(() => {
        if (++pieces < 6) return void response.write('x');
        clearInterval(timer);
        response.end('done');
      }, 20);
    });
    const { port } = await started({
      route: { timeout: '0s', retry_policy: { retry_on: '5xx', per_try_idle_timeout: '0.08s' } },
      clusters: [cluster('up', [up])],
    });
    assert.match((await talk(port, closing, 'done')).received, /^HTTP\/1.1 200 /);
  });

  test('a host that asks to be left alone for a while', async () => {
    const times: number[] = [];
    const up = await upstream((_request, response) => {
      times.push(performance.now());
      if (times.length > 1) response.end('ok');
      else response.writeHead(503, { 'retry-after': '1' }).end();
    });
    const retry = {
      retry_on: '5xx',
      num_retries: 1,
      rate_limited_retry_back_off: {
        reset_headers: [{ name: 'retry-after', format: 'SECONDS' }],
        max_interval: '5s',
      },
    };
    const { port } = await started({ route: { retry_policy: retry }, clusters: [cluster('up', [up])] });
    assert.match((await talk(port, closing)).received, /^HTTP\/1.1 200 /);
    const [first = 0, second = 0] = times;
    assert.ok(second - first >= 990, `${second - first} ms`);
  });

  test('a retry goes to another priority', async () => {
    const bad = await upstream((_request, response) => void response.writeHead(503).end());
    const good = await upstream((_request, response) => void response.end('other'));
    const at = (port: number, priority: number): object => ({
      priority,
      lb_endpoints: [
        { endpoint: { address: { socket_address: { address: '127.0.0.1', port_value: port } } } },
      ],
    });
    const up = cluster('up', [], {
      load_assignment: { cluster_name: 'up', endpoints: [at(bad, 0), at(good, 1)] },
    });
    const type =
      'type.googleapis.com/envoy.extensions.retry.priority.previous_priorities.v3.PreviousPrioritiesConfig';
    const policy = { retry_on: '5xx', num_retries: 1, retry_back_off: { base_interval: '0.001s' } };
    const priority = {
      retry_priority: {
        name: 'envoy.retry_priorities.previous_priorities',
        typed_config: { '@type': type, update_frequency: 1 },
      },
    };
    const same = await started({ route: { retry_policy: policy }, clusters: [up] });
    assert.equal(statusOf((await talk(same.port, closing)).received), 503);
    const moved = await started({ route: { retry_policy: { ...policy, ...priority } }, clusters: [up] });
    assert.match((await talk(moved.port, closing)).received, /^HTTP\/1.1 200 .*other$/s);
  });

  test('limits of one priority are released where they were taken', async () => {
    const up = await upstream((_request, response) => void response.end('ok'));
    const thresholds = [
      { priority: 'DEFAULT', max_pending_requests: 1, max_connections: 1, max_requests: 1 },
      { priority: 'HIGH', max_pending_requests: 1, max_connections: 1, max_requests: 1 },
    ];
    const { port } = await started({
      route: { priority: 'HIGH' },
      clusters: [cluster('up', [up], { circuit_breakers: { thresholds } })],
    });
    for (let i = 0; i < 5; i++) assert.equal(statusOf((await talk(port, closing)).received), 200);
  });

  test('a route leads to hosts by their metadata', async () => {
    const [first, second] = [
      await upstream((_request, response) => void response.end('first')),
      await upstream((_request, response) => void response.end('second')),
    ];
    const at = (port: number, stage: string): object => ({
      endpoint: { address: { socket_address: { address: '127.0.0.1', port_value: port } } },
      metadata: { filter_metadata: { 'envoy.lb': { stage } } },
    });
    const up = cluster('up', [], {
      lb_subset_config: { subset_selectors: [{ keys: ['stage'] }] },
      load_assignment: {
        cluster_name: 'up',
        endpoints: [{ lb_endpoints: [at(first, 'a'), at(second, 'b')] }],
      },
    });
    const wanted = (stage: string): object => ({
      metadata_match: { filter_metadata: { 'envoy.lb': { stage } } },
    });
    for (const [stage, expected] of [
      ['a', 'first'],
      ['b', 'second'],
      ['c', 'no healthy upstream'],
    ] as const) {
      const { port } = await started({ route: wanted(stage), clusters: [up] });
      for (let i = 0; i < 3; i++) assert.ok((await talk(port, closing)).received.endsWith(expected), stage);
    }
  });

  test('fields of a response', async () => {
    const many = Object.fromEntries(Array.from({ length: 30 }, (_, i) => [`x${i}`, 'y']));
    const up = await upstream((_request, response) => void response.writeHead(200, many).end());
    const options = (max: number): object => ({ common_http_protocol_options: { max_headers_count: max } });
    assert.equal(
      statusOf(
        (await talk((await started({ clusters: [cluster('up', [up], options(50))] })).port, closing))
          .received,
      ),
      200,
    );
    assert.equal(
      statusOf(
        (await talk((await started({ clusters: [cluster('up', [up], options(20))] })).port, closing))
          .received,
      ),
      502,
    );
  });
});

test('an HTTP/2 connection with a stream is not idle', async () => {
  const answers: http.ServerResponse[] = [];
  const up = await upstream((_request, response) => void answers.push(response));
  const { port } = await started({
    hcm: { common_http_protocol_options: { idle_timeout: '0.05s' } },
    route: { timeout: '0s' },
    clusters: [cluster('up', [up])],
  });
  const client = http2.connect(`http://127.0.0.1:${port}`);
  const stream = client.request({ ':path': '/' });
  const goaway = once(client, 'goaway');
  const early = await Promise.race([
    goaway.then(() => 'goaway'),
    new Promise((resolve) => setTimeout(resolve, 200, 'open')),
  ]);
  assert.equal(early, 'open');
  answers[0]?.end('ok');
  const [head] = await once(stream, 'response');
  assert.equal(head[':status'], 200);
  stream.resume();
  await goaway;
  client.destroy();
});

test('a connection that says nothing ends with its idle time, or when its time is over', async () => {
  for (const limit of ['idle_timeout', 'max_connection_duration']) {
    const { proxy, port } = await started({
      hcm: { common_http_protocol_options: { [limit]: '0.05s' } },
      clusters: [],
    });
    const socket = net.connect(port, '127.0.0.1');
    socket.resume();
    await once(socket, 'end');
    socket.destroy();
    assert.equal(proxy.stats.gauge('http.main.downstream_cx_active').value, 0);
  }
});

test('a connection is idle from the end of a request on, also of one that took longer than that', async () => {
  const up = await upstream(
    (request, response) => void setTimeout(() => response.end('ok'), request.url === '/slow' ? 200 : 0),
  );
  const { port } = await started({
    hcm: { common_http_protocol_options: { idle_timeout: '0.08s' } },
    clusters: [cluster('up', [up])],
  });
  const socket = net.connect(port, '127.0.0.1');
  cleanups.push(() => socket.destroy());
  let received = '';
  socket.on('data', (data) => {
    received += data;
    if (received.split('HTTP/1.1 200').length === 2 && received.endsWith('ok')) {
      received += '|';
      socket.write(get());
    }
  });
  socket.write(get().replace('/', '/slow'));
  await once(socket, 'end');
  assert.equal(received.split('HTTP/1.1 200').length - 1, 2);
});
