// Responses that an upstream should not give, one byte a character.

export interface BadResponse {
  readonly name: string;
  readonly bytes: string;
  /** The connection ends after them. */
  readonly then?: 'fin' | 'reset';
}

const ok = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
const head = (fields: string): string => `HTTP/1.1 200 OK\r\n${fields}Content-Length: 2\r\n\r\nok`;
const chunked = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n';

function rows(
  prefix: string,
  table: Readonly<Record<string, string>>,
  then?: BadResponse['then'],
): readonly BadResponse[] {
  return Object.entries(table).map(([name, bytes]) => ({
    name: `${prefix} ${name}`,
    bytes,
    ...(then ? { then } : {}),
  }));
}

export const badResponses: readonly BadResponse[] = [
  ...rows(
    'ends after',
    {
      nothing: '',
      garbage: '\x16\x03\x01\x00\x00garbage\r\n\r\n',
      "another protocol's greeting": 'SSH-2.0-x\r\n',
      'HTTP/0.9': '<html>',
      'half a head': 'HTTP/1.1 200 OK\r\nContent-Len',
      'half a counted body': 'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort',
      'half a chunk': `${chunked}5\r\nok`,
      'an uncounted body': 'HTTP/1.1 200 OK\r\n\r\nuntil close',
      'an uncounted body of HTTP/1.0': 'HTTP/1.0 200 OK\r\n\r\nok',
      'a chunk without a size': `${chunked}zz\r\nok`,
      'a head with bare LF': 'HTTP/1.1 200 OK\nContent-Length: 2\n\nok',
      'another coding': 'HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nok',
    },
    'fin',
  ),
  ...rows(
    'is reset after',
    {
      'a head': 'HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n',
      'half a body': 'HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc',
    },
    'reset',
  ),
  ...rows('status', {
    'not a number': 'HTTP/1.1 abc OK\r\n\r\n',
    '99': 'HTTP/1.1 099 X\r\nContent-Length: 0\r\n\r\n',
    '1000': 'HTTP/1.1 1000 X\r\nContent-Length: 0\r\n\r\n',
    '600': 'HTTP/1.1 600 X\r\nContent-Length: 0\r\n\r\n',
    '999': 'HTTP/1.1 999 X\r\nContent-Length: 0\r\n\r\n',
    'without words': 'HTTP/1.1 200\r\nContent-Length: 2\r\n\r\nok',
    'of HTTP/1.0': 'HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok',
    '204 with a length': 'HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\nhello',
    '204 with a length of 0': 'HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n',
    '204 with chunks': 'HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n',
    '205 with a body': 'HTTP/1.1 205 Reset\r\nContent-Length: 2\r\n\r\nok',
    '304 with a length': 'HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n',
  }),
  ...rows('interim', {
    '100': `HTTP/1.1 100 Continue\r\n\r\n${ok}`,
    '102 three times': `${'HTTP/1.1 102 P\r\n\r\n'.repeat(3)}${ok}`,
    '103': `HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n${ok}`,
    '103 after 100': `HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n${ok}`,
    '103 that frames': `HTTP/1.1 103 E\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n${ok}`,
    '103 with a length': `HTTP/1.1 103 E\r\nContent-Length: 5\r\n\r\n${ok}`,
    '103 with a length of 0': `HTTP/1.1 103 E\r\nContent-Length: 0\r\n\r\n${ok}`,
    '103 with chunks': `HTTP/1.1 103 E\r\nTransfer-Encoding: chunked\r\n\r\n${ok}`,
    '103 of the connection': `HTTP/1.1 103 E\r\nConnection: close, x-a\r\nX-A: 1\r\nKeep-Alive: 1\r\nUpgrade: x\r\n\r\n${ok}`,
    '101 that nobody asked for': 'HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\nraw',
    '199': `HTTP/1.1 199 X\r\n\r\n${ok}`,
  }),
  ...rows('framing', {
    'length too small': `${ok}EXTRA`,
    'length and chunks':
      'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n',
    'length twice': 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nok',
    'length twice, different': 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok',
    'length negative': 'HTTP/1.1 200 OK\r\nContent-Length: -2\r\n\r\nok',
    identity: 'HTTP/1.1 200 OK\r\nTransfer-Encoding: identity\r\nContent-Length: 2\r\n\r\nok',
    trailers: `${chunked}2\r\nok\r\n0\r\nX-T: 1\r\nContent-Length: 9\r\nSet-Cookie: t=1\r\n\r\n`,
    'two responses': `${ok}HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison`,
  }),
  ...rows('fields', {
    'of 50 KB': head(`X: ${'a'.repeat(50_000)}\r\n`),
    'of 100 KB': head(`X: ${'a'.repeat(100_000)}\r\n`),
    'number 101': head(Array.from({ length: 101 }, (_, index) => `x${index}: y\r\n`).join('')),
    'name with a space': head('X Y: z\r\n'),
    folded: head('X: a\r\n b\r\n'),
    'value with NUL': head('X: a\x00b\r\n'),
    'value with 8 bits': head('X: \xff\xe9\r\n'),
    'single ones twice': head(
      'Content-Type: a\r\nContent-Type: b\r\nServer: x\r\nServer: y\r\nDate: d\r\nDate: e\r\nETag: a\r\nETag: b\r\n',
    ),
    'names of an object': head('__proto__: 1\r\nconstructor: 2\r\ntoString: 3\r\n'),
    'of the connection': head(
      'Connection: x-a, keep-alive\r\nX-A: 1\r\nKeep-Alive: timeout=1\r\nProxy-Connection: x\r\nUpgrade: h2c\r\nTE: x\r\n',
    ),
    'of the proxy': head('X-Envoy-Upstream-Service-Time: 999\r\nX-Envoy-Overloaded: true\r\n'),
  }),
];
