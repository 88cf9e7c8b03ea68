import assert from 'node:assert/strict';
import net from 'node:net';
import { test } from 'node:test';
import fc from 'fast-check';
import { ipVersion, isIpv4, isIpv6 } from './ip-text.ts';

const samples = [
  '',
  '0.0.0.0',
  '255.255.255.255',
  '256.1.1.1',
  '01.2.3.4',
  '1.2.3',
  '1.2.3.4.',
  '1.2.3.4.5',
  ' 1.2.3.4',
  '::',
  '::1',
  '1::',
  '1:2:3:4:5:6:7:8',
  '1:2:3:4:5:6:7',
  '1:2:3:4:5:6:7:8:9',
  '1:2:3:4:5:6:7::',
  '::2:3:4:5:6:7:8',
  '1::2::3',
  ':::',
  ':1',
  '1:',
  '::ffff:1.2.3.4',
  '::1.2.3.4',
  '1:2:3:4:5:6:1.2.3.4',
  '1:2:3:4:5:6:7:1.2.3.4',
  '1.2.3.4::',
  '::1.2.3.4:5',
  '::12345',
  '::g',
  'fe80::1%eth0',
  'fe80::1%',
  '[::1]',
];

test('the same verdicts as of node:net', () => {
  const agrees = (text: string): void => {
    assert.equal(isIpv4(text), net.isIPv4(text), text);
    assert.equal(isIpv6(text), net.isIPv6(text), text);
    assert.equal(ipVersion(text), net.isIP(text), text);
  };
  samples.forEach(agrees);
  const letter = fc.constantFrom(...'0123456789abcf::::....');
  fc.assert(fc.property(fc.string({ unit: letter, maxLength: 24 }), agrees), { numRuns: 5000, seed: 1 });
  fc.assert(fc.property(fc.ipV6(), agrees), { numRuns: 1000, seed: 1 });
  fc.assert(fc.property(fc.ipV4(), agrees), { numRuns: 1000, seed: 1 });
});
