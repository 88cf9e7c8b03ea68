import assert from 'node:assert/strict';
import net from 'node:net';
import { after, test } from 'node:test';
import { cluster, freePort, listener, portOf, startFake, talk, tcpFilter } from '../../fake-bootstrap.ts';
import type { RunningProxy } from '../../index.ts';

const cleanups: (() => unknown)[] = [];
after(async () => {
  for (const clean of cleanups.reverse()) await clean();
});

async function started(
  filter: object,
  clusters: readonly object[],
): Promise<{ proxy: RunningProxy; port: number }> {
  const port = await freePort();
  const proxy = await startFake({ listeners: [listener(port, [filter])], clusters }, { drainMs: 10_000 });
  await proxy.ready;
  return { proxy, port };
}

test('a connection that fails at once leaves nothing that a stop would wait for', async () => {
  const none = { ...cluster('up', []) };
  for (const clusters of [[], [none]]) {
    const { proxy, port } = await started(tcpFilter('up'), clusters);
    assert.equal((await talk(port, 'hello')).received, '');
    const begun = performance.now();
    await proxy.stop();
    assert.ok(performance.now() - begun < 5000);
  }
});

test('a share of connections by weight, and hosts by metadata', async () => {
  const host = async (name: string): Promise<number> => {
    const server = net.createServer((socket) => socket.on('error', () => undefined).end(name));
    cleanups.push(() => server.close());
    return portOf(server);
  };
  const [a, b] = [await host('a'), await host('b')];
  const at = (port: number, stage: string): object => ({
    endpoint: { address: { socket_address: { address: '127.0.0.1', port_value: port } } },
    metadata: { filter_metadata: { 'envoy.lb': { stage } } },
  });
  const up = cluster('up', [], {
    lb_subset_config: { subset_selectors: [{ keys: ['stage'] }] },
    load_assignment: { cluster_name: 'up', endpoints: [{ lb_endpoints: [at(a, 'a'), at(b, 'b')] }] },
  });
  const wanted = (stage: string): object => ({
    metadata_match: { filter_metadata: { 'envoy.lb': { stage } } },
  });
  const plain = await started(tcpFilter('up', wanted('b')), [up]);
  cleanups.push(() => plain.proxy.stop());
  for (let i = 0; i < 4; i++) assert.equal((await talk(plain.port, '')).received, 'b');

  const clusters = [
    { name: 'up', weight: 1, ...wanted('a') },
    { name: 'up', weight: 0, ...wanted('b') },
  ];
  const { cluster: _, ...rest } = (tcpFilter('') as { typed_config: Record<string, unknown> }).typed_config;
  const weighted = {
    name: 'tcp',
    typed_config: { ...rest, weighted_clusters: { clusters: clusters.filter((one) => one.weight > 0) } },
  };
  const shared = await started(weighted, [up]);
  cleanups.push(() => shared.proxy.stop());
  assert.equal((await talk(shared.port, '')).received, 'a');
});
