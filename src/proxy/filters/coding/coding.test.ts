import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import http from 'node:http';
import http2 from 'node:http2';
import { after, before, describe, test } from 'node:test';
import zlib from 'node:zlib';
import { cluster, freePort, httpFilter, listener, portOf, router, startFake } from '../../fake-bootstrap.ts';
import { accepts } from './rules.ts';

const filters = 'type.googleapis.com/envoy.extensions.filters.http';
const library = (coding: string, direction: 'compressor' | 'decompressor'): object => {
  const name = { gzip: 'Gzip', brotli: 'Brotli', zstd: 'Zstd' }[coding];
  return {
    name: coding,
    typed_config: {
      '@type': `type.googleapis.com/envoy.extensions.compression.${coding}.${direction}.v3.${name}`,
    },
  };
};
const compressor = (coding: string, more: object = {}): object => ({
  name: `compressor-${coding}`,
  typed_config: {
    '@type': `${filters}.compressor.v3.Compressor`,
    compressor_library: library(coding, 'compressor'),
    ...more,
  },
});
const decompressor = {
  name: 'decompressor',
  typed_config: {
    '@type': `${filters}.decompressor.v3.Decompressor`,
    decompressor_library: library('gzip', 'decompressor'),
  },
};

const text = 'compress me '.repeat(5000);
const inverse = {
  gzip: zlib.gunzipSync,
  br: zlib.brotliDecompressSync,
  zstd: zlib.zstdDecompressSync,
} as const;

describe('compression on the way', () => {
  const cleanups: (() => unknown)[] = [];
  let up = 0;
  after(async () => {
    for (const clean of cleanups.reverse()) await clean();
  });

  before(async () => {
    const server = http.createServer((request, response) => {
      const url = new URL(request.url ?? '/', 'http://x');
      const headers = Object.fromEntries(url.searchParams);
      if (url.pathname === '/echo') {
        response.writeHead(200, {
          'content-type': 'application/octet-stream',
          'x-encoding': request.headers['content-encoding'] ?? 'none',
        });
        return void request.pipe(response);
      }
      if (url.pathname === '/gzipped')
        return void response
          .writeHead(200, { 'content-encoding': 'gzip', ...headers })
          .end(zlib.gzipSync(text));
      if (url.pathname === '/bomb')
        return void response
          .writeHead(200, { 'content-encoding': 'gzip' })
          .end(zlib.gzipSync(Buffer.alloc(50_000_000)));
      if (url.pathname === '/fields') return void response.end(JSON.stringify(request.headers));
      if (url.pathname === '/events') {
        response.writeHead(200, { 'content-type': 'text/plain' });
        response.write('first event');
        return;
      }
      const body = url.pathname === '/short' ? 'short' : text;
      response.writeHead(Number(headers['status'] ?? 200), {
        'content-type': 'text/plain',
        'content-length': body.length,
        ...headers,
      });
      response.end(body);
    });
    cleanups.push(
      () => server.closeAllConnections(),
      () => server.close(),
    );
    up = await portOf(server);
  });

  async function proxy(...coding: object[]): Promise<number> {
    const port = await freePort();
    const filter = httpFilter([{ match: { prefix: '/' }, route: { cluster: 'up' } }], {
      http_filters: [...coding, router],
    });
    const started = await startFake({
      listeners: [listener(port, [filter])],
      clusters: [cluster('up', [up])],
    });
    cleanups.push(() => started.stop());
    await started.ready;
    return port;
  }

  interface Got {
    readonly status: number;
    readonly headers: http.IncomingHttpHeaders;
    readonly body: Buffer;
  }

  const ask = (port: number, path: string, options: http.RequestOptions = {}, body?: Buffer): Promise<Got> =>
    new Promise((resolve, reject) => {
      const request = http.request(
        { host: '127.0.0.1', port, path, agent: false, ...options },
        (response) => {
          const chunks: Buffer[] = [];
          response.on('data', (chunk: Buffer) => chunks.push(chunk));
          response.on('error', reject);
          response.on('end', () =>
            resolve({
              status: response.statusCode ?? 0,
              headers: response.headers,
              body: Buffer.concat(chunks),
            }),
          );
        },
      );
      request.on('error', reject);
      request.end(body);
    });

  const accepting = (encoding: string): http.RequestOptions => ({ headers: { 'accept-encoding': encoding } });

  test('what the client takes is sent so', async () => {
    for (const [name, coding] of [
      ['gzip', 'gzip'],
      ['brotli', 'br'],
      ['zstd', 'zstd'],
    ] as const) {
      const port = await proxy(compressor(name));
      const { headers, body } = await ask(port, '/', accepting(coding));
      assert.deepEqual(
        [headers['content-encoding'], headers['content-length'], headers.vary],
        [coding, undefined, 'Accept-Encoding'],
      );
      assert.ok(body.length < text.length / 10);
      assert.equal(inverse[coding](body).toString(), text);
    }
  });

  test('what is not to be compressed is left alone', async () => {
    const port = await proxy(
      compressor('gzip', { response_direction_config: { disable_on_etag_header: true } }),
    );
    const plain: readonly (readonly [string, http.RequestOptions])[] = [
      ['/', {}],
      ['/', accepting('br')],
      ['/', accepting('gzip;q=0')],
      ['/short', accepting('gzip')],
      ['/?content-type=image/png', accepting('gzip')],
      ['/?cache-control=no-transform', accepting('gzip')],
      ['/?etag="x"', accepting('gzip')],
      ['/?content-encoding=br', accepting('gzip')],
      ['/', { ...accepting('gzip'), method: 'HEAD' }],
    ];
    for (const [path, options] of plain) {
      const { headers } = await ask(port, path, options);
      assert.notEqual(headers['content-encoding'], 'gzip', `${path} ${JSON.stringify(options)}`);
      assert.notEqual(headers['content-length'], undefined);
    }
  });

  test('who may be answered otherwise is told that it depends', async () => {
    const port = await proxy(compressor('gzip'));
    assert.equal((await ask(port, '/')).headers.vary, 'Accept-Encoding');
    assert.equal((await ask(port, '/', accepting('br'))).headers.vary, 'Accept-Encoding');
    assert.equal((await ask(port, '/?content-type=image/png')).headers.vary, undefined);
    assert.equal((await ask(port, '/short', accepting('gzip'))).headers.vary, undefined);
  });

  test('tags and other fields', async () => {
    const port = await proxy(
      compressor('gzip', { response_direction_config: { remove_accept_encoding_header: true } }),
    );
    assert.equal((await ask(port, '/?etag="strong"', accepting('gzip'))).headers.etag, undefined);
    assert.equal((await ask(port, '/?etag=W/"weak"', accepting('gzip'))).headers.etag, 'W/"weak"');
    assert.equal(
      (await ask(port, '/?vary=origin', accepting('gzip'))).headers.vary,
      'origin, Accept-Encoding',
    );
    const { body } = await ask(port, '/fields', accepting('gzip'));
    assert.equal(JSON.parse(zlib.gunzipSync(body).toString())['accept-encoding'], undefined);
  });

  test('a response that goes on is readable as it comes', async () => {
    const port = await proxy(compressor('gzip'));
    const client = http2.connect(`http://127.0.0.1:${port}`);
    const stream = client.request({ ':path': '/events', 'accept-encoding': 'gzip' });
    const unzip = stream.pipe(zlib.createGunzip()).on('error', () => undefined);
    const [first] = await new Promise<Buffer[]>((resolve) =>
      unzip.once('data', (chunk: Buffer) => resolve([chunk])),
    );
    assert.equal(first?.toString(), 'first event');
    client.destroy();
  });

  test('requests and responses are decompressed, and the upstream is told that it may', async () => {
    const port = await proxy(decompressor);
    const sent = randomBytes(300_000);
    const echoed = await ask(
      port,
      '/echo',
      { method: 'POST', headers: { 'content-encoding': 'gzip' } },
      zlib.gzipSync(sent),
    );
    assert.deepEqual([echoed.headers['x-encoding'], echoed.body.equals(sent)], ['none', true]);
    const small = await ask(
      port,
      '/echo',
      { method: 'POST', headers: { 'content-encoding': 'gzip' } },
      zlib.gzipSync('small'),
    );
    assert.equal(small.body.toString(), 'small');
    const answer = await ask(port, '/gzipped');
    assert.deepEqual([answer.headers['content-encoding'], answer.body.toString()], [undefined, text]);
    assert.equal(JSON.parse((await ask(port, '/fields')).body.toString())['accept-encoding'], 'gzip');
  });

  test('what cannot be decompressed, or becomes far too much', async () => {
    const port = await proxy(decompressor);
    const broken = await ask(
      port,
      '/echo',
      { method: 'POST', headers: { 'content-encoding': 'gzip' } },
      Buffer.from('not gzip at all'),
    );
    assert.equal(broken.status, 400);
    await assert.rejects(ask(port, '/bomb'));
    const bomb = zlib.gzipSync(Buffer.alloc(50_000_000));
    const outcome = await ask(
      port,
      '/echo',
      { method: 'POST', headers: { 'content-encoding': 'gzip' } },
      bomb,
    ).then(
      ({ body }) => body.length,
      () => 0,
    );
    assert.ok(outcome < 10_000_000);
    assert.equal((await ask(port, '/fields')).status, 200);
  });
});

test('which codings a client takes', () => {
  const cases: readonly (readonly [string | undefined, boolean])[] = [
    [undefined, false],
    ['', false],
    ['gzip', true],
    ['br, GZIP', true],
    ['gzip;q=0.5', true],
    ['gzip;q=0', false],
    ['gzip ; q=0.000', false],
    ['*', true],
    ['*;q=0', false],
    ['gzip;q=0, *', false],
    ['identity', false],
    ['identity, gzip;q=0.5', false],
    ['identity;q=0.5, gzip', true],
    ['identity;q=0.5, *;q=0.5', true],
    ['xgzip', false],
  ];
  for (const [header, expected] of cases) assert.equal(accepts(header, 'gzip'), expected, header);
});
