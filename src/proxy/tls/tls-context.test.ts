import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fromJson, type JsonValue } from '@bufbuild/protobuf';
import { SecretSchema } from '@meltemi/envoy-api/envoy/extensions/transport_sockets/tls/v3/secret';
import { CommonTlsContextSchema } from '@meltemi/envoy-api/envoy/extensions/transport_sockets/tls/v3/tls';
import { readSource } from '../net/data-source.ts';
import { planTls } from '../plan/tls/tls-plan.ts';
import { FakeAuthority, type Pair } from './fake-certificates.ts';
import { SecretStore } from './secret-store.ts';
import { TlsContext } from './tls-context.ts';

const inline = (text: string): JsonValue => ({ inline_string: text });
const sds = (name: string): JsonValue => ({ name, sds_config: { ads: {} } });
const adsRef = (name: string): { source: string; name: string } => ({ source: '', name });

describe('TLS contexts', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'tls-plan-'));
  const empty = path.join(folder, 'empty.pem');
  const garbage = path.join(folder, 'garbage.pem');
  let authority: FakeAuthority;
  let own: Pair;
  let other: Pair;
  let revoked: string;

  before(async () => {
    writeFileSync(empty, '');
    writeFileSync(garbage, '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n');
    authority = await FakeAuthority.create('root');
    [own, other] = [await authority.issue(), await authority.issue()];
    revoked = await authority.revocations([other]);
  });
  after(() => rmSync(folder, { recursive: true }));

  const compile = (
    common: JsonValue,
    store = new SecretStore(() => undefined, readSource),
  ): { context: TlsContext; problems: string[] } => {
    const problems: string[] = [];
    const plan = planTls(fromJson(CommonTlsContextSchema, common), problems);
    return { context: new TlsContext(plan, store, problems), problems };
  };

  test('what cannot be read, is empty or does not fit together is a problem', () => {
    const pair = (cert: JsonValue, key: JsonValue): JsonValue => ({
      tls_certificates: [{ certificate_chain: cert, private_key: key }],
    });
    const trust = (context: JsonValue): JsonValue => ({ validation_context: context });
    const ca = inline(authority.root);
    const cases: readonly (readonly [JsonValue, RegExp])[] = [
      [
        trust({ trusted_ca: { filename: path.join(folder, 'none.pem') } }),
        /Failed to load trusted CA certificates: .*none\.pem cannot be read: ENOENT/,
      ],
      [trust({ trusted_ca: { filename: folder } }), /cannot be read: EISDIR/],
      [trust({ trusted_ca: { filename: empty } }), /empty\.pem is empty/],
      [trust({ trusted_ca: { inline_string: ' \n' } }), /inline string is empty/],
      [
        trust({ trusted_ca: { environment_variable: 'NO_SUCH_VARIABLE' } }),
        /environment variable NO_SUCH_VARIABLE is empty/,
      ],
      [trust({ trusted_ca: {} }), /nothing is named/],
      [trust({ trusted_ca: { filename: garbage } }), /Failed to load trusted CA certificates/],
      [trust({ trusted_ca: inline('no pem at all') }), /no certificate in it/],
      [
        trust({ trusted_ca: inline(`${authority.root}\n-----BEGIN CERTIFICATE-----\nAA`) }),
        /Failed to load trusted CA certificates/,
      ],
      [trust({ trusted_ca: ca, crl: { filename: empty } }), /Failed to load CRL: .* is empty/],
      [trust({ trusted_ca: ca, crl: inline('x') }), /Failed to load CRL: no revocation list in it/],
      [
        trust({ trusted_ca: ca, crl: inline('-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----') }),
        /Failed to load CRL/,
      ],
      [trust({ match_subject_alt_names: [{ exact: 'a.example' }] }), /without trusted CA is insecure/],
      [trust({ custom_validator_config: { name: 'x' } }), /custom_validator_config is not supported/],
      [
        pair({ filename: path.join(folder, 'none.pem') }, inline(own.key)),
        /Failed to load certificate chain: .*ENOENT/,
      ],
      [pair(inline(own.cert), { filename: empty }), /Failed to load private key: .*empty/],
      [pair(inline(own.cert), {}), /incomplete certificate/],
      [pair(inline(own.cert), inline(other.key)), /Failed to load certificate and private key: .*mismatch/],
      [pair(inline(own.cert), inline('x')), /Failed to load certificate and private key/],
      [
        { tls_certificate_provider_instance: { instance_name: 'x' } },
        /certificate providers are not supported/,
      ],
      [
        {
          combined_validation_context: {
            default_validation_context: { trusted_ca: { filename: empty } },
            validation_context_sds_secret_config: sds('r'),
          },
        },
        /empty\.pem is empty/,
      ],
    ];
    for (const [common, expected] of cases) {
      const { context: tls, problems } = compile(common);
      assert.match(problems.join('; '), expected, JSON.stringify(common).slice(0, 200));
      assert.equal(tls.ready, false, `usable in spite of ${problems}`);
    }
  });

  test('what is whole is taken', () => {
    const { context: tls, problems } = compile({
      tls_certificates: [{ certificate_chain: inline(own.cert), private_key: inline(own.key) }],
      validation_context: {
        trusted_ca: inline(authority.root),
        crl: inline(revoked),
        match_subject_alt_names: [{ exact: 'a.example' }],
      },
    });
    assert.deepEqual(problems, []);
    assert.equal(tls.ready, true);
    assert.equal(tls.trust?.verifies, true);
  });

  test('a secret that cannot be used is refused, and the one before stays', () => {
    const store = new SecretStore(() => undefined, readSource);
    const { context: tls, problems } = compile(
      { tls_certificate_sds_secret_configs: [sds('own')], validation_context_sds_secret_config: sds('root') },
      store,
    );
    assert.deepEqual([problems, tls.ready], [[], false]);
    const put = (name: string, json: JsonValue): readonly string[] =>
      store.put(adsRef(name), fromJson(SecretSchema, { name, ...(json as object) }));
    const identity = (pair: Pair): JsonValue => ({
      tls_certificate: { certificate_chain: inline(pair.cert), private_key: inline(pair.key) },
    });

    assert.match(
      put('root', { validation_context: { trusted_ca: inline('') } }).join(),
      /root: Failed to load trusted CA certificates: inline string is empty/,
    );
    assert.match(put('root', { validation_context: {} }).join(), /without trusted CA certificates/);
    assert.deepEqual(put('own', identity(own)), []);
    assert.equal(tls.ready, false, 'verifies nothing while the roots are not there');

    assert.deepEqual(put('root', { validation_context: { trusted_ca: inline(authority.root) } }), []);
    assert.equal(tls.ready, true);
    const before = tls.context();

    assert.match(
      put('own', {
        tls_certificate: { certificate_chain: inline(own.cert), private_key: inline(other.key) },
      }).join(),
      /mismatch/,
    );
    assert.match(put('root', { validation_context: { trusted_ca: { filename: empty } } }).join(), /is empty/);
    assert.match(
      put('root', {
        validation_context: { trusted_ca: inline(authority.root), crl: { filename: empty } },
      }).join(),
      /CRL/,
    );
    assert.equal(tls.context(), before);
    assert.equal(tls.trust?.verifies, true);

    assert.deepEqual(put('own', identity(other)), []);
    assert.notEqual(tls.context(), before);
  });

  test('a secret that does not come in time holds nothing up, and is used when it comes', async () => {
    const store = new SecretStore(() => undefined, readSource);
    const woken = new Promise<void>((resolve) => store.onChange(resolve));
    const timely = { name: 'own', sds_config: { ads: {}, initial_fetch_timeout: '0.02s' } };
    const forever = { name: 'own', sds_config: { ads: {}, initial_fetch_timeout: '0s' } };
    const { context: tls } = compile({ tls_certificate_sds_secret_configs: [timely] }, store);
    const { context: patient } = compile(
      { tls_certificate_sds_secret_configs: [forever] },
      new SecretStore(() => undefined, readSource),
    );
    assert.deepEqual([tls.settled, tls.ready], [false, false]);
    // The store's own timer does not keep a process alive.
    const alive = setInterval(() => undefined, 1000);
    await woken;
    clearInterval(alive);
    assert.deepEqual([tls.settled, tls.ready, patient.settled], [true, false, false]);
    assert.throws(() => tls.context(), /not supplied/);
    store.put(
      adsRef('own'),
      fromJson(SecretSchema, {
        name: 'own',
        tls_certificate: { certificate_chain: inline(own.cert), private_key: inline(own.key) },
      }),
    );
    assert.deepEqual([tls.settled, tls.ready], [true, true]);
  });

  test('a secret of the wrong kind is not waited for as if it had come', () => {
    const store = new SecretStore(() => undefined, readSource);
    const { context: tls } = compile({ tls_certificate_sds_secret_configs: [sds('x')] }, store);
    store.put(
      adsRef('x'),
      fromJson(SecretSchema, { name: 'x', validation_context: { trusted_ca: inline(authority.root) } }),
    );
    assert.equal(tls.ready, false);
  });
});
