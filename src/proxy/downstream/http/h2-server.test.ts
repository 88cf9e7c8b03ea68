// An HTTP/2 connection of a client, over a pair of streams: what its requests become, and what it gets back.
import assert from 'node:assert/strict';
import http2, { type ClientHttp2Session, type ClientHttp2Stream, type OutgoingHttpHeaders } from 'node:http2';
import { type Duplex, duplexPair } from 'node:stream';
import { afterEach, describe, test } from 'node:test';
import { data, headers, preface, reset } from '../../codec/h2/fake-frames.ts';
import { takenWhenQuiet } from '../../codec/h2/fake-log.ts';
import { Headers } from '../../codec/http/headers.ts';
import type { RequestReceiver, Responder } from '../../codec/http/message-contract.ts';
import type { Request } from '../../codec/http/request.ts';
import { FakeClock } from '../../net/fake-clock.ts';
import { compileH2Options, type H2Options } from '../../plan/http/h2-options.ts';
import type { RequestHandler } from './h1-server.ts';
import { H2Server } from './h2-server.ts';

const benches: Bench[] = [];
afterEach(() => {
  for (const { client, server } of benches.splice(0)) {
    client.destroy();
    server.destroy();
  }
});

/** A client and a server that write down what each is told; the responses are given by hand. */
class Bench {
  readonly log: string[] = [];
  readonly clock = new FakeClock();
  readonly turns: Responder[] = [];
  readonly requests: Request[] = [];
  readonly server: H2Server;
  readonly client: ClientHttp2Session;
  readonly near: Duplex;

  constructor(
    handler: Partial<RequestHandler> = {},
    options: Partial<H2Options> = {},
    client: 'node' | 'by hand' = 'node',
  ) {
    const [near, far] = duplexPair();
    this.near = near;
    const socket = Object.assign(far, { bytesRead: 0, bytesWritten: 0 });
    this.server = new H2Server(socket, this.#handler(handler), {
      ...compileH2Options(undefined),
      ...options,
    });
    this.client = http2.connect('http://a', {
      createConnection: () => (client === 'node' ? near : duplexPair()[0]),
    });
    this.client.on('error', (error: Error) => this.log.push(`client fails: ${error.message}`));
    this.client.on('goaway', (code) => this.log.push(`client is told to go: ${code}`));
    this.client.on('close', () => this.log.push('client is closed'));
    benches.push(this);
  }

  ask(name: string, fields: OutgoingHttpHeaders = {}, endStream = true): ClientHttp2Stream {
    const stream = this.client.request({ ':path': `/${name}`, ...fields }, { endStream });
    const note = (text: string): void => void this.log.push(`${name} ${text}`);
    stream.on('headers', (head) => note(`interim ${head[':status']}`));
    stream.on('response', (head) => note(`head ${head[':status']}`));
    stream.on('data', (chunk: Buffer) => note(`body ${brief(chunk)}`));
    stream.on('trailers', (trailers) => note(`trailers ${JSON.stringify(trailers)}`));
    stream.on('end', () => note('end'));
    stream.on('error', () => undefined);
    stream.on('close', () => note(`closed ${stream.rstCode}`));
    return stream;
  }

  turn(index: number): Responder {
    const turn = this.turns[index];
    assert.ok(turn, `there was no request ${index}`);
    return turn;
  }

  /** Until nothing happens any more; returns what happened. */
  seen(): Promise<readonly string[]> {
    return takenWhenQuiet(this.log);
  }

  #handler(more: Partial<RequestHandler>): RequestHandler {
    return {
      accept: (request, turn, end) => this.#accept(request, turn, end),
      localFields: () => new Headers(),
      protocolProblem: (status) => void this.log.push(`problem ${status}`),
      closed: () => void this.log.push('closed'),
      upgradable: () => true,
      clock: this.clock,
      acceptHttp10: false,
      trailers: true,
      refusesHttps: false,
      idleTimeout: 0,
      headLimit: undefined,
      maxHeaders: 100,
      maxHeadBytes: 60 * 1024,
      ...more,
    };
  }

  #accept(request: Request, turn: Responder, end: boolean): RequestReceiver {
    const name = `#${this.turns.push(turn) - 1}`;
    this.requests.push(request);
    const { method, path, upgrade } = request;
    this.log.push(`${name} ${[method, path, upgrade].filter(Boolean).join(' ')}${end ? '.' : ''}`);
    return {
      body: (chunk, last) => void this.log.push(`${name} body ${brief(chunk)}${last ? '.' : ''}`),
      trailers: (trailers) => void this.log.push(`${name} trailers ${trailers.get('x-t')}`),
      flush: () => undefined,
      writable: () => void this.log.push(`${name} writable`),
      aborted: () => void this.log.push(`${name} aborted`),
    };
  }
}

function brief(chunk: Buffer): string {
  return chunk.length > 50 ? `(${chunk.length})` : chunk.toString();
}

const fields = (...pairs: readonly string[]): Headers => new Headers([...pairs]);
const bytes = (text: string): Buffer => Buffer.from(text);

describe('a request and its response', () => {
  test('without bodies', async () => {
    const bench = new Bench();
    bench.ask('a');
    assert.deepEqual(await bench.seen(), ['#0 GET /a.']);
    bench.turn(0).head(204, fields(), true);
    assert.deepEqual(await bench.seen(), ['a head 204', 'a end', 'a closed 0']);
  });

  test('with bodies and trailers, in pieces', async () => {
    const bench = new Bench();
    const stream = bench.ask('a', { ':method': 'POST' }, false);
    stream.write('one');
    assert.deepEqual(await bench.seen(), ['#0 POST /a', '#0 body one']);
    bench.turn(0).head(200, fields(), false);
    bench.turn(0).body(bytes('two'), false);
    assert.deepEqual(await bench.seen(), ['a head 200', 'a body two']);
    stream.end('three');
    assert.deepEqual(await bench.seen(), ['#0 body three', '#0 body .']);
    bench.turn(0).trailers(fields('x-t', '1'));
    assert.deepEqual(await bench.seen(), ['a trailers {"x-t":"1"}', 'a end', 'a closed 0']);
  });

  test('with trailers of the request', async () => {
    const bench = new Bench();
    const stream = bench.client.request({ ':method': 'POST', ':path': '/a' }, { waitForTrailers: true });
    stream.on('wantTrailers', () => stream.sendTrailers({ 'x-t': '2' }));
    stream.end('b');
    assert.deepEqual(await bench.seen(), ['#0 POST /a', '#0 body b', '#0 trailers 2']);
  });

  test('with its body whole', async () => {
    const bench = new Bench();
    bench.ask('a');
    await bench.seen();
    const head = fields();
    bench.turn(0).head(200, head, true, 'text');
    assert.deepEqual(await bench.seen(), ['a head 200', 'a body text', 'a end', 'a closed 0']);
    assert.equal(head.get('content-length'), '4');
  });

  test('to HEAD has no body', async () => {
    const bench = new Bench();
    bench.ask('a', { ':method': 'HEAD' });
    await bench.seen();
    bench.turn(0).head(200, fields(), true, 'text');
    assert.deepEqual(await bench.seen(), ['a head 200', 'a end', 'a closed 0']);
  });

  test('that says something before', async () => {
    const bench = new Bench();
    bench.ask('a');
    await bench.seen();
    bench.turn(0).interim(103, fields('link', '/b'));
    bench.turn(0).head(200, fields(), true);
    bench.turn(0).interim(103, fields());
    assert.deepEqual(await bench.seen(), ['a interim 103', 'a head 200', 'a end', 'a closed 0']);
  });

  test('that overtakes its request: the client is told to stop', async () => {
    const bench = new Bench();
    bench.ask('a', { ':method': 'POST' }, false);
    await bench.seen();
    bench.turn(0).head(403, fields(), true);
    assert.deepEqual(await bench.seen(), ['a head 403', 'a end', 'a closed 0']);
  });

  test('with a field that HTTP/2 cannot carry fails alone', async () => {
    const bench = new Bench();
    bench.ask('a');
    bench.ask('b');
    await bench.seen();
    bench.turn(0).head(200, fields('a b', '1'), true);
    assert.deepEqual(await bench.seen(), ['a closed 2']);
    bench.turn(1).head(200, fields(), true);
    assert.deepEqual(await bench.seen(), ['b head 200', 'b end', 'b closed 0']);
  });

  test('many at once, answered in another order', async () => {
    const bench = new Bench();
    bench.ask('a');
    bench.ask('b');
    assert.deepEqual(await bench.seen(), ['#0 GET /a.', '#1 GET /b.']);
    bench.turn(1).head(200, fields(), true);
    bench.turn(0).head(201, fields(), true);
    const seen = await bench.seen();
    assert.deepEqual(
      seen.filter((line) => line.includes('head')),
      ['b head 200', 'a head 201'],
    );
  });

  test('more than a burst are served in turn', async () => {
    const bench = new Bench();
    for (let i = 0; i < 40; i++) bench.ask(`${i}`);
    await bench.seen();
    assert.deepEqual(
      bench.requests.map(({ path }) => path),
      Array.from({ length: 40 }, (_, i) => `/${i}`),
    );
  });
});

describe('resets', () => {
  test('of the client, before the response', async () => {
    const bench = new Bench();
    const stream = bench.ask('a', { ':method': 'POST' }, false);
    await bench.seen();
    stream.close(http2.constants.NGHTTP2_CANCEL);
    assert.ok((await bench.seen()).includes('#0 aborted'));
    // What comes too late goes nowhere.
    bench.turn(0).head(200, fields(), false);
    assert.equal(bench.turn(0).body(bytes('x'), true), true);
    bench.turn(0).trailers(fields());
    bench.turn(0).reset();
    assert.deepEqual(await bench.seen(), []);
  });

  test('of the client, within the response', async () => {
    const bench = new Bench();
    const stream = bench.ask('a');
    await bench.seen();
    bench.turn(0).head(200, fields(), false);
    await bench.seen();
    stream.close(http2.constants.NGHTTP2_CANCEL);
    assert.ok((await bench.seen()).includes('#0 aborted'));
  });

  test('of the proxy, and the others go on', async () => {
    const bench = new Bench();
    bench.ask('a');
    bench.ask('b');
    await bench.seen();
    bench.turn(0).head(200, fields(), false);
    bench.turn(0).reset();
    assert.deepEqual((await bench.seen()).at(-1), 'a closed 2');
    bench.turn(1).head(200, fields(), true);
    assert.deepEqual(await bench.seen(), ['b head 200', 'b end', 'b closed 0']);
  });

  test('of the connection abort every request', async () => {
    const bench = new Bench();
    bench.ask('a');
    bench.ask('b');
    await bench.seen();
    bench.client.destroy();
    const seen = await bench.seen();
    assert.deepEqual(
      seen.filter((line) => line.startsWith('#') || line === 'closed'),
      ['#0 aborted', '#1 aborted', 'closed'],
    );
  });

  test('too many of them end the connection', async () => {
    const bench = new Bench();
    for (let i = 0; i < 210; i++) {
      const stream = bench.client.request({ ':path': '/' });
      stream.on('error', () => undefined);
      await new Promise((resolve) => setImmediate(resolve));
      stream.close(http2.constants.NGHTTP2_CANCEL);
      if (i % 10 === 0) await bench.seen();
    }
    const seen = await bench.seen();
    assert.ok(seen.includes('closed'), seen.join());
  });
});

describe('frames by hand', () => {
  // By HPACK's static table: POST / of http at `a`.
  const at = [0x83, 0x86, 0x84, 0x01, 1, 'a'] as const;
  const post = headers(at);

  const cases: readonly [string, readonly Buffer[], readonly string[]][] = [
    ['a whole request', [post, data('ab', true)], ['#0 POST /', '#0 body ab', '#0 body .']],
    [
      'a reset is no end of the body',
      [post, data('ab'), reset(8)],
      ['#0 POST /', '#0 body ab', '#0 aborted'],
    ],
    [
      'a reset in the same breath',
      [Buffer.concat([post, data('ab'), reset(8)])],
      ['#0 POST /', '#0 body ab', '#0 aborted'],
    ],
    ['one more field', [headers([...at, 0x00, 1, 'x', 1, 'y'], true)], ['#0 POST /.']],
    ['a path that is none', [headers([0x83, 0x86, 0x04, 1, 'x', 0x01, 1, 'a'], true)], []],
    ['a coding', [headers([...at, 0x00, 17, 'transfer-encoding', 7, 'chunked'], true)], []],
    ['an upper-case name', [headers([...at, 0x00, 1, 'X', 1, 'y'], true)], []],
    ['a reset at once', [post, reset(8)], ['#0 POST /', '#0 aborted']],
  ];
  for (const [name, frames, expected] of cases)
    test(name, async () => {
      const bench = new Bench({}, {}, 'by hand');
      bench.near.write(preface);
      for (const one of frames) {
        bench.near.write(one);
        await new Promise((resolve) => setImmediate(resolve));
      }
      assert.deepEqual(await bench.seen(), expected);
    });
});

describe('flow control', () => {
  test('a request that is not to be read waits with its client', async () => {
    const bench = new Bench({}, { initialStreamWindow: 65_535 });
    const stream = bench.ask('a', { ':method': 'POST' }, false);
    await bench.seen();
    bench.turn(0).readRequest(false);
    stream.write('x'.repeat(200_000));
    assert.deepEqual(await bench.seen(), []);
    bench.turn(0).readRequest(true);
    const sizes = (await bench.seen()).map((line) => Number(/\((\d+)\)/.exec(line)?.[1]));
    assert.equal(
      sizes.reduce((sum, size) => sum + size, 0),
      200_000,
    );
  });

  test('a client that reads slowly is waited for', async () => {
    const bench = new Bench();
    const stream = bench.ask('a');
    await bench.seen();
    stream.pause();
    bench.turn(0).head(200, fields(), false);
    let more = true;
    for (let i = 0; more && i < 100; i++) more = bench.turn(0).body(Buffer.alloc(16_384), false);
    assert.equal(more, false);
    stream.resume();
    assert.ok((await bench.seen()).includes('#0 writable'));
  });
});

describe('CONNECT', () => {
  test('its bytes wait until it is agreed to', async () => {
    const bench = new Bench();
    const stream = bench.client.request({ ':method': 'CONNECT', ':authority': 'h:1' });
    stream.on('response', (head) => bench.log.push(`head ${head[':status']}`));
    stream.on('data', (chunk: Buffer) => bench.log.push(`body ${chunk}`));
    stream.write('early');
    assert.deepEqual(await bench.seen(), ['#0 CONNECT']);
    bench.turn(0).head(200, fields(), false);
    bench.turn(0).body(bytes('hello'), false);
    assert.deepEqual((await bench.seen()).toSorted(), ['#0 body early', 'body hello', 'head 200']);
  });

  test('with a protocol is an upgrade, and 101 is 200', async () => {
    const bench = new Bench({}, { allowConnect: true });
    await new Promise((resolve) => bench.client.once('remoteSettings', resolve));
    bench.ask('a', { ':method': 'CONNECT', ':protocol': 'websocket', ':scheme': 'http' }, false);
    assert.deepEqual(await bench.seen(), ['#0 GET /a websocket']);
    assert.equal(bench.requests[0]?.headers.get('upgrade'), 'websocket');
    bench.turn(0).head(101, fields(), false);
    assert.deepEqual(await bench.seen(), ['a head 200']);
  });
});

describe('the connection', () => {
  test('ends when it has been idle for its time', async () => {
    const bench = new Bench({ idleTimeout: 5000 });
    bench.ask('a');
    await bench.seen();
    bench.clock.advance(60_000);
    assert.deepEqual(await bench.seen(), []);
    bench.turn(0).head(200, fields(), true);
    await bench.seen();
    bench.clock.advance(4999);
    assert.deepEqual(await bench.seen(), []);
    bench.clock.advance(1);
    assert.deepEqual((await bench.seen()).toSorted(), [
      'client is closed',
      'client is told to go: 0',
      'closed',
    ]);
  });

  test('lets what is under way end when it drains, and takes no more', async () => {
    const bench = new Bench();
    bench.ask('a');
    await bench.seen();
    bench.server.drain();
    assert.deepEqual(await bench.seen(), ['client is told to go: 0']);
    bench.turn(0).head(200, fields(), true);
    assert.deepEqual((await bench.seen()).slice(0, 2), ['a head 200', 'a end']);
    assert.equal(bench.client.closed, true);
  });

  test('ends after a response that says so', async () => {
    const bench = new Bench();
    bench.ask('a');
    await bench.seen();
    bench.turn(0).closeAfter();
    bench.turn(0).head(200, fields(), true);
    assert.ok((await bench.seen()).includes('closed'));
  });

  test('says how many streams it takes', async () => {
    const bench = new Bench({}, { maxConcurrentStreams: 1 });
    await new Promise((resolve) => bench.client.once('remoteSettings', resolve));
    assert.equal(bench.client.remoteSettings.maxConcurrentStreams, 1);
  });

  test('is lost when a PING is not answered', async () => {
    const keepAlive = { interval: 1000, timeout: 500, jitterPercent: 0, idleInterval: 0 };
    const bench = new Bench({}, { keepAlive });
    bench.client.on('ping', () => bench.log.push('ping'));
    await bench.seen();
    bench.clock.advance(1000);
    assert.deepEqual(await bench.seen(), ['ping']);
    // Answered: the next one comes in its time.
    bench.clock.advance(999);
    assert.deepEqual(await bench.seen(), []);
    bench.clock.advance(1);
    bench.clock.advance(500);
    assert.ok((await bench.seen()).includes('closed'));
  });
});
