import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fromJson } from '@bufbuild/protobuf';
import { CertificateValidationContextSchema } from '@meltemi/envoy-api/envoy/extensions/transport_sockets/tls/v3/common';
import { planValidation } from '../plan/tls/validation-plan.ts';
import { readSans, sanCheck } from './san.ts';

test('names as node prints them', () => {
  assert.deepEqual(readSans('URI:spiffe://a/ns/b, DNS:x.y, IP Address:1.2.3.4, DNS:z'), {
    uris: ['spiffe://a/ns/b'],
    dns: ['x.y', 'z'],
    others: ['1.2.3.4'],
  });
  // A name with a comma is quoted: it must not be read as two.
  assert.deepEqual(readSans('URI:"spiffe://a, DNS:evil", DNS:x'), {
    uris: ['spiffe://a, DNS:evil'],
    dns: ['x'],
    others: [],
  });
  assert.deepEqual(readSans(undefined), { uris: [], dns: [], others: [] });
});

const cases: readonly (readonly [matchers: object[], sans: string, expected: boolean | undefined])[] = [
  [[], 'DNS:x', undefined],
  [[{ exact: 'spiffe://a/ns/b/sa/c' }], 'URI:spiffe://a/ns/b/sa/c', true],
  [[{ exact: 'spiffe://a/ns/b/sa/c' }], 'URI:spiffe://a/ns/b/sa/cc', false],
  [[{ prefix: 'spiffe://a/' }], 'URI:spiffe://a/ns/b', true],
  [[{ prefix: 'spiffe://a/' }], 'DNS:x, URI:spiffe://b/', false],
  [[{ exact: 'no' }, { exact: 'a.example.com' }], 'DNS:*.example.com', true],
  [[{ exact: 'a.b.example.com' }], 'DNS:*.example.com', false],
];
for (const [matchers, sans, expected] of cases)
  test(`${JSON.stringify(matchers)} against ${sans}`, () => {
    const problems: string[] = [];
    const context = fromJson(CertificateValidationContextSchema, {
      match_subject_alt_names: matchers,
    } as never);
    const check = sanCheck(planValidation(context, problems).names);
    assert.equal(check?.(readSans(sans)), expected);
    assert.deepEqual(problems, []);
  });
