import assert from 'node:assert/strict';
import { test } from 'node:test';
import { proxyHeaderV1, proxyHeaderV2, readProxyHeader } from './proxy-protocol.ts';

const v4 = { remoteIp: '10.0.0.1', remotePort: 4711, localIp: '10.0.0.2', localPort: 80 };
const v6 = { remoteIp: 'fd00::1', remotePort: 4711, localIp: 'fd00::2', localPort: 80 };
const signature = '0d0a0d0a000d0a515549540a';

test('version 1', () => {
  assert.equal(proxyHeaderV1(v4).toString(), 'PROXY TCP4 10.0.0.1 10.0.0.2 4711 80\r\n');
  assert.equal(proxyHeaderV1(v6).toString(), 'PROXY TCP6 fd00::1 fd00::2 4711 80\r\n');
});

test('version 2', () => {
  const hex = (bytes: Buffer): string => bytes.toString('hex');
  assert.equal(hex(proxyHeaderV2(v4)), `${signature}2111000c0a0000010a00000212670050`);
  const pair = 'fd000000000000000000000000000001fd000000000000000000000000000002';
  assert.equal(hex(proxyHeaderV2(v6)), `${signature}21210024${pair}12670050`);
  const mixed = '00000000000000000000ffff0a000001fd000000000000000000000000000002';
  assert.equal(hex(proxyHeaderV2({ ...v4, localIp: 'fd00::2' })), `${signature}21210024${mixed}12670050`);
  assert.equal(hex(proxyHeaderV2(undefined)), `${signature}20000000`);
});

test('reading: what is written comes back, at every length', () => {
  for (const client of [v4, v6]) {
    for (const bytes of [proxyHeaderV1(client), proxyHeaderV2(client)]) {
      const version = bytes[0] === 0x50 ? 1 : 2;
      assert.deepEqual(readProxyHeader(Buffer.concat([bytes, Buffer.from('GET')])), {
        kind: 'header',
        version,
        length: bytes.length,
        client,
      });
      for (let i = 0; i < bytes.length; i++)
        assert.equal(readProxyHeader(bytes.subarray(0, i)).kind, 'incomplete', `${i} bytes`);
    }
  }
});

test('reading: what is none, what is nobody, what is wrong', () => {
  const kind = (bytes: string | Buffer): string =>
    readProxyHeader(Buffer.from(bytes as string, 'latin1')).kind;
  for (const bytes of ['GET / HTTP/1.1', 'PROXZ', '\x16\x03\x01', '\r\nx'])
    assert.equal(kind(bytes), 'absent', bytes);
  for (const bytes of ['PROXY UNKNOWN\r\n', 'PROXY UNKNOWN ffff::1 x 1 2\r\n'])
    assert.deepEqual(readProxyHeader(Buffer.from(bytes)), {
      kind: 'header',
      version: 1,
      length: bytes.length,
      client: undefined,
    });
  const local = proxyHeaderV2(undefined);
  assert.deepEqual(readProxyHeader(local), { kind: 'header', version: 2, length: 16, client: undefined });
  const wrong = [
    'PROXY TCP4 10.0.0.1 10.0.0.2 1\r\n',
    'PROXY TCP4 fd00::1 fd00::2 1 2\r\n',
    'PROXY TCP6 10.0.0.1 10.0.0.2 1 2\r\n',
    'PROXY TCP4 10.0.0.1 10.0.0.2 1 65536\r\n',
    'PROXY TCP4 10.0.0.1 10.0.0.2 1 2 3\r\n',
    'PROXY  TCP4 10.0.0.1 10.0.0.2 1 2\r\n',
    `PROXY ${'x'.repeat(200)}`,
  ];
  for (const bytes of wrong) assert.equal(kind(bytes), 'malformed', bytes);
  const v2 = (command: number, family: number, length: number): Buffer =>
    Buffer.concat([
      local.subarray(0, 12),
      Buffer.from([command, family, length >> 8, length & 255]),
      Buffer.alloc(length),
    ]);
  for (const bytes of [
    v2(0x11, 0x11, 12),
    v2(0x22, 0x11, 12),
    v2(0x21, 0x11, 11),
    v2(0x21, 0x21, 35),
    v2(0x21, 0x31, 216),
    v2(0x21, 0, 0),
  ])
    assert.equal(readProxyHeader(bytes).kind, 'malformed', bytes.toString('hex'));
  // What follows the addresses belongs to the header, whatever it says.
  assert.deepEqual(readProxyHeader(v2(0x21, 0x11, 0xffff)).kind, 'header');
  assert.equal(readProxyHeader(v2(0x21, 0x11, 0xffff).subarray(0, 1000)).kind, 'incomplete');
});
