// HTTP/2 to a host, over a pair of streams: what the host gets, what a request is told, and when the
// connection may be used again.
import assert from 'node:assert/strict';
import http2, { type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2';
import { type Duplex, duplexPair } from 'node:stream';
import { afterEach, describe, test } from 'node:test';
import { data, goaway, headers, reset, settings } from '../../codec/h2/fake-frames.ts';
import { takenWhenQuiet } from '../../codec/h2/fake-log.ts';
import { Headers } from '../../codec/http/headers.ts';
import type { UpstreamReceiver, UpstreamStream } from '../../codec/http/message-contract.ts';
import { Request } from '../../codec/http/request.ts';
import { FakeClock } from '../../net/fake-clock.ts';
import { compileH2Options, type H2Options } from '../../plan/http/h2-options.ts';
import { H2Client, type H2ClientOptions } from './h2-client.ts';

const benches: Bench[] = [];
afterEach(() => {
  for (const { client, host } of benches.splice(0)) {
    client.destroy();
    host.destroy();
  }
});

class Bench {
  readonly log: string[] = [];
  readonly clock = new FakeClock();
  readonly client: H2Client;
  readonly host: ServerHttp2Session;
  readonly far: Duplex;
  readonly streams: ServerHttp2Stream[] = [];

  constructor(
    options: Partial<H2ClientOptions> = {},
    h2: Partial<H2Options> = {},
    host: http2.Settings | 'by hand' = {},
  ) {
    const [near, far] = duplexPair();
    this.far = far;
    if (host === 'by hand') far.resume();
    this.host = host === 'by hand' ? nobody() : http2.performServerHandshake(far, { settings: host });
    this.host.on('error', () => undefined);
    this.host.on('stream', (stream, head) => this.#arrived(stream, String(head[':method'])));
    const owner = {
      released: () => void this.log.push('released'),
      gone: () => void this.log.push('gone'),
    };
    this.client = new H2Client(near, owner, {
      h2: { ...compileH2Options(undefined), ...h2 },
      maxRequests: 0,
      secure: false,
      clock: this.clock,
      localAddress: undefined,
      ...options,
    });
    benches.push(this);
  }

  ask(name: string, { method = 'GET', end = true, full }: Ask = {}): UpstreamStream {
    const head = new Request({
      method,
      path: `/${name}`,
      authority: 'h',
      scheme: 'http',
      upgrade: undefined,
      protocol: 'h2',
      headers: new Headers(),
    });
    return this.client.request(head, end, full, this.#receiver(name));
  }

  stream(index: number): ServerHttp2Stream {
    const stream = this.streams[index];
    assert.ok(stream, `there was no request ${index}`);
    return stream;
  }

  seen(): Promise<readonly string[]> {
    return takenWhenQuiet(this.log);
  }

  #arrived(stream: ServerHttp2Stream, method: string): void {
    const name = `#${this.streams.push(stream) - 1}`;
    const note = (text: string): void => void this.log.push(`${name} ${text}`);
    note(method);
    stream.on('data', (chunk: Buffer) => note(`body ${brief(chunk)}`));
    stream.on('end', () => note('end'));
    stream.on('trailers', (trailers) => note(`trailers ${JSON.stringify(trailers)}`));
    stream.on('error', () => undefined);
    stream.on('aborted', () => note(`aborted ${stream.rstCode}`));
  }

  #receiver(name: string): UpstreamReceiver {
    const note = (text: string): void => void this.log.push(`${name} ${text}`);
    return {
      interim: (status) => note(`interim ${status}`),
      head: (status, _headers, end) => note(`head ${status}${end ? '.' : ''}`),
      body: (chunk, end) => note(`body ${brief(chunk)}${end ? '.' : ''}`),
      trailers: (trailers) => note(`trailers ${trailers.get('x-t')}`),
      flush: () => undefined,
      writable: () => note('writable'),
      failed: (reason, detail) => note(`failed ${reason} ${detail}`.trim()),
    };
  }
}

function nobody(): ServerHttp2Session {
  return http2.performServerHandshake(duplexPair()[0]);
}

interface Ask {
  readonly method?: string;
  readonly end?: boolean;
  readonly full?: string;
}

function brief(chunk: Buffer): string {
  return chunk.length > 50 ? `(${chunk.length})` : chunk.toString();
}

const { NGHTTP2_CANCEL, NGHTTP2_INTERNAL_ERROR, NGHTTP2_REFUSED_STREAM } = http2.constants;

describe('a request and its response', () => {
  test('without bodies', async () => {
    const bench = new Bench();
    bench.ask('a');
    assert.deepEqual(await bench.seen(), ['#0 GET', '#0 end']);
    bench.stream(0).respond({ ':status': 204 }, { endStream: true });
    assert.deepEqual(await bench.seen(), ['a head 204.', 'released']);
  });

  test('with bodies in pieces', async () => {
    const bench = new Bench();
    const sent = bench.ask('a', { method: 'POST', end: false });
    sent.body(Buffer.from('one'), false);
    assert.deepEqual(await bench.seen(), ['#0 POST', '#0 body one']);
    sent.body(Buffer.from('two'), true);
    assert.deepEqual(await bench.seen(), ['#0 body two', '#0 end']);
    bench.stream(0).respond({ ':status': 200 });
    bench.stream(0).write('three');
    assert.deepEqual(await bench.seen(), ['a head 200', 'a body three']);
    bench.stream(0).end();
    assert.deepEqual(await bench.seen(), ['a body .', 'released']);
  });

  test('with its whole body', async () => {
    const bench = new Bench();
    bench.ask('a', { method: 'POST', full: 'whole' });
    assert.deepEqual(await bench.seen(), ['#0 POST', '#0 body whole', '#0 end']);
  });

  test('with trailers both ways', async () => {
    const bench = new Bench();
    const sent = bench.ask('a', { method: 'POST', end: false });
    sent.body(Buffer.from('b'), false);
    sent.trailers(new Headers(['x-t', '1']));
    assert.deepEqual(await bench.seen(), ['#0 POST', '#0 body b', '#0 trailers {"x-t":"1"}', '#0 end']);
    const stream = bench.stream(0);
    stream.respond({ ':status': 200 }, { waitForTrailers: true });
    stream.on('wantTrailers', () => stream.sendTrailers({ 'x-t': '2' }));
    stream.end('c');
    assert.deepEqual(await bench.seen(), ['a head 200', 'a body c', 'a trailers 2', 'released']);
  });

  test('after something else', async () => {
    const bench = new Bench();
    bench.ask('a');
    await bench.seen();
    bench.stream(0).additionalHeaders({ ':status': 103, link: '/b' });
    bench.stream(0).respond({ ':status': 200 }, { endStream: true });
    assert.deepEqual(await bench.seen(), ['a interim 103', 'a head 200.', 'released']);
  });

  test('to HEAD is over with its head', async () => {
    const bench = new Bench();
    bench.ask('a', { method: 'HEAD' });
    await bench.seen();
    bench.stream(0).respond({ ':status': 200, 'content-length': 9 }, { endStream: true });
    assert.deepEqual(await bench.seen(), ['a head 200.', 'released']);
  });
});

describe('it breaks off', () => {
  const codes: readonly [string, number, string][] = [
    ['refused', NGHTTP2_REFUSED_STREAM, 'a failed refused-stream'],
    ['with an error', NGHTTP2_INTERNAL_ERROR, 'a failed remote-reset'],
    ['cancelled', NGHTTP2_CANCEL, 'a failed termination'],
  ];
  for (const [name, code, expected] of codes)
    test(`the stream: ${name}`, async () => {
      const bench = new Bench();
      bench.ask('a', { method: 'POST', end: false });
      bench.ask('b');
      await bench.seen();
      bench.stream(0).close(code);
      const seen = await bench.seen();
      assert.deepEqual(
        seen.filter((line) => line.startsWith('a ')),
        [expected],
      );
      assert.ok(bench.client.available);
    });

  for (const [name, breakOff] of [
    ['ends', (bench: Bench) => bench.far.end()],
    ['is closed', (bench: Bench) => bench.host.destroy()],
  ] as const)
    test(`the connection ${name}`, async () => {
      const bench = new Bench();
      bench.ask('a');
      bench.ask('b');
      await bench.seen();
      breakOff(bench);
      const seen = (await bench.seen()).filter((line) => line !== 'released' && !line.startsWith('#'));
      assert.deepEqual(seen.toSorted(), ['a failed termination', 'b failed termination', 'gone']);
      assert.equal(bench.client.available, false);
    });

  test('a request on what has gone fails at once', async () => {
    const bench = new Bench();
    bench.client.destroy();
    await bench.seen();
    const sent = bench.ask('a');
    sent.body(Buffer.from('x'), true);
    assert.match((await bench.seen()).join(), /^a failed [^,]*$/);
  });

  test('the caller gives it up, and hears no more of it', async () => {
    const bench = new Bench();
    const sent = bench.ask('a');
    await bench.seen();
    sent.reset();
    const seen = await bench.seen();
    assert.deepEqual(
      seen.filter((line) => line.startsWith('a ')),
      [],
    );
    assert.deepEqual([bench.stream(0).rstCode, bench.client.activeStreams], [NGHTTP2_CANCEL, 0]);
  });

  test('a PING is not answered', async () => {
    const keepAlive = { interval: 1000, timeout: 500, jitterPercent: 0, idleInterval: 0 };
    const bench = new Bench({}, { keepAlive });
    bench.ask('a');
    await bench.seen();
    bench.clock.advance(1000);
    bench.clock.advance(499);
    assert.deepEqual(
      (await bench.seen()).filter((line) => !line.startsWith('#')),
      [],
    );
    bench.clock.advance(1000);
    bench.clock.advance(500);
    assert.deepEqual((await bench.seen()).filter((line) => !line.startsWith('#')).toSorted(), [
      'a failed termination',
      'gone',
    ]);
  });
});

describe('frames by hand', () => {
  // By HPACK's static table: 200.
  const ok = headers([0x88]);
  const broken = ['a failed remote-reset', 'released'];
  const cases: readonly [string, readonly Buffer[], readonly string[]][] = [
    ['a whole response', [ok, data('ab', true)], ['a head 200', 'a body ab', 'a body .', 'released']],
    [
      'a reset is no end of the body',
      [ok, data('ab'), reset(2)],
      ['a head 200', 'a body ab', 'a failed remote-reset', 'released'],
    ],
    ['a status that is none', [headers([0x08, 3, 'abc'], true)], broken],
    ['a coding', [headers([0x88, 0x00, 17, 'transfer-encoding', 7, 'chunked'], true)], broken],
    ['a connection that goes, and did not see the request', [goaway(0)], ['a failed refused-stream']],
    ['a connection that goes, after the response', [goaway(1), headers([0x88], true)], ['a head 200.']],
  ];
  for (const [name, frames, expected] of cases)
    test(name, async () => {
      const bench = new Bench({}, {}, 'by hand');
      bench.ask('a');
      bench.far.write(settings);
      for (const one of frames) {
        bench.far.write(one);
        await new Promise((resolve) => setImmediate(resolve));
      }
      assert.deepEqual(await bench.seen(), expected);
    });
});

describe('flow control', () => {
  test('a host that reads slowly is waited for', async () => {
    const bench = new Bench();
    const sent = bench.ask('a', { method: 'POST', end: false });
    await bench.seen();
    bench.stream(0).pause();
    let more = true;
    for (let i = 0; more && i < 100; i++) more = sent.body(Buffer.alloc(16_384), false);
    assert.equal(more, false);
    bench.stream(0).resume();
    assert.ok((await bench.seen()).includes('a writable'));
  });

  test('a response that is not to be read waits with its host', async () => {
    const bench = new Bench({}, { initialStreamWindow: 65_535 });
    const sent = bench.ask('a');
    await bench.seen();
    sent.readResponse(false);
    bench.stream(0).respond({ ':status': 200 });
    bench.stream(0).end('x'.repeat(200_000));
    assert.deepEqual(await bench.seen(), ['a head 200']);
    sent.readResponse(true);
    const sizes = (await bench.seen()).map((line) => Number(/\((\d+)\)/.exec(line)?.[1] ?? 0));
    assert.equal(
      sizes.reduce((sum, size) => sum + size, 0),
      200_000,
    );
  });
});

describe('further requests', () => {
  test('as many at a time as it is configured for', async () => {
    const bench = new Bench({}, { maxConcurrentStreams: 2 });
    const free = (): readonly unknown[] => [bench.client.activeStreams, bench.client.available];
    assert.deepEqual(free(), [0, true]);
    bench.ask('a');
    assert.deepEqual(free(), [1, true]);
    bench.ask('b');
    assert.deepEqual(free(), [2, false]);
    await bench.seen();
    bench.stream(0).respond({ ':status': 200 }, { endStream: true });
    await bench.seen();
    assert.deepEqual(free(), [1, true]);
  });

  test('as many at a time as the host takes', async () => {
    const bench = new Bench({}, {}, { maxConcurrentStreams: 1 });
    await bench.seen();
    bench.ask('a');
    assert.equal(bench.client.available, false);
  });

  test('no more in all than it may carry, then it ends', async () => {
    const bench = new Bench({ maxRequests: 2 });
    bench.ask('a');
    assert.equal(bench.client.available, true);
    bench.ask('b');
    assert.equal(bench.client.available, false);
    await bench.seen();
    for (const stream of bench.streams) stream.respond({ ':status': 200 }, { endStream: true });
    assert.deepEqual((await bench.seen()).at(-1), 'gone');
  });

  test('none after the host said that it goes, and what is under way ends', async () => {
    const bench = new Bench();
    bench.ask('a');
    await bench.seen();
    bench.host.goaway();
    await bench.seen();
    assert.equal(bench.client.available, false);
    bench.stream(0).respond({ ':status': 200 }, { endStream: true });
    assert.deepEqual(await bench.seen(), ['a head 200.', 'gone']);
  });

  test('none while it drains, and what is under way ends', async () => {
    const bench = new Bench();
    bench.ask('a');
    await bench.seen();
    bench.client.drain();
    assert.equal(bench.client.available, false);
    bench.stream(0).respond({ ':status': 200 }, { endStream: true });
    assert.deepEqual(await bench.seen(), ['a head 200.', 'gone']);
  });

  test('an idle one that drains is gone', async () => {
    const bench = new Bench();
    await bench.seen();
    bench.client.drain();
    assert.deepEqual(await bench.seen(), ['gone']);
  });
});
