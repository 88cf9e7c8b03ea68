// HTTP/2 requests that are malformed or odd: pseudo-fields, names and values, lengths, trailers, frames out
// of place.
import {
  ack,
  block,
  endHeaders,
  endStream,
  type Fields,
  frame,
  frameType,
  requestBlock,
  setting,
} from './h2-frames.ts';

export interface HostileH2 {
  readonly name: string;
  readonly frames: Buffer;
}

const hidden = 'GET /admin HTTP/1.1\r\nHost: smuggled\r\n\r\n';
const method: Fields[number] = [':method', 'GET'];
const posted: Fields[number] = [':method', 'POST'];
const path: Fields[number] = [':path', '/'];
const scheme: Fields[number] = [':scheme', 'http'];
const authority: Fields[number] = [':authority', 'a.com'];
const usual: Fields = [method, path, scheme, authority];

function whole(fields: Fields): Buffer {
  return frame(frameType.headers, endHeaders | endStream, 1, block(fields));
}

function open(fields: Fields, ...after: readonly Buffer[]): Buffer {
  return Buffer.concat([frame(frameType.headers, endHeaders, 1, block(fields)), ...after]);
}

function data(text: string, flags = endStream): Buffer {
  return frame(frameType.data, flags, 1, text);
}

function rows(prefix: string, table: Readonly<Record<string, Buffer>>): readonly HostileH2[] {
  return Object.entries(table).map(([name, frames]) => ({ name: `${prefix} ${name}`, frames }));
}

const pseudo = rows('pseudo', {
  'path twice': whole([method, path, [':path', '/admin'], scheme, authority]),
  'authority twice': whole([method, path, scheme, authority, [':authority', 'b']]),
  'authority and the same host': whole([...usual, ['host', 'a.com']]),
  'authority and another host': whole([...usual, ['host', 'b.com']]),
  'host alone': whole([method, path, scheme, ['host', 'b.com']]),
  'host twice': whole([method, path, scheme, ['host', 'b.com'], ['host', 'c.com']]),
  'no authority': whole([method, path, scheme]),
  'authority empty': whole([method, path, scheme, [':authority', '']]),
  'no path': whole([method, scheme, authority]),
  'path empty': whole([method, [':path', ''], scheme, authority]),
  'path asterisk': whole([method, [':path', '*'], scheme, authority]),
  'path without a slash': whole([method, [':path', 'admin'], scheme, authority]),
  'path with a space': whole([method, [':path', '/x HTTP/1.1'], scheme, authority]),
  'path with CR LF': whole([method, [':path', `/x HTTP/1.1\r\nHost: z\r\n\r\n${hidden}`], scheme, authority]),
  'path with a tab': whole([method, [':path', '/x\ty'], scheme, authority]),
  'path with NUL': whole([method, [':path', '/x\x00y'], scheme, authority]),
  'path with 8 bits': whole([method, [':path', '/x\xff'], scheme, authority]),
  'path with DEL': whole([method, [':path', '/x\x7f'], scheme, authority]),
  'path with a fragment': whole([method, [':path', '/x#y'], scheme, authority]),
  'path absolute': whole([method, [':path', 'http://b.com/admin'], scheme, authority]),
  'path with dots': whole([method, [':path', '/x/../admin'], scheme, authority]),
  'method with a space': whole([[':method', 'GET /admin HTTP/1.1'], path, scheme, authority]),
  'method unknown': whole([[':method', 'FOO'], path, scheme, authority]),
  'method with CR LF': whole([[':method', 'GET\r\n'], path, scheme, authority]),
  'method empty': whole([[':method', ''], path, scheme, authority]),
  'no method': whole([path, scheme, authority]),
  'scheme with a host': whole([method, path, [':scheme', 'https://evil'], authority]),
  'scheme ftp': whole([method, path, [':scheme', 'ftp'], authority]),
  'scheme https on plaintext': whole([method, path, [':scheme', 'https'], authority]),
  'no scheme': whole([method, path, authority]),
  unknown: whole([...usual, [':foo', 'x']]),
  'status in a request': whole([...usual, [':status', '200']]),
  'after a field': whole([method, path, scheme, ['x', 'y'], authority]),
  'protocol on a GET': whole([method, [':protocol', 'websocket'], path, scheme, authority]),
  ...Object.fromEntries(
    ['a\r\nX: y', 'a b', 'a/b?c', 'u:p@a.com', 'a\xff', 'a"b', 'a<b', 'a\\b', 'a^b', 'a|b'].map((text) => [
      `authority ${JSON.stringify(text)}`,
      whole([method, path, scheme, [':authority', text]]),
    ]),
  ),
});

const fields = rows('field', {
  'in capitals': whole([...usual, ['X-Foo', 'y']]),
  'name with a space': whole([...usual, ['x foo', 'y']]),
  'name with a colon': whole([...usual, ['x:foo', 'y']]),
  'name with CR LF': whole([...usual, ['x\r\nfoo', 'y']]),
  'name with NUL': whole([...usual, ['x\0foo', 'y']]),
  'name with 8 bits': whole([...usual, ['x\xe9', 'y']]),
  'name empty': whole([...usual, ['', 'y']]),
  'value with CR LF': whole([...usual, ['x', 'a\r\nb: c']]),
  'value with LF': whole([...usual, ['x', 'a\nb: c']]),
  'value with CR': whole([...usual, ['x', 'a\rb']]),
  'value with NUL': whole([...usual, ['x', 'a\0b']]),
  'value with a control': whole([...usual, ['x', 'a\x01b']]),
  'value with DEL': whole([...usual, ['x', 'a\x7fb']]),
  'value with spaces around': whole([...usual, ['x', ' a ']]),
  'value with 8 bits': whole([...usual, ['x', '\xff\xe9']]),
  ...Object.fromEntries(
    [
      'connection: close',
      'transfer-encoding: chunked',
      'upgrade: websocket',
      'keep-alive: 1',
      'proxy-connection: 1',
      'te: gzip',
      'te: trailers',
      'http2-settings: AAMAAABk',
      'content_length: 5',
    ].map((line) => [line, whole([...usual, [line.split(': ')[0] ?? '', line.split(': ')[1] ?? '']])]),
  ),
  'cookies apart': whole([...usual, ['cookie', 'a=1'], ['cookie', 'b=2']]),
  'number 96': whole([...usual, ...many(96)]),
  'number 97': whole([...usual, ...many(97)]),
  '97 cookies': whole([...usual, ...Array.from({ length: 97 }, (): Fields[number] => ['cookie', 'y=1'])]),
  'of 50 KB': continued(50_000),
});

const lengths = rows('length', {
  'too large': open([posted, path, scheme, authority, ['content-length', '10']], data('abc')),
  'too small': open([posted, path, scheme, authority, ['content-length', '3']], data(`abc${hidden}`)),
  '0 with data': open([posted, path, scheme, authority, ['content-length', '0']], data(hidden)),
  'with nothing': whole([posted, path, scheme, authority, ['content-length', '39']]),
  'twice the same': open(
    [posted, path, scheme, authority, ['content-length', '3'], ['content-length', '3']],
    data('abc'),
  ),
  'twice, different': open(
    [posted, path, scheme, authority, ['content-length', '3'], ['content-length', '4']],
    data('abc'),
  ),
  signed: open([posted, path, scheme, authority, ['content-length', '+3']], data('abc')),
  list: open([posted, path, scheme, authority, ['content-length', '3, 3']], data('abc')),
  'none, data on a GET': open(usual, data('abc')),
  'and an expectation': open(
    [posted, path, scheme, authority, ['expect', '100-continue'], ['content-length', '3']],
    data('abc'),
  ),
});

const trailers = rows(
  'trailers',
  Object.fromEntries(
    Object.entries({
      plain: [['x-t', '1']],
      'that frame': [
        ['content-length', '100'],
        ['host', 'evil'],
        ['authorization', 'x'],
      ],
      pseudo: [[':path', '/admin']],
      'of the connection': [
        ['connection', 'close'],
        ['transfer-encoding', 'chunked'],
      ],
      'with CR LF': [['x', 'a\r\nb: c']],
      'with a bad name': [['x y', 'a']],
    } satisfies Record<string, Fields>).map(([name, list]) => [
      name,
      open(
        [posted, path, scheme, authority],
        data('abc', 0),
        frame(frameType.headers, endHeaders | endStream, 1, block(list as Fields)),
      ),
    ]),
  ),
);

const tunnels = rows('CONNECT', {
  plain: open([[':method', 'CONNECT'], authority]),
  'with a path': open([[':method', 'CONNECT'], path, scheme, authority]),
  'extended, not offered': open(
    [[':method', 'CONNECT'], [':protocol', 'websocket'], path, scheme, authority],
    data(hidden, 0),
  ),
  'extended, ended at once': whole([
    [':method', 'CONNECT'],
    [':protocol', 'websocket'],
    path,
    scheme,
    authority,
  ]),
  'extended, protocol with CR LF': open([
    [':method', 'CONNECT'],
    [':protocol', 'web\r\nx: y'],
    path,
    scheme,
    authority,
  ]),
});

const windowUpdate = frame(frameType.windowUpdate, 0, 0, '\x7f\xff\xff\xff');
const get = frame(frameType.headers, endHeaders | endStream, 1, requestBlock());
const frames = rows('frame', {
  'data of no stream': frame(frameType.data, 0, 5, 'x'),
  'even stream': frame(frameType.headers, endHeaders | endStream, 2, requestBlock()),
  'reset of no stream': frame(frameType.reset, 0, 7, '\0\0\0\x08'),
  'window overflow': Buffer.concat([windowUpdate, windowUpdate]),
  push: frame(frameType.push, endHeaders, 1, Buffer.concat([Buffer.from([0, 0, 0, 2]), requestBlock()])),
  'of an unknown type': Buffer.concat([frame(0x77, 0, 0, 'x'.repeat(100)), get]),
  'PING that answers none, then a request': Buffer.concat([frame(frameType.ping, ack, 0, '12345678'), get]),
  'too large': data('x'.repeat(20_000), 0),
  'padded beyond its end': frame(
    frameType.headers,
    endHeaders | endStream | 8,
    1,
    Buffer.concat([Buffer.from([0xff]), requestBlock()]),
  ),
  'index out of range': frame(frameType.headers, endHeaders | endStream, 1, '\xff\xff\xff\x7f'),
  'endless integer': frame(frameType.headers, endHeaders | endStream, 1, `\x00\x7f${'\xff'.repeat(10)}`),
  'table too large': frame(
    frameType.headers,
    endHeaders | endStream,
    1,
    Buffer.concat([Buffer.from('?\xff\xff\xff\x0f', 'latin1'), requestBlock()]),
  ),
  'settings cut short': frame(frameType.settings, 0, 0, '\0'.repeat(5)),
  'window setting too large': frame(frameType.settings, 0, 0, setting(4, 0xffffffff)),
  'continuation of nothing': frame(frameType.continuation, endHeaders, 1, requestBlock()),
});

export const corpus: readonly HostileH2[] = [
  { name: 'plain', frames: get },
  ...pseudo,
  ...fields,
  ...lengths,
  ...trailers,
  ...tunnels,
  ...frames,
];

function many(count: number): Fields {
  return Array.from({ length: count }, (_, index): Fields[number] => [`x${index}`, 'y']);
}

/** A head too large for one frame. */
function continued(size: number): Buffer {
  const bytes = block([...usual, ['x', 'a'.repeat(size)]]);
  const count = Math.ceil(bytes.length / 16_384);
  const parts = Array.from({ length: count }, (_, index) =>
    bytes.subarray(index * 16_384, (index + 1) * 16_384),
  );
  return Buffer.concat(
    parts.map((part, index) => {
      const last = index === count - 1 ? endHeaders : 0;
      return index === 0
        ? frame(frameType.headers, endStream | last, 1, part)
        : frame(frameType.continuation, last, 1, part);
    }),
  );
}
