// A pilot that is absent, killed or told to end while a gateway of it serves: nobody's request fails, and
// what comes back is followed.
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { get as httpGet } from 'node:http';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { gatewayBootstrap } from './bootstrap.ts';
import { freePorts } from './free-ports.ts';
import { PilotProcess } from './pilot-process.ts';
import { accepting, ProxyProcess } from './proxy-process.ts';
import { okResponse, onEachHead, RawUpstream } from './raw-upstream.ts';

const patienceMs = 20_000;

function config(gateway: number, upstream: number, path: string): string {
  return `apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: g}
spec: {selector: {istio: ingress}, servers: [{port: {number: ${gateway}, name: http, protocol: HTTP}, hosts: ["*"]}]}
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: s}
spec: {hosts: [s.example.com], ports: [{number: 80, name: http, protocol: HTTP}], resolution: STATIC, endpoints: [{address: 127.0.0.1, ports: {http: ${upstream}}}]}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: v}
spec:
  hosts: ["*"]
  gateways: [g]
  http:
  - {match: [{uri: {prefix: ${path}}}], directResponse: {status: 418}}
  - {route: [{destination: {host: s.example.com, port: {number: 80}}}]}
`;
}

describe('the life of a pilot', () => {
  let ports: readonly number[];
  let upstream: RawUpstream;
  let proxy: ProxyProcess;
  let pilot: PilotProcess | undefined;

  before(async () => {
    ports = await freePorts(3);
    upstream = await RawUpstream.start(onEachHead((socket) => socket.write(okResponse)));
    const [, admin = 0, xds = 0] = ports;
    proxy = ProxyProcess.spawn('embedded', gatewayBootstrap('GRPC', admin, xds));
  });
  after(async () => {
    await Promise.all([proxy.stop(), pilot?.stop(), upstream.stop()]);
  });

  const start = async (path: string): Promise<PilotProcess> => {
    const [gateway = 0, , xds = 0] = ports;
    return PilotProcess.start((folder) => {
      mkdirSync(folder);
      writeFileSync(join(folder, 'm.yaml'), config(gateway, upstream.port, path));
    }, `127.0.0.1:${xds}`);
  };

  /** The status, or how it failed. */
  const request = (path: string): Promise<number | string> =>
    new Promise((resolve) => {
      httpGet({ port: ports[0], host: '127.0.0.1', path, agent: false }, (response) => {
        response.resume();
        response.on('end', () => resolve(response.statusCode ?? 0));
      }).on('error', (error) => resolve((error as NodeJS.ErrnoException).code ?? error.message));
    });

  const until = async (path: string, status: number): Promise<void> => {
    const limit = performance.now() + patienceMs;
    while ((await request(path)) !== status) {
      assert.ok(performance.now() < limit, `${path} never answers ${status}`);
      await pause(50);
    }
  };

  test('a proxy that finds no pilot is not ready, and begins to serve when one comes', async () => {
    await accepting(ports[1] ?? 0);
    assert.equal((await proxy.admin('/ready')).status, 503);
    assert.equal(await request('/'), 'ECONNREFUSED');
    pilot = await start('/teapot');
    await until('/teapot', 418);
    assert.equal((await proxy.admin('/ready')).status, 200);
  });

  test('kill -9 of the pilot fails no request, and its successor is followed', async () => {
    const answers = new Map<number | string, number>();
    let going = true;
    const load = (async () => {
      while (going) {
        const answer = await request('/');
        answers.set(answer, (answers.get(answer) ?? 0) + 1);
      }
    })();
    await pilot?.stop();
    await pause(1500);
    pilot = await start('/new');
    await until('/new', 418);
    going = false;
    await load;
    assert.deepEqual([...answers.keys()], [200]);
    assert.ok((answers.get(200) ?? 0) > 50);
  });

  test('SIGHUP has the pilot read again, and ends neither it nor the proxy', async () => {
    assert.ok(pilot);
    pilot.signal('SIGHUP');
    process.kill(proxy.pid, 'SIGHUP');
    pilot.write('m.yaml', config(ports[0] ?? 0, upstream.port, '/hup'));
    await until('/hup', 418);
    assert.ok(pilot.alive && proxy.alive);
  });

  for (const signal of ['SIGTERM', 'SIGINT'] as const)
    test(`${signal} ends a pilot at once, with 0`, async () => {
      pilot ??= await start('/again');
      const since = performance.now();
      pilot.signal(signal);
      assert.equal(await pilot.ended(), 0);
      assert.ok(performance.now() - since < 3000);
      assert.equal(await request('/'), 200);
      await pilot.stop();
      pilot = undefined;
    });
});
