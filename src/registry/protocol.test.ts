import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseProtocol, protocolOfPort } from './protocol.ts';

const ports = [
  ['http', undefined, 80, 'http'],
  ['http-web', undefined, 80, 'http'],
  ['HTTP2-x', undefined, 80, 'http2'],
  ['grpc-web', undefined, 80, 'grpc-web'],
  ['grpc-web-x', undefined, 80, 'grpc-web'],
  ['grpc-x', undefined, 80, 'grpc'],
  ['web', undefined, 80, 'auto'],
  ['httpx', undefined, 80, 'auto'],
  [undefined, undefined, 80, 'auto'],
  ['mysql', undefined, 3306, 'mysql'],
  ['data', undefined, 3306, 'tcp'],
  ['mongodb', undefined, 27017, 'tcp'],
  ['names', undefined, 53, 'tcp'],
  ['mail', undefined, 25, 'tcp'],
  ['shell', undefined, 22, 'auto'],
  ['ftp', undefined, 21, 'auto'],
  ['imap', undefined, 143, 'auto'],
  ['http', undefined, 27017, 'http'],
  ['x', 'example.com/own', 53, 'tcp'],
  ['grpc-webx', undefined, 80, 'grpc-web'],
  ['udp-x', undefined, 80, 'udp'],
  ['tcp-x', 'http', 80, 'http'],
  ['http-x', 'tcp', 80, 'tcp'],
  ['any', 'kubernetes.io/h2c', 80, 'http2'],
  ['any', 'kubernetes.io/wss', 80, 'https'],
  ['http-x', 'example.com/own', 80, 'auto'],
  ['tcp-x', 'HTTP2', 80, 'http2'],
] as const;

for (const [name, appProtocol, port, expected] of ports)
  test(`port ${port} named ${name} with appProtocol ${appProtocol} is ${expected}`, () =>
    assert.equal(protocolOfPort({ name, appProtocol, port }), expected));

test('UDP is UDP whatever the name', () =>
  assert.equal(protocolOfPort({ name: 'http', port: 53, protocol: 'UDP' }), 'udp'));

test('protocols of the API ignore case; the empty one is detected, others are not supported', () => {
  assert.deepEqual(['HTTP', 'Grpc-Web', '', undefined, 'gopher'].map(parseProtocol), [
    'http',
    'grpc-web',
    'auto',
    'auto',
    'unsupported',
  ]);
});
