import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { requestFraming, responseFraming } from '../http/framing.ts';
import { H1Reader, type MessageEvents, usualLimits } from './h1-reader.ts';

interface Seen {
  readonly messages: {
    first: string;
    second: string;
    headers: string[];
    body: string;
    trailers: string[];
    ended: boolean;
  }[];
  problem: string | undefined;
}

/**
 * Feeds the text in pieces of the given sizes (cycled) and says what was read; goes on after every message.
 */
function read(text: string, sizes: readonly number[], request: boolean): Seen {
  const seen: Seen = { messages: [], problem: undefined };
  const last = (): Seen['messages'][number] => {
    const message = seen.messages.at(-1);
    assert.ok(message);
    return message;
  };
  const events: MessageEvents = {
    framing: (head) =>
      request ? requestFraming(head.headers) : responseFraming(head.headers, Number(head.first), 'GET'),
    onHead: (head, end, full) => {
      seen.messages.push({
        first: head.first,
        second: head.second,
        headers: head.headers.list,
        body: full ?? '',
        trailers: [],
        ended: end,
      });
    },
    onBody: (chunk, end) => {
      last().body += chunk.toString('latin1');
      if (end) last().ended = true;
    },
    onTrailers: (trailers) => {
      last().trailers = trailers.list;
      last().ended = true;
    },
    onProblem: (problem) => {
      seen.problem = problem;
    },
  };
  const reader = new H1Reader(events, { request, ...usualLimits });
  const bytes = Buffer.from(text, 'latin1');
  for (let at = 0, i = 0; at < bytes.length; i++) {
    const size = Math.max(1, sizes[i % sizes.length] ?? bytes.length);
    // A reused buffer, as the sockets do it: nothing may be kept without a copy.
    const piece = Buffer.from(bytes.subarray(at, at + size));
    reader.feed(piece, 0, piece.length);
    while (reader.done) reader.next();
    piece.fill(0x21);
    at += size;
  }
  return seen;
}

const whole = [1 << 20];

describe('HTTP/1 messages', () => {
  const stream = [
    'GET /a?b=c HTTP/1.1\r\nHost: x\r\nX-Empty:\r\nx-spaced: \t v w \t\r\n\r\n',
    'POST /b HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\n\r\nhello',
    'PUT /c HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n3;ext="1"\r\nabc\r\n0A\r\n0123456789\r\n0\r\nx-t: 1\r\n\r\n',
    '\r\nDELETE /d HTTP/1.1\r\nhost: x\r\ntransfer-encoding: Chunked\r\n\r\n0\r\n\r\n',
  ].join('');

  test('pipelined requests', () => {
    const seen = read(stream, whole, true);
    assert.equal(seen.problem, undefined);
    assert.deepEqual(seen.messages, [
      {
        first: 'GET',
        second: '/a?b=c',
        headers: ['host', 'x', 'x-empty', '', 'x-spaced', 'v w'],
        body: '',
        trailers: [],
        ended: true,
      },
      {
        first: 'POST',
        second: '/b',
        headers: ['host', 'x', 'content-length', '5'],
        body: 'hello',
        trailers: [],
        ended: true,
      },
      {
        first: 'PUT',
        second: '/c',
        headers: ['host', 'x', 'transfer-encoding', 'chunked'],
        body: 'abc0123456789',
        trailers: ['x-t', '1'],
        ended: true,
      },
      {
        first: 'DELETE',
        second: '/d',
        headers: ['host', 'x', 'transfer-encoding', 'Chunked'],
        body: '',
        trailers: [],
        ended: true,
      },
    ]);
  });

  test('any division into pieces gives the same messages', () => {
    const expected = read(stream, whole, true);
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 12 }), (sizes) => {
        assert.deepEqual(read(stream, sizes, true), expected);
      }),
      { numRuns: 200 },
    );
  });

  test('arbitrary bytes never throw and never give two readings', () => {
    const noise = fc.array(
      fc.constantFrom(
        'G',
        ' ',
        '/',
        'HTTP/1.1',
        '\r\n',
        '\n',
        '\r',
        ':',
        'a',
        'content-length',
        '1',
        '\0',
        'transfer-encoding',
        'chunked',
        '\r\n\r\n',
        'GET / HTTP/1.1\r\n',
      ),
      { maxLength: 40 },
    );
    fc.assert(
      fc.property(noise, fc.integer({ min: 1, max: 7 }), (parts, size) => {
        const text = parts.join('');
        const a = read(text, whole, true);
        const b = read(text, [size], true);
        assert.deepEqual(b.messages, a.messages);
        assert.equal(b.problem === undefined, a.problem === undefined);
      }),
      { numRuns: 500 },
    );
  });
});

describe('requests that two parsers could read differently are refused', () => {
  const head = (lines: string): string => `POST / HTTP/1.1\r\nhost: x\r\n${lines}\r\n\r\n`;
  const cases: Readonly<Record<string, readonly [text: string, problem: string]>> = {
    'length and chunked': [head('content-length: 3\r\ntransfer-encoding: chunked'), 'bad-framing'],
    'two lengths': [head('content-length: 3\r\ncontent-length: 4'), 'bad-framing'],
    'two equal lengths': [head('content-length: 3\r\ncontent-length: 3'), 'bad-framing'],
    'length list': [head('content-length: 3, 3'), 'bad-framing'],
    'signed length': [head('content-length: +3'), 'bad-framing'],
    'hexadecimal length': [head('content-length: 0x3'), 'bad-framing'],
    'huge length': [head('content-length: 99999999999999999999'), 'bad-framing'],
    'empty length': [head('content-length:'), 'bad-framing'],
    'unknown coding': [head('transfer-encoding: gzip'), 'unknown-coding'],
    'coding list': [head('transfer-encoding: gzip, chunked'), 'unknown-coding'],
    'coding with a control character': [head('transfer-encoding: \x0bchunked'), 'malformed'],
    'coding twice': [head('transfer-encoding: chunked\r\ntransfer-encoding: identity'), 'unknown-coding'],
    'folded field': [head('x: a\r\n b'), 'malformed'],
    'space before the colon': [head('content-length : 3'), 'malformed'],
    'bare LF': ['GET / HTTP/1.1\nhost: x\n\n', 'malformed'],
    'bare CR in a value': [head('x: a\rb'), 'malformed'],
    'NUL in a value': [head('x: a\0b'), 'malformed'],
    'NUL in a name': [head('x\0y: a'), 'malformed'],
    'no colon': [head('nonsense'), 'malformed'],
    'empty name': [head(': a'), 'malformed'],
    'space in the target': ['GET /a b HTTP/1.1\r\nhost: x\r\n\r\n', 'malformed'],
    'two spaces': ['GET  / HTTP/1.1\r\nhost: x\r\n\r\n', 'malformed'],
    'no version': ['GET /\r\nhost: x\r\n\r\n', 'other-version'],
    'version 2': ['GET / HTTP/2.0\r\nhost: x\r\n\r\n', 'other-version'],
    'odd version': ['GET / HTTP/1.11\r\nhost: x\r\n\r\n', 'malformed'],
    'chunk size with a sign': [`${head('transfer-encoding: chunked')}+3\r\nabc\r\n0\r\n\r\n`, 'bad-chunk'],
    'chunk size that overflows': [`${head('transfer-encoding: chunked')}fffffffffffffffff\r\n`, 'bad-chunk'],
    'chunk ended by LF': [`${head('transfer-encoding: chunked')}3\nabc\r\n0\r\n\r\n`, 'bad-chunk'],
    'chunk longer than its size': [
      `${head('transfer-encoding: chunked')}3\r\nabcd\r\n0\r\n\r\n`,
      'bad-chunk',
    ],
    'LF in a chunk extension': [
      `${head('transfer-encoding: chunked')}3;a\nb\r\nabc\r\n0\r\n\r\n`,
      'bad-chunk',
    ],
    'too many fields': [
      head(Array.from({ length: 101 }, (_, i) => `x-${i}: 1`).join('\r\n')),
      'too-many-headers',
    ],
    'endless head': [head(`x: ${'a'.repeat(70_000)}`), 'head-too-large'],
  };
  for (const [name, [text, problem]] of Object.entries(cases))
    test(name, () => {
      assert.equal(read(text, whole, true).problem, problem);
      assert.notEqual(read(text, [1], true).problem, undefined);
    });

  test('a hundred fields are read', () => {
    const seen = read(
      `GET / HTTP/1.1\r\n${Array.from({ length: 100 }, (_, i) => `x-${i}: ${i}\r\n`).join('')}\r\n`,
      whole,
      true,
    );
    assert.equal(seen.messages[0]?.headers.length, 200);
  });
});

describe('responses', () => {
  test('without a length the body lasts until the end of the connection', () => {
    assert.equal(read('HTTP/1.1 200 OK\r\n\r\nabc', whole, false).messages[0]?.body, 'abc');
  });
  test('204 and 304 have no body', () => {
    assert.deepEqual(
      read(
        'HTTP/1.1 304 Not Modified\r\ncontent-length: 9\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n',
        whole,
        false,
      ).messages.map((one) => one.first),
      ['304', '204'],
    );
  });
  test('a status without a reason', () => {
    assert.equal(read('HTTP/1.1 404\r\ncontent-length: 0\r\n\r\n', whole, false).messages[0]?.first, '404');
  });
  test('a status that is no number', () => {
    assert.equal(read('HTTP/1.1 2x0 OK\r\n\r\n', whole, false).problem, 'malformed');
  });
});
