// What a real Envoy sees of both protocols: coming back after its stream broke, and refusing one resource of
// several.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import { test } from 'node:test';
import { reasonToSkipWithoutEnvoy } from '../real-software.ts';
import { seeded, updateOf } from './edited-mesh.ts';
import { apiTypes, DrivenEnvoy, freePort } from './envoy.ts';
import { ListenerServer } from './listener-server.ts';
import { Load } from './load.ts';
import { Scene } from './scene.ts';

const skip = reasonToSkipWithoutEnvoy();
const timeout = 60_000;

const lateHost = `apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: late}
spec: {hosts: [late.example], gateways: [edge], http: [{route: [{destination: {host: shop.internal, subset: s0}}]}]}`;

for (const apiType of apiTypes)
  test(`an Envoy that comes back loses no request and gets what changed meanwhile (${apiType})`, {
    skip,
    timeout,
  }, async (t) => {
    const scene = await Scene.set(t, apiType, seeded(1));
    const load = new Load(scene.gatewayPort, scene.mesh.hosts, 4);
    t.after(() => load.stop());
    const before = await scene.envoy.statistics('update_success|cluster_manager.cluster_');
    await scene.interrupted(() => scene.pilot.apply(updateOf([lateHost])));
    await scene.answering(['late.example']);
    await scene.settled();
    await load.stop();
    const after = await scene.envoy.statistics('update_success|cluster_manager.cluster_');
    const grown = [...after].filter(([name, count]) => count > (before.get(name) ?? 0)).map(([name]) => name);
    assert.deepEqual(load.failures, []);
    // State of the world has no way to say what a client has; delta does, and of all resources one route
    // table has changed.
    if (apiType === 'DELTA_GRPC') assert.deepEqual(grown, [routeCounter(after, scene.gatewayPort)]);
    else assert.ok(!grown.some((name) => name.startsWith('cluster_manager.cluster_')), grown.join());
  });

for (const apiType of apiTypes)
  test(`a refused listener leaves the others in force and is not sent in a loop (${apiType})`, {
    skip,
    timeout,
  }, async (t) => {
    const server = await ListenerServer.start();
    const [goodPort, otherPort] = [await freePort(), await freePort()];
    server.set({
      good: { port: goodPort, body: 'one' },
      other: { port: otherPort, body: 'broken', isBroken: true },
    });
    const envoy = await DrivenEnvoy.start(server.address, apiType);
    t.after(async () => {
      await envoy.stop();
      await server.close();
    });
    assert.deepEqual(await server.answered(), { kind: 'refused', names: ['other'] });
    await body(goodPort, 'one');
    server.set({ good: { port: goodPort, body: 'two' } });
    // The full set of state of the world holds the broken one again; delta leaves it out.
    assert.equal((await server.answered()).kind, apiType === 'GRPC' ? 'refused' : 'acknowledged');
    await body(goodPort, 'two');
    server.set({ other: { port: otherPort, body: 'mended' } });
    assert.equal((await server.answered()).kind, 'acknowledged');
    await body(otherPort, 'mended');
    const statistics = await envoy.statistics('listener_manager.lds.update_');
    const count = (what: string): number | undefined => statistics.get(`listener_manager.lds.update_${what}`);
    assert.deepEqual([count('rejected'), count('success')], apiType === 'GRPC' ? [2, 1] : [1, 2]);
  });

function routeCounter(statistics: ReadonlyMap<string, number>, port: number): string | undefined {
  return [...statistics.keys()].find(
    (name) => name.includes(`.rds.http.${port}`) && name.endsWith('.update_success'),
  );
}

/** Resolves when the port answers so. */
async function body(port: number, expected: string): Promise<void> {
  for (let found = ''; found !== expected; ) {
    found = await new Promise<string>((resolve) => {
      get({ host: '127.0.0.1', port, agent: false }, (response) => void textOf(response).then(resolve)).on(
        'error',
        () => resolve(''),
      );
    });
    if (found !== expected) await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

async function textOf(response: IncomingMessage): Promise<string> {
  let text = '';
  response.on('data', (chunk: Buffer) => {
    text += chunk.toString();
  });
  await once(response, 'end');
  return text;
}
