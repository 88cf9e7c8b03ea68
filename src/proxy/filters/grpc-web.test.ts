import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Headers } from '../codec/http/headers.ts';
import type { Responder } from '../codec/http/message-contract.ts';
import { Request } from '../codec/http/request.ts';
import { Base64Decoder, GrpcWebBridge, isGrpcWeb } from './grpc-web.ts';

function call(type: string): Request {
  return new Request({
    method: 'POST',
    path: '/s/m',
    authority: 'h',
    scheme: 'http',
    upgrade: undefined,
    protocol: 'http/1.1',
    headers: new Headers(['content-type', type]),
  });
}

/** What a browser would receive after one message frame and an OK status. */
function answer(type: string): { type: string | undefined; body: Buffer; ended: boolean } {
  const seen = { type: undefined as string | undefined, body: Buffer.alloc(0), ended: false };
  const sink = {
    head: (_status: number, headers: Headers) => {
      seen.type = headers.get('content-type');
    },
    body: (chunk: Buffer, end: boolean) => {
      seen.body = Buffer.concat([seen.body, chunk]);
      seen.ended = end;
      return true;
    },
  } as unknown as Responder;
  const request = call(type);
  request.set('accept', type);
  const bridge = new GrpcWebBridge(sink);
  bridge.begin(request);
  assert.equal(request.get('content-type'), 'application/grpc');
  bridge.head(200, Headers.of({ 'content-type': 'application/grpc' }), false);
  bridge.body(Buffer.from([0, 0, 0, 0, 1, 65]), false);
  bridge.trailers(Headers.of({ 'grpc-status': '0' }));
  return seen;
}

const lines = 'grpc-status:0\r\n';
const expected = Buffer.concat([
  Buffer.from([0, 0, 0, 0, 1, 65]),
  Buffer.from([0x80, 0, 0, 0, lines.length]),
  Buffer.from(lines),
]);

test('trailers become the last frame', () => {
  assert.deepEqual(answer('application/grpc-web+proto'), {
    type: 'application/grpc-web+proto',
    body: expected,
    ended: true,
  });
});

test('text mode is base64, frame by frame', () => {
  const seen = answer('application/grpc-web-text');
  const parts = seen.body.toString().match(/[^=]+=*/g) ?? [];
  assert.deepEqual(Buffer.concat(parts.map((part) => Buffer.from(part, 'base64'))), expected);
});

test('the request half of text mode, whatever the pieces', () => {
  const text = Buffer.from(expected).toString('base64');
  for (let size = 1; size < 9; size++) {
    const decoder = new Base64Decoder();
    const pieces: Buffer[] = [];
    for (let at = 0; at < text.length; at += size)
      pieces.push(
        decoder.decode(Buffer.from(text.slice(at, at + size)), at + size >= text.length) ??
          assert.fail('not base64'),
      );
    assert.deepEqual(Buffer.concat(pieces), expected, `pieces of ${size}`);
  }
});

test('what is not base64', () => {
  for (const text of ['AAA', 'A*AA', 'A===', '===='])
    assert.equal(new Base64Decoder().decode(Buffer.from(text), true), undefined, text);
});

test('plain gRPC is left alone', () => assert.equal(isGrpcWeb(call('application/grpc')), false));
