import assert from 'node:assert/strict';
import { once } from 'node:events';
import net, { type AddressInfo } from 'node:net';
import { test } from 'node:test';
import tls from 'node:tls';
import { readClientHello } from './client-hello.ts';
import { guessHttp } from './http-inspector.ts';

/** The first bytes that a real client sends. */
async function helloOf(options: tls.ConnectionOptions): Promise<Buffer> {
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client = tls.connect({ port: (server.address() as AddressInfo).port, host: '127.0.0.1', ...options });
  client.on('error', () => undefined);
  const [socket] = (await once(server, 'connection')) as [net.Socket];
  const [bytes] = (await once(socket, 'data')) as [Buffer];
  socket.destroy();
  client.destroy();
  server.close();
  return bytes;
}

test('server name and protocols of a real hello, and of nothing less than all of it', async () => {
  const hello = await helloOf({ servername: 'Shop.Example.com', ALPNProtocols: ['h2', 'http/1.1'] });
  assert.deepEqual(readClientHello(hello), {
    kind: 'hello',
    serverName: 'shop.example.com',
    alpn: ['h2', 'http/1.1'],
  });
  for (let length = 0; length < hello.length; length++)
    assert.equal(readClientHello(hello.subarray(0, length)).kind, 'incomplete', String(length));
});

test('a hello without extensions of interest', async () => {
  const hello = await helloOf({ maxVersion: 'TLSv1.2' });
  assert.deepEqual(readClientHello(hello), { kind: 'hello', serverName: undefined, alpn: [] });
});

test('a hello cut into records', async () => {
  const hello = await helloOf({ servername: 'a.b', ALPNProtocols: ['istio'] });
  const body = hello.subarray(5);
  const record = (part: Buffer): Buffer =>
    Buffer.concat([Buffer.from([22, 3, 1, part.length >> 8, part.length & 255]), part]);
  const cut = Buffer.concat([
    record(body.subarray(0, 3)),
    record(body.subarray(3, 60)),
    record(body.subarray(60)),
  ]);
  assert.deepEqual(readClientHello(cut), { kind: 'hello', serverName: 'a.b', alpn: ['istio'] });
});

test('damaged hellos never throw', async () => {
  const hello = await helloOf({ servername: 'a.b', ALPNProtocols: ['h2'] });
  for (let at = 0; at < hello.length; at++) {
    const damaged = Buffer.from(hello);
    damaged[at] = (damaged[at] ?? 0) ^ 0xff;
    assert.ok(readClientHello(damaged).kind);
  }
});

const guesses: readonly (readonly [bytes: string, guess: string])[] = [
  ['', 'incomplete'],
  ['GET / HTTP/1.1\r\n', 'http/1.1'],
  ['GET / HTTP/1.0\r\n', 'http/1.0'],
  ['BREW /pot HTTP/1.1\r\n', 'http/1.1'],
  ['GET / HTTP/1.1', 'incomplete'],
  ['PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'h2c'],
  ['PRI * HTTP/2.0\r\n', 'incomplete'],
  ['hello', 'incomplete'],
  ['hello\n', 'other'],
  ['\x16\x03\x01', 'other'],
  ['\0\0\0', 'other'],
];
for (const [bytes, guess] of guesses)
  test(`${JSON.stringify(bytes)} is ${guess}`, () =>
    assert.equal(guessHttp(Buffer.from(bytes, 'latin1')), guess));
