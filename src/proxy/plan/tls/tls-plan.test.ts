import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fromJson, type JsonValue } from '@bufbuild/protobuf';
import { CommonTlsContextSchema } from '@meltemi/envoy-api/envoy/extensions/transport_sockets/tls/v3/tls';
import { planTls, secretsOf, type TlsPlan } from './tls-plan.ts';

function planned(json: object): { readonly plan: TlsPlan; readonly problems: readonly string[] } {
  const problems: string[] = [];
  const plan = planTls(fromJson(CommonTlsContextSchema, json as JsonValue), problems);
  assert.deepEqual(structuredClone(plan), plan);
  return { plan, problems };
}

test('versions, ciphers and curves', () => {
  const plain = planTls(undefined, []);
  assert.deepEqual(
    [plain.minVersion, plain.maxVersion, plain.ciphers, plain.curves, plain.alpn],
    ['TLSv1.2', 'TLSv1.3', [], [], []],
  );
  const { plan } = planned({
    alpn_protocols: ['h2'],
    tls_params: {
      tls_minimum_protocol_version: 'TLSv1_0',
      tls_maximum_protocol_version: 'TLSv1_2',
      cipher_suites: ['X'],
      ecdh_curves: ['P-256'],
    },
  });
  assert.deepEqual(
    [plan.minVersion, plan.maxVersion, plan.curves, plan.alpn],
    ['TLSv1', 'TLSv1.2', ['P-256'], ['h2']],
  );
  assert.deepEqual([plan.ciphers[0], plan.ciphers.length], ['X', 4]);
});

test('where certificates and roots are', () => {
  const { plan } = planned({
    tls_certificates: [
      {
        certificate_chain: { filename: '/c' },
        private_key: { inline_string: 'k' },
        password: { environment_variable: 'P' },
      },
    ],
    validation_context: { trusted_ca: {}, crl: { inline_bytes: 'AAE=' } },
  });
  assert.deepEqual(plan.certificates, [
    {
      certificateChain: { kind: 'file', path: '/c' },
      privateKey: { kind: 'inline', written: 'string', bytes: new TextEncoder().encode('k') },
      pkcs12: undefined,
      password: { kind: 'environment', variable: 'P' },
    },
  ]);
  assert.deepEqual(plan.validation?.trustedCa, { kind: 'nothing' });
  assert.deepEqual(plan.validation?.revocations, {
    kind: 'inline',
    written: 'bytes',
    bytes: Uint8Array.of(0, 1),
  });
});

test('what the certificate of a peer must have', () => {
  const { plan } = planned({
    validation_context: {
      verify_certificate_hash: ['AA:BB'],
      verify_certificate_spki: ['q'],
      trust_chain_verification: 'ACCEPT_UNTRUSTED',
      allow_expired_certificate: true,
      match_subject_alt_names: [{ exact: 'a' }],
      match_typed_subject_alt_names: [
        { san_type: 'DNS', matcher: { exact: 'b' } },
        { san_type: 'URI', matcher: { prefix: 'c' } },
        { san_type: 'EMAIL', matcher: { exact: 'd' } },
      ],
    },
  });
  const { validation } = plan;
  assert.deepEqual(
    [
      validation?.certificateHashes,
      validation?.keyHashes,
      validation?.acceptsUntrusted,
      validation?.allowsExpired,
    ],
    [['aabb'], ['q'], true, true],
  );
  assert.deepEqual(
    validation?.names.map(({ type }) => type),
    ['any', 'dns', 'uri', 'other'],
  );
});

test('secrets, by who serves them', () => {
  const api = { api_type: 'GRPC', grpc_services: [{ envoy_grpc: { cluster_name: 'sds' } }] };
  const { plan } = planned({
    tls_certificate_sds_secret_configs: [
      { name: 'a', sds_config: { ads: {}, initial_fetch_timeout: '1s' } },
      { name: 'b', sds_config: { api_config_source: api } },
      { name: 'c' },
    ],
    combined_validation_context: {
      default_validation_context: { match_subject_alt_names: [{ exact: 'x' }] },
      validation_context_sds_secret_config: { name: 'r', sds_config: { ads: {} } },
    },
  });
  assert.deepEqual(secretsOf(plan), [
    { source: '', name: 'a', waitMs: 1000 },
    { source: 'sds', name: 'b', waitMs: 15_000 },
    { source: 'static', name: 'c', waitMs: 0 },
    { source: '', name: 'r', waitMs: 15_000 },
  ]);
  assert.equal(plan.validation?.names.length, 1);
});

const refused: readonly (readonly [object, RegExp])[] = [
  [{ tls_certificate_provider_instance: { instance_name: 'x' } }, /certificate providers/],
  [{ custom_handshaker: { name: 'x' } }, /custom_handshaker/],
  [{ combined_validation_context: { default_validation_context: {} } }, /without a secret/],
  [{ validation_context: { custom_validator_config: { name: 'x' } } }, /custom_validator_config/],
  [
    { validation_context: { ca_certificate_provider_instance: { instance_name: 'x' } } },
    /ca_certificate_provider/,
  ],
  [{ validation_context: { require_signed_certificate_timestamp: true } }, /signed_certificate_timestamp/],
  [{ validation_context: { match_subject_alt_names: [{ safe_regex: { regex: '(' } }] } }, /./],
  [{ tls_certificates: [{ private_key_provider: { provider_name: 'x' } }] }, /private_key_provider/],
];
for (const [json, problem] of refused)
  test(`refused: ${JSON.stringify(json)}`, () => assert.match(planned(json).problems.join('; '), problem));
