// TLS to hosts: whom it trusts, and that a host which is not trusted costs one connection and nothing else.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { after, before, describe, test } from 'node:test';
import tls from 'node:tls';
import { fromJson, type JsonValue } from '@bufbuild/protobuf';
import { CommonTlsContextSchema } from '@meltemi/envoy-api/envoy/extensions/transport_sockets/tls/v3/tls';
import { readSource } from '../../net/data-source.ts';
import { Stats } from '../../observe/stats.ts';
import { planTls } from '../../plan/tls/tls-plan.ts';
import { FakeAuthority } from '../../tls/fake-certificates.ts';
import { HandshakeReport } from '../../tls/handshake-report.ts';
import { SecretStore } from '../../tls/secret-store.ts';
import { TlsContext } from '../../tls/tls-context.ts';
import { TlsTransport } from './tls-transport.ts';

describe('handshakes with hosts', () => {
  let trusted: FakeAuthority;
  let stranger: FakeAuthority;
  const servers: tls.Server[] = [];

  before(async () => {
    [trusted, stranger] = await Promise.all([
      FakeAuthority.create('trusted'),
      FakeAuthority.create('stranger'),
    ]);
  });
  after(() => {
    for (const server of servers) server.close();
  });

  async function listen(authority: FakeAuthority): Promise<number> {
    const { cert, key } = await authority.issue();
    const server = tls.createServer({ cert, key }, (socket) => socket.on('error', () => {}));
    server.on('tlsClientError', () => {});
    servers.push(server);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return (server.address() as AddressInfo).port;
  }

  function transport(): { readonly tls: TlsTransport; readonly lines: string[] } {
    const problems: string[] = [];
    const common = fromJson(CommonTlsContextSchema, {
      validation_context: { trusted_ca: { inline_string: trusted.root } },
    } as JsonValue);
    const secrets = new SecretStore(() => undefined, readSource);
    const context = new TlsContext(planTls(common, problems), secrets, problems);
    assert.deepEqual(problems, []);
    const lines: string[] = [];
    const report = new HandshakeReport({
      scope: 'cluster.x',
      stats: new Stats(),
      log: (_, line) => lines.push(line),
      now: () => 0,
    });
    return { tls: new TlsTransport(context, 'a.example', report), lines };
  }

  function connect(port: number, through: TlsTransport): Promise<string> {
    return new Promise((resolve) => {
      through.connect(
        {
          host: '127.0.0.1',
          port,
          timeoutMs: 5000,
          alpn: [],
          sni: undefined,
          verifyName: undefined,
          client: undefined,
        },
        {
          connected: (wire) => {
            wire.destroy();
            resolve('connected');
          },
          failed: (detail) => resolve(detail),
        },
      );
    });
  }

  test('a host of the right authority is trusted', async () => {
    assert.equal(await connect(await listen(trusted), transport().tls), 'connected');
  });

  test('a host of another authority is refused, as often as it comes, with a line that says why', async () => {
    const port = await listen(stranger);
    const { tls: through, lines } = transport();
    for (let i = 0; i < 20; i++)
      assert.match(await connect(port, through), /^TLS error: the certificate is not trusted/);
    assert.match(
      lines[0] ?? '',
      /^cluster\.x: TLS handshake with 127\.0\.0\.1:\d+ failed: the certificate is not trusted: \w+/,
    );
    assert.equal(lines.length, 1);
  });
});
