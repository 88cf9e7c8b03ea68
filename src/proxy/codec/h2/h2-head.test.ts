import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readRequestHead, readResponseHead, readTrailers } from './h2-head.ts';

const usual = [':method', 'GET', ':path', '/', ':scheme', 'http', ':authority', 'a'];
const tunnel = [
  ':method',
  'CONNECT',
  ':protocol',
  'websocket',
  ':path',
  '/',
  ':scheme',
  'http',
  ':authority',
  'a',
];

const refused: Readonly<Record<string, readonly string[]>> = {
  'no method': usual.slice(2),
  'no path': [':method', 'GET', ':scheme', 'http', ':authority', 'a'],
  'no authority': usual.slice(0, 6),
  'an empty authority': [...usual.slice(0, 6), ':authority', ''],
  'a path twice': [...usual, ':path', '/admin'],
  'a pseudo-field after others': [...usual.slice(0, 6), 'x', 'y', ':authority', 'a'],
  'a pseudo-field of responses': [...usual, ':status', '200'],
  'a space in the path': [':method', 'GET', ':path', '/a HTTP/1.1', ':scheme', 'http', ':authority', 'a'],
  'a space in the method': [':method', 'GET /', ':path', '/', ':scheme', 'http', ':authority', 'a'],
  'a slash in the authority': [...usual.slice(0, 6), ':authority', 'a/b'],
  'two hosts': [...usual.slice(0, 6), 'host', 'a', 'host', 'b'],
  'CONNECT with a path': [':method', 'CONNECT', ':path', '/', ':scheme', 'http', ':authority', 'a'],
  'a protocol on a GET': [...usual, ':protocol', 'websocket'],
  'CR LF in a protocol': tunnel.with(3, 'web\r\nx: y'),
  'a name with a space': [...usual, 'x y', 'z'],
  'a name with a colon': [...usual, 'x:y', 'z'],
  'a name in capitals': [...usual, 'X', 'z'],
  'an empty name': [...usual, '', 'z'],
  'LF in a value': [...usual, 'x', 'a\nb'],
  'NUL in a value': [...usual, 'x', 'a\0b'],
  connection: [...usual, 'connection', 'close'],
  'transfer-encoding': [...usual, 'transfer-encoding', 'chunked'],
  'te other than trailers': [...usual, 'te', 'gzip'],
};

for (const [name, raw] of Object.entries(refused))
  test(`refused: ${name}`, () => assert.equal(readRequestHead(raw), undefined));

test('a request', () => {
  const head = readRequestHead([
    ...usual,
    'accept',
    'a',
    'x',
    '1',
    'accept',
    'b',
    'x',
    '2',
    'cookie',
    'c=1',
    'cookie',
    'd=2',
    'te',
    'trailers',
    'host',
    'other',
  ]);
  assert.deepEqual(head?.headers.list, [
    'accept',
    'a,b',
    'x',
    '1',
    'x',
    '2',
    'te',
    'trailers',
    'cookie',
    'c=1; d=2',
  ]);
  assert.deepEqual(
    [head.method, head.path, head.authority, head.scheme, head.protocol],
    ['GET', '/', 'a', 'http', undefined],
  );
});

test('a host stands for the authority', () =>
  assert.equal(readRequestHead([...usual.slice(0, 6), 'host', 'b'])?.authority, 'b'));
test('an extended CONNECT', () => assert.equal(readRequestHead(tunnel)?.protocol, 'websocket'));
test('a plain CONNECT', () =>
  assert.equal(readRequestHead([':method', 'CONNECT', ':authority', 'a:1'])?.path, undefined));

test('responses', () => {
  assert.deepEqual(readResponseHead([':status', '200', 'etag', 'a', 'etag', 'b'])?.headers.list, [
    'etag',
    'a,b',
  ]);
  for (const raw of [
    [],
    [':status', '99'],
    [':status', '2x0'],
    [':status', '200', 'x', 'a\r\nb'],
    [':status', '200', ':path', '/'],
  ])
    assert.equal(readResponseHead(raw), undefined, raw.join());
});

test('trailers', () => {
  assert.deepEqual(readTrailers(['grpc-status', '0'])?.list, ['grpc-status', '0']);
  for (const raw of [
    [':path', '/'],
    ['x', 'a\r\nb'],
    ['connection', 'close'],
  ])
    assert.equal(readTrailers(raw), undefined, raw.join());
});
