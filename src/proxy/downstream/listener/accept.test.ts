import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { proxyHeaderV1, proxyHeaderV2 } from '../../codec/proxy-protocol.ts';
import { freePort, httpFilter, listener, startFake, talk } from '../../fake-bootstrap.ts';
import type { RunningProxy } from '../../index.ts';

const started: RunningProxy[] = [];
after(() => Promise.all(started.map((proxy) => proxy.stop())));

const type = 'type.googleapis.com/envoy.extensions.filters.listener';
const who = '%DOWNSTREAM_REMOTE_ADDRESS% to %DOWNSTREAM_LOCAL_ADDRESS%';

/** A listener that takes addresses from PROXY headers and says what it took. */
async function proxied(config: object): Promise<number> {
  const port = await freePort();
  const route = {
    match: { prefix: '/' },
    direct_response: { status: 200 },
    response_headers_to_add: [{ header: { key: 'x-who', value: who } }],
  };
  const filters = [
    {
      name: 'envoy.filters.listener.proxy_protocol',
      typed_config: { '@type': `${type}.proxy_protocol.v3.ProxyProtocol`, ...config },
    },
    {
      name: 'envoy.filters.listener.http_inspector',
      typed_config: { '@type': `${type}.http_inspector.v3.HttpInspector` },
    },
  ];
  const proxy = await startFake({
    listeners: [
      listener(port, [httpFilter([route], { use_remote_address: true })], {
        listener_filters: filters,
        listener_filters_timeout: '0.2s',
      }),
    ],
  });
  started.push(proxy);
  await proxy.ready;
  return port;
}

const client = { remoteIp: '192.0.2.1', remotePort: 4711, localIp: '198.51.100.1', localPort: 443 };
const get = 'GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n';
const saysWho = async (port: number, header: string): Promise<string | undefined> =>
  /^x-who: (.*)\r$/m.exec((await talk(port, header + get)).received)?.[1];

test('the client is who the header says', async () => {
  const port = await proxied({});
  for (const header of [proxyHeaderV1(client), proxyHeaderV2(client)])
    assert.equal(await saysWho(port, header.toString('latin1')), '192.0.2.1:4711 to 198.51.100.1:443');
  assert.match(
    (await saysWho(port, proxyHeaderV2(undefined).toString('latin1'))) ?? '',
    new RegExp(`^127.0.0.1:\\d+ to 127.0.0.1:${port}$`),
  );
});

test('without a header, or with half of one, nobody gets in', async () => {
  const port = await proxied({});
  assert.equal((await talk(port, get)).received, '');
  assert.equal((await talk(port, `PROXY TCP4 x y 1 2\r\n${get}`)).received, '');
  assert.equal((await talk(port, 'PROXY TCP4 10.0')).received, '');
});

test('where it is optional, others are who they are', async () => {
  const port = await proxied({ allow_requests_without_proxy_protocol: true });
  assert.match((await saysWho(port, '')) ?? '', /^127\.0\.0\.1:/);
  assert.match((await saysWho(port, proxyHeaderV1(client).toString())) ?? '', /^192\.0\.2\.1:4711/);
  assert.equal((await talk(port, `PROXY TCP4 x y 1 2\r\n${get}`)).received, '');
});
