import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { address, cluster, freePort, httpFilter, listener, startFake, talk } from '../fake-bootstrap.ts';
import type { RunningProxy } from '../index.ts';
import { FakeAuthority, type Pair } from '../tls/fake-certificates.ts';

const folder = mkdtempSync(join(tmpdir(), 'meltemi-admin-'));
const logFile = join(folder, 'access.log');
const accessLog = {
  name: 'file',
  typed_config: {
    '@type': 'type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog',
    path: logFile,
  },
};
const typeUrl = 'type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext';

describe('the administration interface', () => {
  let proxy: RunningProxy;
  let pair: Pair;
  let quits = 0;

  before(async () => {
    pair = await (await FakeAuthority.create('root')).issue();
    const certificate = {
      certificate_chain: { inline_string: pair.cert },
      private_key: { inline_string: pair.key },
    };
    const tls = {
      name: 'tls',
      typed_config: { '@type': typeUrl, common_tls_context: { tls_certificates: [certificate] } },
    };
    proxy = await startFake(
      {
        listeners: [listener(await freePort(), [httpFilter([], { access_log: [accessLog] })])],
        clusters: [cluster('up', [1], { transport_socket: tls })],
        more: { admin: { address: address(0) } },
      },
      { quit: () => quits++ },
    );
    await proxy.ready;
  });
  after(async () => {
    await proxy.stop();
    rmSync(folder, { recursive: true });
  });

  const ask = async (head: string): Promise<{ status: number; body: string }> => {
    const { received } = await talk(
      proxy.adminPort ?? 0,
      `${head}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`,
    );
    return { status: Number(received.slice(9, 12)), body: received.slice(received.indexOf('\r\n\r\n') + 4) };
  };
  const get = (target: string): Promise<{ status: number; body: string }> =>
    ask(`GET ${target} HTTP/1.1\r\nhost: localhost`);

  test('an access log that was moved away is made anew when it is asked for', async () => {
    assert.ok(existsSync(logFile));
    renameSync(logFile, `${logFile}.1`);
    assert.equal((await get('/reopen_logs')).status, 405);
    assert.ok(!existsSync(logFile));
    assert.equal((await ask('POST /reopen_logs HTTP/1.1\r\nhost: localhost')).status, 200);
    assert.ok(existsSync(logFile));
  });

  test('odd targets are answered', async () => {
    for (const target of [
      '//',
      '///x',
      'http://[',
      'http://%zz/',
      '*',
      '/..',
      '/%',
      '/stats%',
      '/?',
      '/nothing',
    ])
      assert.equal((await get(target)).status, 404, target);
    assert.equal((await ask('OPTIONS * HTTP/1.1\r\nhost: a')).status, 404);
    assert.equal((await get('/ready?x=%zz')).status, 200);
    assert.equal((await ask('GET /ready HTTP/1.1\r\nhost: evil.example')).status, 200);
  });

  test('bytes that are not HTTP do no harm', async () => {
    for (const bytes of ['\0\x01garbage\r\n\r\n', 'GET / HTTP/9.9\r\n\r\n', 'GET\r\n\r\n'])
      await talk(proxy.adminPort ?? 0, bytes);
    assert.equal((await get('/ready')).body, 'LIVE\n');
  });

  test('changes are taken by POST, under a name of its own, from no other site', async () => {
    const own = `127.0.0.1:${proxy.adminPort}`;
    const cases: readonly (readonly [string, number])[] = [
      ['GET /healthcheck/fail HTTP/1.1\r\nhost: localhost', 405],
      ['GET /quitquitquit HTTP/1.1\r\nhost: localhost', 405],
      ['POST /quitquitquit HTTP/1.1\r\nhost: evil.example', 403],
      ['POST /drain_listeners HTTP/1.1\r\nhost: localhost.evil.example', 403],
      ['POST /drain_listeners HTTP/1.1\r\nhost: 127.0.0.1.evil.example:15000', 403],
      ['POST /reset_counters HTTP/1.1\r\nhost: 10.9.9.9', 403],
      ['POST /reset_counters HTTP/1.1\r\nhost:', 403],
      [`POST /reset_counters HTTP/1.1\r\nhost: ${own}\r\norigin: http://evil.example`, 403],
      [`POST /reset_counters HTTP/1.1\r\nhost: ${own}\r\norigin: null`, 403],
      [`POST /reset_counters HTTP/1.1\r\nhost: ${own}\r\norigin: http://${own}`, 200],
      ['POST /reset_counters HTTP/1.1\r\nhost: LOCALHOST:15000', 200],
      ['POST /reset_counters HTTP/1.1\r\nhost: [::1]:15000', 200],
      ['POST /healthcheck/ok HTTP/1.1\r\nhost: 127.0.0.1', 200],
    ];
    for (const [head, status] of cases) assert.equal((await ask(head)).status, status, head);
    assert.equal(quits, 0);
    assert.equal((await ask('POST /quitquitquit HTTP/1.1\r\nhost: localhost')).status, 200);
    await new Promise(setImmediate);
    assert.equal(quits, 1);
  });

  test("statistics as Istio's agent asks for them", async () => {
    const { body } = await get('/stats?usedonly&filter=^(server\\.state|listener_manager\\.workers_started)');
    assert.equal(body, 'listener_manager.workers_started: 1\nserver.state: 0\n');
    assert.equal((await get('/stats?filter=(')).status, 400);
    assert.equal((await get('/stats?usedonly&filter=^cluster\\.up\\.upstream_cx_total$')).body, '');
    assert.match(
      (await get('/stats?filter=cluster.up.upstream_cx_total')).body,
      /^cluster\.up\.upstream_cx_total: 0$/m,
    );
    assert.match((await get('/stats/prometheus')).body, /^envoy_server_state 0$/m);
  });

  test('private keys are not shown', async () => {
    const { body } = await get('/config_dump');
    assert.match(body, /\[redacted\]/);
    assert.ok(body.includes(JSON.stringify(pair.cert).slice(1, -1)), 'the certificate is shown');
    // The lines behind the first hold the public key as well.
    const secret = pair.key.split('\n')[1] ?? '';
    assert.equal(secret.length, 64);
    assert.ok(!body.includes(secret));
  });

  test('a client that goes away in the middle does no harm', async () => {
    const socket = net.connect(proxy.adminPort ?? 0, '127.0.0.1', () => {
      socket.write('GET /config_dump HTTP/1.1\r\nhost: a\r\n\r\n');
      socket.resetAndDestroy();
    });
    await new Promise((resolve) => socket.on('close', resolve));
    assert.equal((await get('/ready')).status, 200);
  });
});
