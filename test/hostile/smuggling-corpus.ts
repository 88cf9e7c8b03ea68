// Requests that two parsers might read differently, one byte a character: framing, line ends, targets, hosts,
// pipelining, upgrades.

export interface Hostile {
  readonly name: string;
  readonly bytes: string;
}

const host = 'Host: a.com\r\n';
/** A whole request: where it reaches the upstream as one, it was smuggled there. */
const hidden = 'GET /admin HTTP/1.1\r\nHost: smuggled\r\n\r\n';
const next = 'GET /second HTTP/1.1\r\nHost: a.com\r\n\r\n';
const abc = '3\r\nabc\r\n0\r\n\r\n';
const upgrade = 'Connection: Upgrade\r\nUpgrade: websocket\r\n';
const settings =
  'Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n';

type Rows = Readonly<Record<string, string>>;

function rows(prefix: string, table: Rows, make: (value: string) => string): readonly Hostile[] {
  return Object.entries(table).map(([name, value]) => ({ name: `${prefix} ${name}`, bytes: make(value) }));
}

function post(fields: string, body: string): string {
  return `POST / HTTP/1.1\r\n${host}${fields}\r\n${body}`;
}

function get(fields: string): string {
  return `GET / HTTP/1.1\r\n${host}${fields}\r\n`;
}

const lengths = rows(
  'length',
  {
    'twice the same': 'Content-Length: 4\r\nContent-Length: 4',
    'twice, different': 'Content-Length: 4\r\nContent-Length: 5',
    'as a list': 'Content-Length: 4, 4',
    'as a list of different ones': 'Content-Length: 4, 5',
    plus: 'Content-Length: +5',
    minus: 'Content-Length: -5',
    hexadecimal: 'Content-Length: 0x5',
    'two numbers': 'Content-Length: 5 5',
    empty: 'Content-Length:',
    underscore: 'Content-Length: 1_0',
    'with a decimal point': 'Content-Length: 5.0',
    'with a semicolon': 'Content-Length: 5;',
    'as a list with nothing': 'Content-Length: 5,',
    'minus nothing': 'Content-Length: -0',
    'past 53 bits': 'Content-Length: 9007199254740993',
    'leading zeros': 'Content-Length: 005',
    huge: 'Content-Length: 99999999999999999999',
    'past 64 bits': 'Content-Length: 18446744073709551621',
    tabs: 'Content-Length:\t5\t',
    'vertical tab': 'Content-Length: \x0b5',
    'no-break space': 'Content-Length: \xa05',
    'underscore in the name': 'Content_Length: 5',
  },
  (fields) => post(`${fields}\r\n`, 'abcde'),
);

const codings = rows(
  'coding',
  {
    'with a length': 'Content-Length: 4\r\nTransfer-Encoding: chunked',
    'before a length': 'Transfer-Encoding: chunked\r\nContent-Length: 4',
    identity: 'Transfer-Encoding: identity',
    'chunked, identity': 'Transfer-Encoding: chunked, identity',
    'identity, chunked': 'Transfer-Encoding: identity, chunked',
    xchunked: 'Transfer-Encoding: xchunked',
    chunkedx: 'Transfer-Encoding: chunkedx',
    'other case': 'Transfer-Encoding: Chunked',
    'leading tab': 'Transfer-Encoding: \tchunked',
    'trailing tab': 'Transfer-Encoding: chunked\t',
    'vertical tab': 'Transfer-Encoding: \x0bchunked',
    parameter: 'Transfer-Encoding: chunked;q=1',
    quoted: 'Transfer-Encoding: "chunked"',
    'chunked twice in one': 'Transfer-Encoding: chunked, chunked',
    'leading comma': 'Transfer-Encoding: , chunked',
    'trailing comma': 'Transfer-Encoding: chunked,',
    'gzip, chunked': 'Transfer-Encoding: gzip, chunked',
    empty: 'Transfer-Encoding: ',
    NUL: 'Transfer-Encoding: chunked\x00',
    twice: 'Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked',
    'twice, different': 'Transfer-Encoding: chunked\r\nTransfer-Encoding: identity',
    'space before the colon': 'Transfer-Encoding : chunked',
    'space before the name': ' Transfer-Encoding: chunked',
    folded: 'Transfer-Encoding:\r\n chunked',
    'NUL in the name': 'Transfer-Encoding\x00: chunked',
    'underscore in the name': 'Transfer_Encoding: chunked',
    'with a space in it': 'Transfer-Encoding: chun ked',
    'with an empty one': 'Transfer-Encoding: chunked\r\nTransfer-Encoding:',
    'empty and folded': 'Transfer-Encoding: \r\n\tchunked',
    'of unknown ones': 'Transfer-Encoding: x, y, chunked',
  },
  (fields) => post(`${fields}\r\n`, fields.includes('Length') ? `0\r\n\r\n${hidden}` : abc),
);

const chunks = rows(
  'chunk',
  {
    'size garbage': 'g\r\nabc\r\n0\r\n\r\n',
    'size negative': '-3\r\nabc\r\n0\r\n\r\n',
    'size 0x': '0x3\r\nabc\r\n0\r\n\r\n',
    'size plus': '+3\r\nabc\r\n0\r\n\r\n',
    'size after a space': ' 3\r\nabc\r\n0\r\n\r\n',
    'size before a space': '3 \r\nabc\r\n0\r\n\r\n',
    'size before a space and garbage': '3 x\r\nabc\r\n0\r\n\r\n',
    'size, bare LF': '3\nabc\n0\n\n',
    'size, bare CR': '3\rabc\r0\r\r',
    'size of 64 bits': 'ffffffffffffffff\r\nabc\r\n0\r\n\r\n',
    'size past 64 bits': '10000000000000003\r\nabc\r\n0\r\n\r\n',
    'size with 12 zeros': '0000000000003\r\nabc\r\n0\r\n\r\n',
    'size with 16 zeros': '00000000000000003\r\nabc\r\n0\r\n\r\n',
    'size empty': '\r\nabc\r\n0\r\n\r\n',
    extension: '3;a=b\r\nabc\r\n0\r\n\r\n',
    'extension quoted': '3;a="b;\\"c"\r\nabc\r\n0\r\n\r\n',
    'extension with LF': '3;a\nb\r\nabc\r\n0\r\n\r\n',
    'extension with CR': '3;a\rb\r\nabc\r\n0\r\n\r\n',
    'extension with a control': '3;a\x01\r\nabc\r\n0\r\n\r\n',
    'extension with NUL': '3;a\x00\r\nabc\r\n0\r\n\r\n',
    'extension of 3 KB': `3;${'a'.repeat(3000)}\r\nabc\r\n0\r\n\r\n`,
    'extension of 20 KB': `3;${'a'.repeat(20_000)}\r\nabc\r\n0\r\n\r\n`,
    'extension on the last': '3\r\nabc\r\n0;x=y\r\n\r\n',
    'data too long': '3\r\nabcd\r\n0\r\n\r\n',
    'data, bare LF': '3\r\nabc\n0\r\n\r\n',
    'data, bare CR': '3\r\nabc\r0\r\n\r\n',
    'last, bare LF': '3\r\nabc\r\n0\n\n',
    'last, CR LF and LF': '3\r\nabc\r\n0\r\n\n',
    trailer: '3\r\nabc\r\n0\r\nX-T: 1\r\n\r\n',
    'trailers that frame':
      '3\r\nabc\r\n0\r\nContent-Length: 100\r\nHost: evil\r\nTransfer-Encoding: chunked\r\nAuthorization: x\r\n\r\n',
    'trailer with a space': '3\r\nabc\r\n0\r\nX T: 1\r\n\r\n',
    'trailer, bare LF': '3\r\nabc\r\n0\r\nX-T: 1\n\r\n',
    'trailer folded': '3\r\nabc\r\n0\r\nX-T: 1\r\n y\r\n\r\n',
    'data after the last': '0\r\nabc\r\n\r\n',
  },
  (body) => post('Transfer-Encoding: chunked\r\n', body + hidden),
);

const lines = rows(
  'lines',
  {
    'bare LF': `GET / HTTP/1.1\n${'Host: a.com'}\n\n`,
    'one bare LF': 'GET / HTTP/1.1\r\nHost: a.com\nX: y\r\n\r\n',
    'bare LF at the end': 'GET / HTTP/1.1\r\nHost: a.com\r\n\n',
    'bare CR': 'GET / HTTP/1.1\rHost: a.com\r\r',
    'bare CR in a value': get('X: a\rb\r\n'),
    'bare CR before a coding': get('X: a\rTransfer-Encoding: chunked\r\n'),
    folded: get('X: a\r\n b\r\n'),
    'folded at once': `GET / HTTP/1.1\r\n X: a\r\n${host}\r\n`,
    'space before the colon': 'GET / HTTP/1.1\r\nHost : a.com\r\n\r\n',
    'no colon': get('foo\r\n'),
    'no name': get(': x\r\n'),
    'NUL in a value': get('X: a\x00b\r\n'),
    'NUL in the path': `GET /a\x00b HTTP/1.1\r\n${host}\r\n`,
    'control in a value': get('X: a\x01b\r\n'),
    'DEL in a value': get('X: a\x7fb\r\n'),
    'obs-text in a value': get('X: a\xff\xe9b\r\n'),
    'UTF-8 in a name': get('X\xc3\xa9: 1\r\n'),
    'leading space': ` ${get('')}`,
    'leading CR LF': `\r\n\r\n${get('')}`,
    'leading LF': `\n${get('')}`,
    'pseudo-field': get(':path: /admin\r\n'),
    '100 fields': get(many(99)),
    '101 fields': get(many(100)),
    '10,000 fields': get(many(10_000)),
    'a field of 1 MB': get(`X: ${'a'.repeat(1 << 20)}\r\n`),
  },
  (bytes) => bytes,
);

const targets = rows(
  'target',
  {
    'two spaces': 'GET  / HTTP/1.1',
    tabs: 'GET\t/\tHTTP/1.1',
    'space in it': 'GET /a b HTTP/1.1',
    'trailing space': 'GET / HTTP/1.1 ',
    'absolute, same host': 'GET http://a.com/x HTTP/1.1',
    'absolute, other host': 'GET http://evil.com/x HTTP/1.1',
    'absolute, userinfo': 'GET http://u:p@evil.com/x HTTP/1.1',
    'absolute, https': 'GET https://a.com/x HTTP/1.1',
    'absolute, ftp': 'GET ftp://a.com/x HTTP/1.1',
    'absolute, query without a path': 'GET http://a.com?x=/admin HTTP/1.1',
    'absolute, denied': 'GET http://a.com/admin HTTP/1.1',
    'absolute, no host': 'GET http:///x HTTP/1.1',
    'absolute, fragment': 'GET http://a.com/x#y HTTP/1.1',
    'absolute, capitals': 'GET HTTP://A.com/x HTTP/1.1',
    'absolute, no path': 'GET http://a.com HTTP/1.1',
    ...Object.fromEntries(
      [
        'a:b',
        'a:',
        'a:0',
        'a:080',
        'a:80',
        'a:65535',
        'a:65536',
        'a:1:2',
        'a:+1',
        'a:-1',
        '[::1',
        '[::1]',
        '[::1]:80',
        '[::1]x',
        '[x]',
        '::1',
        'a_b',
        'a%41',
        'a,b',
        'a;b',
        "a'b",
        '*',
        'A.b.',
        '1.2.3.4.5',
        '1.2',
      ].map((authority) => [`absolute, for ${authority}`, `GET http://${authority}/x HTTP/1.1`]),
    ),
    'no slash': 'GET admin HTTP/1.1',
    'two slashes': 'GET //evil.com/admin HTTP/1.1',
    'asterisk GET': 'GET * HTTP/1.1',
    'asterisk OPTIONS': 'OPTIONS * HTTP/1.1',
    'of 50 KB': `GET /${'a'.repeat(50_000)} HTTP/1.1`,
    'of 100 KB': `GET /${'a'.repeat(100_000)} HTTP/1.1`,
    'version 1.2': 'GET / HTTP/1.2',
    'version 2.0': 'GET / HTTP/2.0',
    'version in lower case': 'GET / http/1.1',
    'version 1.10': 'GET / HTTP/1.10',
    'method unknown': 'FOO / HTTP/1.1',
    'method in lower case': 'get / HTTP/1.1',
    'method with a bracket': 'G(T / HTTP/1.1',
    'method M-SEARCH': 'M-SEARCH / HTTP/1.1',
    'method MSEARCH': 'MSEARCH / HTTP/1.1',
    'a field in its place': 'X-A: v',
    'a text in its place': 'a) b',
    'none but a method': 'GET',
  },
  (line) => `${line}\r\n${host}\r\n`,
);

const hosts = rows(
  'host',
  {
    two: 'Host: a.com\r\nHost: b.com\r\n',
    'two the same': 'Host: a.com\r\nHost: a.com\r\n',
    none: '',
    empty: 'Host:\r\n',
    ...Object.fromEntries(
      [
        ' ',
        '/x',
        '@b',
        '"',
        '#b',
        '?b',
        '\\b',
        ',b',
        ':99x',
        '\xff',
        '%20',
        '\t',
        '<b>',
        '^',
        '`',
        '{b}',
        '|b',
        '[::1',
        ';b',
        "'b",
        '(b)',
        '_b',
        '~b',
        '*',
      ].map((text) => [`with ${text === '\t' ? 'a tab' : text}`, `Host: a${text}b\r\n`]),
    ),
  },
  (fields) => `GET / HTTP/1.1\r\n${fields}\r\n`,
);

const pipelines = rows(
  'then a request',
  {
    'version 1.0': `GET / HTTP/1.0\r\n${host}\r\n`,
    'version 1.0, chunked': `POST / HTTP/1.0\r\n${host}Transfer-Encoding: chunked\r\n\r\n${abc}`,
    'version 0.9': 'GET /\r\n\r\n',
    'method unknown': `FOO / HTTP/1.1\r\n${host}\r\n`,
    'no host': 'GET / HTTP/1.1\r\n\r\n',
    'no host, body': 'POST / HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc',
    'close asked for': `GET /first HTTP/1.1\r\n${host}Connection: close\r\n\r\n`,
    'close asked for, body': `POST /first HTTP/1.1\r\n${host}Connection: close\r\nContent-Length: 3\r\n\r\nabc`,
    'close asked for, denied': `GET /admin HTTP/1.1\r\n${host}Connection: close\r\n\r\n`,
    'denied, body': `POST /admin HTTP/1.1\r\n${host}Content-Length: ${hidden.length}\r\n\r\n${hidden}`,
    'denied, chunked body': `POST /admin HTTP/1.1\r\n${host}Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n`,
    'body on a GET': `GET /first HTTP/1.1\r\n${host}Content-Length: ${hidden.length}\r\n\r\n${hidden}`,
    'fragment in the path': `GET /x#y HTTP/1.1\r\n${host}\r\n`,
    'bad host': 'GET / HTTP/1.1\r\nHost: a b\r\n\r\n',
  },
  (first) => first + next,
);

const expectations = rows(
  'expect',
  { '100': 'POST / HTTP/1.1', '100, denied': 'POST /admin HTTP/1.1', other: 'POST /x HTTP/1.1' },
  (line) =>
    `${line}\r\n${host}Expect: ${line.includes('/x') ? 'foo' : '100-continue'}\r\nContent-Length: 3\r\n\r\nabc`,
);

const nominated = rows(
  'nominated',
  Object.fromEntries(
    'content-length host transfer-encoding x-forwarded-for x-forwarded-host authorization cookie :path :authority te x-envoy-internal x-forwarded-client-cert x-forwarded-proto x-request-id'
      .split(' ')
      .map((name) => [name, name]),
  ),
  (name) =>
    `POST / HTTP/1.1\r\n${host}Connection: ${name}\r\nContent-Length: 3\r\nAuthorization: s\r\nCookie: c=1\r\nTE: trailers\r\n\r\nabc`,
);

const upgrades = rows(
  'upgrade',
  {
    websocket: `GET /ws HTTP/1.1\r\n${host}${upgrade}\r\n`,
    'early data': `GET /ws HTTP/1.1\r\n${host}${upgrade}\r\n${hidden}`,
    'counted body': `POST /ws HTTP/1.1\r\n${host}${upgrade}Content-Length: ${hidden.length}\r\n\r\n${hidden}`,
    'counted body of 0': `GET /ws HTTP/1.1\r\n${host}${upgrade}Content-Length: 0\r\n\r\n${hidden}`,
    'chunked body': `POST /ws HTTP/1.1\r\n${host}${upgrade}Transfer-Encoding: chunked\r\n\r\n${hidden.length.toString(16)}\r\n${hidden}\r\n0\r\n\r\n`,
    'chunked body on a GET': `GET /ws HTTP/1.1\r\n${host}${upgrade}Transfer-Encoding: chunked\r\n\r\n${hidden.length.toString(16)}\r\n${hidden}\r\n0\r\n\r\n`,
    h2c: `GET /h2c HTTP/1.1\r\n${host}${settings}\r\n`,
    'h2c, early data': `GET /h2c HTTP/1.1\r\n${host}${settings}\r\n${hidden}`,
    'to something else': `GET /foo HTTP/1.1\r\n${host}Connection: Upgrade\r\nUpgrade: foo\r\n\r\n${hidden}`,
    'to two': `GET /x HTTP/1.1\r\n${host}${upgrade}Upgrade: h2c\r\n\r\n${hidden}`,
    'to the same twice': `GET /x HTTP/1.1\r\n${host}${upgrade}Upgrade: websocket\r\n\r\n${hidden}`,
    'to nothing': `GET /x HTTP/1.1\r\n${host}Connection: Upgrade\r\nUpgrade:\r\n\r\n${hidden}`,
    'asked for in two lines': `GET /x HTTP/1.1\r\n${host}Connection: keep-alive\r\n${upgrade}\r\n${hidden}`,
    'not asked for': `GET /x HTTP/1.1\r\n${host}Upgrade: websocket\r\n\r\n${hidden}`,
    'with an expectation': `GET /x HTTP/1.1\r\n${host}${upgrade}Expect: 100-continue\r\n\r\n${hidden}`,
    'to one of two': `GET /x HTTP/1.1\r\n${host}Connection: Upgrade\r\nUpgrade: websocket, h2c\r\n\r\n${hidden}`,
    'on a denied path': `GET /admin HTTP/1.1\r\n${host}${upgrade}\r\n${hidden}`,
    CONNECT: `CONNECT a.com:443 HTTP/1.1\r\n${host}\r\n${hidden}`,
    preface: 'PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n',
  },
  (bytes) => bytes,
);

const hops: readonly Hostile[] = [
  {
    name: 'hop two connection fields',
    bytes: get('Connection: keep-alive\r\nConnection: authorization\r\nAuthorization: s\r\n'),
  },
  {
    name: 'hop fields',
    bytes: get('TE: gzip, trailers\r\nKeep-Alive: 1\r\nProxy-Connection: x\r\nTrailer: X\r\n'),
  },
  {
    name: 'hop control fields',
    bytes: get('X-Envoy-Original-Path: /z\r\nX-Envoy-Internal: true\r\nX-Envoy-Retry-On: 5xx\r\n'),
  },
];

export const corpus: readonly Hostile[] = [
  { name: 'plain', bytes: get('') },
  ...lengths,
  ...codings,
  ...chunks,
  ...lines,
  ...targets,
  ...hosts,
  ...pipelines,
  ...expectations,
  ...nominated,
  ...upgrades,
  ...hops,
];

function many(count: number): string {
  return Array.from({ length: count }, (_, index) => `x${index}: y\r\n`).join('');
}
