import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';
import { Headers } from '../../codec/http/headers.ts';
import type { UpstreamReceiver, UpstreamStream } from '../../codec/http/message-contract.ts';
import { Request } from '../../codec/http/request.ts';
import { FakeClock } from '../../net/fake-clock.ts';
import { FakeWire } from './fake-wire.ts';
import { H1Client } from './h1-client.ts';
import { staleConnection } from './upstream-connection.ts';

/** Writes down what a request is told. */
function recorder(log: string[]): UpstreamReceiver {
  return {
    interim: (status) => log.push(`interim ${status}`),
    head: (status, _headers, end, full) => log.push(`head ${status} ${full ?? ''}${end ? '.' : ''}`),
    body: (chunk, end) => log.push(`body ${chunk.toString()}${end ? '.' : ''}`),
    trailers: () => log.push('trailers'),
    flush: () => undefined,
    writable: () => undefined,
    failed: (reason, detail) => log.push(`failed ${reason} ${detail}`.trim()),
  };
}

describe('an HTTP/1.1 connection to a host', () => {
  const clock = new FakeClock();
  let wire: FakeWire;
  let client: H1Client;
  let log: string[];
  let events: string[];

  beforeEach(() => {
    wire = new FakeWire();
    log = [];
    events = [];
    client = new H1Client(
      wire,
      { released: () => events.push('released'), gone: () => events.push('gone') },
      { now: clock.now, maxRequests: 0, trailers: true },
    );
  });

  const ask = (method = 'GET', end = true, full?: string): UpstreamStream => {
    const head = new Request({
      method,
      path: '/p',
      authority: 'h',
      scheme: 'http',
      upgrade: undefined,
      protocol: 'http/1.1',
      headers: new Headers(),
    });
    return client.request(head, end, full, recorder(log));
  };

  test('is used again after a clean exchange', () => {
    ask();
    assert.equal(wire.written, 'GET /p HTTP/1.1\r\nhost: h\r\n\r\n');
    wire.receive('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok');
    assert.deepEqual([log, events, client.available], [['head 200 ok.'], ['released'], true]);
  });

  test('says that a POST has no body', () => {
    ask('POST');
    assert.match(wire.written, /content-length: 0\r\n/);
  });

  test('passes interim responses on', () => {
    ask();
    wire.receive(
      'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n',
    );
    assert.deepEqual(log, ['interim 100', 'interim 103', 'head 204 .']);
  });

  const unusable: Readonly<Record<string, string>> = {
    'a response that says close': 'HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n',
    'bytes after the response': 'HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\nHTTP/1.1 200 OK\r\n',
    'HTTP/1.0': 'HTTP/1.0 200 OK\r\ncontent-length: 0\r\n\r\n',
  };
  for (const [name, response] of Object.entries(unusable))
    test(`is not used again after ${name}`, () => {
      ask();
      wire.receive(response);
      assert.deepEqual([log, events, wire.destroyed], [['head 200 .'], ['gone'], true]);
    });

  test('is not used again when the response overtook the request', () => {
    ask('POST', false);
    wire.receive('HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n');
    assert.deepEqual([events, wire.destroyed], [['gone'], true]);
  });

  test('unasked bytes end it', () => {
    wire.receive('HTTP/1.1 200 OK\r\n\r\n');
    assert.ok(wire.destroyed);
  });

  test('an upgrade that nobody asked for is an error', () => {
    ask();
    wire.receive('HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n');
    assert.deepEqual(log, ['failed protocol-error unexpected 101']);
  });

  test('a cut response is reported once', () => {
    ask();
    wire.receive('HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nabc');
    wire.events?.onEnd();
    wire.destroy();
    assert.deepEqual(log, ['head 200 ', 'body abc', 'failed termination']);
  });

  test('a close after long idleness is told from another', () => {
    const exchange = (idle: number): void => {
      ask();
      wire.receive('HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n');
      clock.advance(idle);
      ask();
      wire.events?.onEnd();
    };
    exchange(5000);
    assert.equal(log.at(-1), `failed termination ${staleConnection}`);
    wire = new FakeWire();
    client = new H1Client(
      wire,
      { released: () => undefined, gone: () => undefined },
      { now: clock.now, maxRequests: 0, trailers: true },
    );
    exchange(10);
    assert.equal(log.at(-1), 'failed termination');
  });
});
