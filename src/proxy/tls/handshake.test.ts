import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import net, { type AddressInfo } from 'node:net';
import { after, before, describe, test } from 'node:test';
import tls from 'node:tls';
import { create, fromJson, type JsonValue, toBinary } from '@bufbuild/protobuf';
import { AnySchema } from '@bufbuild/protobuf/wkt';
import { TransportSocketSchema } from '@meltemi/envoy-api/envoy/config/core/v3/base';
import { DownstreamTlsContextSchema } from '@meltemi/envoy-api/envoy/extensions/transport_sockets/tls/v3/tls';
import { readSource } from '../net/data-source.ts';
import { Stats } from '../observe/stats.ts';
import { planDownstreamTls } from '../plan/tls/downstream-tls-plan.ts';
import { DownstreamTls } from './downstream-tls.ts';
import { FakeAuthority, type Pair } from './fake-certificates.ts';
import { HandshakeReport } from './handshake-report.ts';
import { SecretStore } from './secret-store.ts';

const typeUrl = 'type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext';
const inline = (text: string): JsonValue => ({ inline_string: text });

describe('handshakes with clients', () => {
  let trusted: FakeAuthority;
  let [server, good, expired, foreign, revoked]: Pair[] = [];
  let crl = '';

  before(async () => {
    trusted = await FakeAuthority.create('trusted');
    const stranger = await FakeAuthority.create('stranger');
    server = await trusted.issue();
    good = await trusted.issue({ names: ['client.example'] });
    expired = await trusted.issue({ notAfter: new Date(Date.now() - 1000) });
    revoked = await trusted.issue();
    foreign = await stranger.issue();
    crl = await trusted.revocations([revoked]);
  });

  const servers: net.Server[] = [];
  after(() => {
    for (const one of servers) one.close();
  });

  interface Outcome {
    readonly accepted: boolean;
    readonly counters: Readonly<Record<string, number>>;
    readonly lines: readonly string[];
  }

  /** One handshake under the validation context, by a client with this certificate. */
  const handshake = async (
    context: object,
    client: Pair | undefined,
    { required = true, times = 1, version = 'TLSv1.3' as tls.SecureVersion } = {},
  ): Promise<Outcome> => {
    const stats = new Stats();
    const lines: string[] = [];
    const report = new HandshakeReport({
      scope: 'listener.x',
      stats,
      log: (_level, line) => lines.push(line),
      now: () => 0,
    });
    const problems: string[] = [];
    const source = fromJson(DownstreamTlsContextSchema, {
      require_client_certificate: required,
      common_tls_context: {
        tls_certificates: [
          { certificate_chain: inline(server?.cert ?? ''), private_key: inline(server?.key ?? '') },
        ],
        validation_context: { trusted_ca: inline(trusted.root), ...context },
      },
    } as JsonValue);
    const any = create(AnySchema, { typeUrl, value: toBinary(DownstreamTlsContextSchema, source) });
    const socket = create(TransportSocketSchema, {
      name: 'tls',
      configType: { case: 'typedConfig', value: any },
    });
    const plan = planDownstreamTls(socket, problems);
    const secrets = new SecretStore(() => undefined, readSource);
    const downstream = plan && new DownstreamTls(plan, secrets, problems);
    assert.deepEqual(problems, []);
    let over = Promise.withResolvers<boolean>();
    const listener = net.createServer({ pauseOnConnect: true }, (accepted) => {
      downstream?.handshake(accepted, [], 5000, {
        secured: (secure, _alpn, facts) => {
          report.succeeded(facts.peer !== undefined);
          secure.end('x');
          over.resolve(true);
        },
        failed: (failure) => {
          report.failed(failure, 'peer');
          over.resolve(false);
        },
      });
    });
    servers.push(listener.listen(0, '127.0.0.1'));
    await once(listener, 'listening');
    const { port } = listener.address() as AddressInfo;
    let session: Buffer | undefined;
    let accepted = false;
    for (let i = 0; i < times; i++) {
      over = Promise.withResolvers();
      const options = { ...client, minVersion: version, maxVersion: version, session };
      const dialling = tls.connect({ host: '127.0.0.1', port, rejectUnauthorized: false, ...options });
      const ticket = i + 1 === times ? undefined : once(dialling, 'session');
      dialling.on('session', (bytes: Buffer) => {
        session = bytes;
      });
      dialling.on('error', () => undefined);
      dialling.resume();
      accepted = await over.promise;
      if (accepted) await ticket;
      dialling.destroy();
    }
    return {
      accepted,
      counters: Object.fromEntries(
        stats.all().map((stat) => [stat.name.slice('listener.x.ssl.'.length), stat.value]),
      ),
      lines,
    };
  };

  test('a client of the trusted roots is let in', async () => {
    assert.deepEqual(await handshake({}, good), { accepted: true, counters: { handshake: 1 }, lines: [] });
    assert.deepEqual(await handshake({}, undefined, { required: false }), {
      accepted: true,
      counters: { handshake: 1, no_certificate: 1 },
      lines: [],
    });
  });

  test('each refusal is counted and says why', async () => {
    const fingerprint = new X509Certificate(foreign?.cert ?? '').fingerprint256;
    const cases: readonly (readonly [object, Pair | undefined, string, RegExp])[] = [
      [{}, undefined, 'fail_verify_no_cert', /certificate/],
      [{}, foreign, 'fail_verify_error', /not trusted.*unable to/],
      [{}, expired, 'fail_verify_error', /not trusted.*expired/],
      [{ crl: inline(crl) }, revoked, 'fail_verify_error', /not trusted.*revoked/],
      [{ match_subject_alt_names: [{ exact: 'someone.example' }] }, good, 'fail_verify_san', /names/],
      [{ verify_certificate_hash: [fingerprint] }, good, 'fail_verify_cert_hash', /pinned/],
      [{ verify_certificate_spki: ['AAAA'] }, good, 'fail_verify_cert_hash', /pinned/],
    ];
    for (const [context, client, counter, text] of cases) {
      // With TLS 1.3 a missing certificate is an error of the handshake, others are found after it.
      const outcome = await handshake(context, client);
      assert.equal(outcome.accepted, false, counter);
      assert.deepEqual(outcome.counters, { [counter]: 1 });
      assert.match(outcome.lines.join(), text);
    }
    assert.equal(
      (await handshake({}, foreign, { required: false })).accepted,
      false,
      'an optional certificate must be a good one, too',
    );
  });

  test('what the configuration forgives is forgiven', async () => {
    const pin = new X509Certificate(good?.cert ?? '').fingerprint256;
    assert.equal((await handshake({ allow_expired_certificate: true }, expired)).accepted, true);
    assert.equal((await handshake({ crl: inline(crl) }, good)).accepted, true);
    assert.equal(
      (await handshake({ verify_certificate_hash: [pin.toLowerCase().replaceAll(':', '')] }, good)).accepted,
      true,
    );
    assert.equal((await handshake({ trust_chain_verification: 'ACCEPT_UNTRUSTED' }, foreign)).accepted, true);
  });

  test('a client with a certificate may resume its session', async () => {
    for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
      const outcome = await handshake({}, good, { times: 2, version });
      assert.deepEqual(outcome, { accepted: true, counters: { handshake: 2 }, lines: [] });
    }
  });

  test('lines are few, and say how many were left out', () => {
    const lines: string[] = [];
    let now = 0;
    const report = new HandshakeReport({
      scope: 'listener.x',
      stats: new Stats(),
      log: (_level, line) => lines.push(line),
      now: () => now,
    });
    for (let i = 0; i < 50; i++) report.failed({ kind: 'error', detail: 'bad' }, 'peer');
    now = 2000;
    report.failed({ kind: 'error', detail: 'bad' }, 'peer');
    assert.deepEqual(lines, [
      'listener.x: TLS handshake with peer failed: bad',
      'listener.x: TLS handshake with peer failed: bad (49 more since the last line)',
    ]);
  });
});
