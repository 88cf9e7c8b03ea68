// What counts as a certificate and its key.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isCertificatePair, isCertificates } from './pem.ts';

const der = Buffer.from([0x30, 3, 2, 1, 5]).toString('base64');
const long = Buffer.from([0x30, 0x81, 130, ...new Array<number>(130).fill(0)]).toString('base64');
const block = (label: string, content: string): string =>
  `-----BEGIN ${label}-----\n${content}\n-----END ${label}-----\n`;

const cases: readonly (readonly [string, string, boolean])[] = [
  ['a certificate', block('CERTIFICATE', der), true],
  [
    'a chain, with text around it',
    `subject=x\n${block('CERTIFICATE', der)}\n${block('CERTIFICATE', long)}`,
    true,
  ],
  ['a long one on several lines', block('CERTIFICATE', long.replace(/(.{64})/g, '$1\n')), true],
  ['no PEM', 'hello', false],
  ['nothing', '', false],
  ['a key', block('PRIVATE KEY', der), false],
  ['a content that is cut off', block('CERTIFICATE', long.slice(0, 80)), false],
  ['a content that is no sequence', block('CERTIFICATE', Buffer.from('hello').toString('base64')), false],
  ['other ends than begins', block('CERTIFICATE', der).replace('END CERTIFICATE', 'END KEY'), false],
];

for (const [name, text, expected] of cases)
  test(`certificates: ${name}`, () => {
    assert.equal(isCertificates(text), expected);
  });

test('a pair has both', () => {
  const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
  const [certificate, key] = [bytes(block('CERTIFICATE', der)), bytes(block('EC PRIVATE KEY', der))];
  assert.equal(isCertificatePair(certificate, key), true);
  assert.equal(isCertificatePair(certificate, certificate), false);
  assert.equal(isCertificatePair(certificate, undefined), false);
  assert.equal(isCertificatePair(bytes('x'), key), false);
});
