// A pilot with a mesh that is edited, servers behind it, and a gateway Envoy in front.
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';
import { Pilot } from '../../src/control-plane/index.ts';
import type { GrpcServer } from '../../src/xds/index.ts';
import { EditedMesh, type Random } from './edited-mesh.ts';
import { type ApiType, DrivenEnvoy, freePort } from './envoy.ts';
import { request } from './load.ts';

const startMs = 20_000;
const settleMs = 10_000;
const pollMs = 25;
const upstreamCount = 4;

export class Scene {
  readonly pilot: Pilot;
  readonly mesh: EditedMesh;
  readonly gatewayPort: number;
  readonly envoy: DrivenEnvoy;
  readonly refusals: string[] = [];
  #server: GrpcServer;
  #onEvent = (): void => {};

  private constructor(
    pilot: Pilot,
    mesh: EditedMesh,
    gatewayPort: number,
    server: GrpcServer,
    envoy: DrivenEnvoy,
  ) {
    this.pilot = pilot;
    this.mesh = mesh;
    this.gatewayPort = gatewayPort;
    this.#server = server;
    this.envoy = envoy;
  }

  /** Returns when the gateway answers for every host. */
  static async set(t: TestContext, apiType: ApiType, random: Random): Promise<Scene> {
    const upstreams = await Promise.all(Array.from({ length: upstreamCount }, () => startUpstream(t)));
    const gatewayPort = await freePort();
    const mesh = new EditedMesh({ random, upstreams, gatewayPort, sparePort: await freePort() });
    const pilot = new Pilot({
      onEvent: (event) => {
        if (event.kind === 'refused') scene.refusals.push(`${event.type}: ${event.message}`);
        scene.#onEvent();
      },
    });
    pilot.apply(mesh.start());
    const server = await pilot.serve('127.0.0.1:0');
    const envoy = await DrivenEnvoy.start(server.address, apiType);
    const scene = new Scene(pilot, mesh, gatewayPort, server, envoy);
    t.after(async () => {
      await envoy.stop();
      await scene.#server.close();
    });
    await scene.answering(mesh.hosts);
    await scene.settled();
    return scene;
  }

  /** Breaks every stream, does something while nobody is connected, and listens again. */
  async interrupted(meanwhile: () => void): Promise<void> {
    const { address } = this.#server;
    await this.#server.close();
    meanwhile();
    this.#server = await this.pilot.serve(address);
    await this.#until(() => this.pilot.proxies.length > 0, 'the proxy does not come back');
  }

  /** Resolves when every proxy has answered everything. */
  settled(): Promise<void> {
    return this.#until(() => this.pilot.unsettled.length === 0, 'the proxy does not settle');
  }

  /** Polls, since Envoy tells nobody when its listeners accept. */
  async answering(hosts: readonly string[]): Promise<void> {
    const deadline = Date.now() + startMs;
    for (const host of hosts) {
      let outcome = '';
      while (outcome !== '200') {
        outcome = await request(this.gatewayPort, host);
        if (Date.now() > deadline) throw new Error(`${host}: ${outcome}\n${this.envoy.log}`);
        if (outcome !== '200') await new Promise((resolve) => setTimeout(resolve, pollMs));
      }
    }
  }

  #until(isSo: () => boolean, otherwise: string): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`${otherwise}\n${this.envoy.log}`)), settleMs);
      // An answer is reported before what follows from it is sent: look when that is done.
      const look = (): void =>
        void setImmediate(() => {
          if (!isSo()) return;
          clearTimeout(timer);
          this.#onEvent = () => {};
          resolve();
        });
      this.#onEvent = look;
      look();
    });
  }
}

async function startUpstream(t: TestContext): Promise<number> {
  const server = createServer({ keepAliveTimeout: 120_000 }, (_request, response) => response.end('ok'));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  return (server.address() as AddressInfo).port;
}
