import assert from 'node:assert/strict';
import { test } from 'node:test';
import { proxyHeaderV1, proxyHeaderV2 } from './proxy-protocol.ts';

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
