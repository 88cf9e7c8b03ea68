// The names of the mesh, asked of a real Envoy by a real resolver.
import assert from 'node:assert/strict';
import { Resolver } from 'node:dns/promises';
import { test } from 'node:test';
import { Pilot } from '../../src/control-plane/index.ts';
import { reasonToSkipWithoutEnvoy } from '../real-software.ts';
import { updateOf } from './edited-mesh.ts';
import { DrivenEnvoy } from './envoy.ts';

const skip = reasonToSkipWithoutEnvoy();
const pollMs = 25;

const cart = `apiVersion: v1
kind: Service
metadata: {name: cart, namespace: shop}
spec: {clusterIP: 10.96.0.1, clusterIPs: [10.96.0.1, "fd00::1"], ports: [{name: http, port: 80}]}`;
const entry = (host: string): string => `apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: late, namespace: shop}
spec: {hosts: ["${host}"], resolution: STATIC, ports: [{number: 443, name: tls, protocol: TLS}], endpoints: [{address: 10.5.0.1}]}`;

test('a sidecar that captures DNS answers for the names of the mesh, and learns new ones', {
  skip,
  timeout: 60_000,
}, async (t) => {
  // No certificates here, for which Envoy would wait.
  const pilot = new Pilot({ meshConfig: { enableAutoMtls: false } });
  pilot.apply(updateOf([cart]));
  const server = await pilot.serve('127.0.0.1:0');
  const envoy = await DrivenEnvoy.start(server.address, 'DELTA_GRPC', {
    id: 'sidecar~127.0.0.1~web.shop~shop.svc.cluster.local',
    cluster: 'web',
    metadata: { NAMESPACE: 'shop', INTERCEPTION_MODE: 'NONE', DNS_CAPTURE: 'true' },
  });
  t.after(async () => {
    await envoy.stop();
    await server.close();
  });
  const resolver = new Resolver({ timeout: 2000, tries: 1 });
  resolver.setServers(['127.0.0.1:15053']);
  const answers = (name: string): Promise<readonly string[]> => resolver.resolve4(name).catch(() => []);
  /** Polls, since Envoy tells nobody when its listeners take packets. */
  const eventually = async (name: string): Promise<string> => {
    for (
      const deadline = Date.now() + 20_000;
      Date.now() < deadline;
      await new Promise((resolve) => setTimeout(resolve, pollMs))
    ) {
      const found = await answers(name);
      if (found.length > 0) return found.join();
    }
    throw new Error(`no answer for ${name}\n${envoy.log}`);
  };
  assert.equal(await eventually('cart.shop.svc.cluster.local'), '10.96.0.1');
  for (const name of ['cart', 'cart.shop']) assert.deepEqual(await answers(name), ['10.96.0.1']);
  assert.deepEqual(await resolver.resolve6('cart'), ['fd00::1']);
  assert.deepEqual(await answers('nobody.shop.svc.cluster.local'), []);
  pilot.apply(updateOf([entry('late.example')]));
  assert.match(await eventually('late.example'), /^240\.240\.\d+\.\d+$/);
});
