// A gateway under clients of every kind that come and go, hosts that die and edits, for as long as one likes:
// it must end as it began.
// node_modules/.bin/node test/soak/soak.ts [--minutes 10] [--seed 1] [--clients 12]
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { FakeAuthority } from '../../src/proxy/tls/fake-certificates.ts';
import { gatewayBootstrap } from '../hostile/bootstrap.ts';
import { freePorts } from '../hostile/free-ports.ts';
import { PilotProcess } from '../hostile/pilot-process.ts';
import type { ProcessFacts } from '../hostile/process-facts.ts';
import { accepting, ProxyProcess } from '../hostile/proxy-process.ts';
import { type Place, visits } from './clients.ts';
import { LiveHeap } from './live-heap.ts';
import { MortalServer } from './servers.ts';

export interface State {
  /** Without those of connections to hosts that wait for the next request. */
  readonly descriptors: number;
  /** Resident, in MB. */
  readonly memory: number;
  /** What is left after a collection, in MB. */
  readonly heap: number;
  /**
   * Connections, requests and tunnels that are open, by the name of their gauge; those at zero are left out.
   */
  readonly open: Readonly<Record<string, number>>;
}

export interface SoakResult {
  readonly visits: Readonly<Record<string, number>>;
  readonly edits: number;
  readonly deaths: number;
  /** After a first round, which fills pools and compiles code. */
  readonly before: { readonly proxy: State; readonly pilot: State };
  readonly after: { readonly proxy: State; readonly pilot: State };
}

export interface SoakOptions {
  readonly seconds: number;
  readonly seed: number;
  readonly clients: number;
}

const warmUpSeconds = 10;
const settleLimitMs = 30_000;
/** The native half of an HTTP/2 session is kept for ten seconds (src/xds/h2-session-guard.ts). */
const keptMs = 11_000;
const betweenEditsMs = 250;
const betweenDeathsMs = 1500;
const deadForMs = 150;
const gauge = /(downstream_(cx|rq)|upstream_rq|upgrades?)_(.*_)?active$/;

export async function soak({ seconds, seed, clients }: SoakOptions): Promise<SoakResult> {
  const heap = new LiveHeap();
  const scene = await Scene.start(seed, heap);
  try {
    await scene.run(Math.min(warmUpSeconds, seconds), clients);
    const before = await scene.settled();
    scene.forget();
    await scene.run(seconds, clients);
    const after = await scene.settled();
    return {
      visits: Object.fromEntries(scene.visits),
      edits: scene.edits,
      deaths: scene.deaths,
      before,
      after,
    };
  } finally {
    await scene.stop();
    heap.close();
  }
}

interface Measured {
  readonly pid: number;
  readonly facts: ProcessFacts;
}

interface SceneParts {
  readonly random: () => number;
  readonly place: Place;
  readonly pilot: PilotProcess;
  readonly proxy: ProxyProcess;
  readonly servers: readonly MortalServer[];
  readonly heap: LiveHeap;
}

class Scene {
  readonly visits = new Map<string, number>();
  edits = 0;
  deaths = 0;
  readonly #random: () => number;
  readonly #place: Place;
  readonly #pilot: PilotProcess;
  readonly #proxy: ProxyProcess;
  readonly #servers: readonly MortalServer[];
  readonly #heap: LiveHeap;
  #going = false;

  private constructor({ random, place, pilot, proxy, servers, heap }: SceneParts) {
    this.#random = random;
    this.#place = place;
    this.#pilot = pilot;
    this.#proxy = proxy;
    this.#servers = servers;
    this.#heap = heap;
  }

  static async start(seed: number, heap: LiveHeap): Promise<Scene> {
    const [port = 0, tlsPort = 0, admin = 0] = await freePorts(3);
    const servers = [new MortalServer(1), new MortalServer(1), new MortalServer(2)];
    for (const server of servers) await server.start();
    const authority = await FakeAuthority.create('soak');
    const pair = await authority.issue({ names: ['one.example.com'] });
    const base64 = (text: string): string => Buffer.from(text).toString('base64');
    const pilot = await PilotProcess.start((folder) => {
      mkdirSync(folder);
      writeFileSync(
        join(folder, 'secret.yaml'),
        `apiVersion: v1\nkind: Secret\nmetadata: {name: edge}\ndata: {tls.crt: ${base64(pair.cert)}, tls.key: ${base64(pair.key)}}\n`,
      );
      writeFileSync(join(folder, 'gateway.yaml'), gatewayText(port, tlsPort));
      writeFileSync(join(folder, 'routes.yaml'), routesText(servers, 50, 0));
    });
    const xds = Number(pilot.address.split(':').at(-1));
    const proxy = await ProxyProcess.start('embedded', gatewayBootstrap('DELTA_GRPC', admin, xds));
    await Promise.all([accepting(port), accepting(tlsPort)]);
    return new Scene({ random: randomOf(seed), place: { port, tlsPort }, pilot, proxy, servers, heap });
  }

  async run(seconds: number, clients: number): Promise<void> {
    this.#going = true;
    const work = [...Array.from({ length: clients }, () => this.#visitors()), this.#editor(), this.#reaper()];
    await pause(seconds * 1000);
    this.#going = false;
    await Promise.all(work);
  }

  forget(): void {
    this.visits.clear();
    this.edits = 0;
    this.deaths = 0;
  }

  /** The state once nothing is open any more; or after the time for that. */
  async settled(): Promise<{ readonly proxy: State; readonly pilot: State }> {
    await pause(keptMs);
    const limit = performance.now() + settleLimitMs;
    for (;;) {
      const { open, pooled } = await this.#connections();
      if (Object.keys(open).length === 0 || performance.now() > limit)
        return {
          proxy: await this.#stateOf(this.#proxy, open, pooled),
          pilot: await this.#stateOf(this.#pilot, {}, 0),
        };
      await pause(500);
    }
  }

  async stop(): Promise<void> {
    await this.#proxy.stop();
    await this.#pilot.stop();
    for (const server of this.#servers) await server.die();
  }

  async #stateOf({ pid, facts }: Measured, open: State['open'], pooled: number): Promise<State> {
    const { descriptors, memory } = facts;
    return { descriptors: descriptors - pooled, memory, heap: await this.#heap.of(pid), open };
  }

  async #connections(): Promise<{ readonly open: State['open']; readonly pooled: number }> {
    const own = [...(await this.#proxy.statistics())].filter(
      ([name]) => !name.startsWith('http.admin') && !name.startsWith('cluster.xds'),
    );
    const open = own.filter(([name, value]) => value !== 0 && gauge.test(name));
    const pooled = own
      .filter(([name]) => name.endsWith('.upstream_cx_active'))
      .reduce((sum, [, value]) => sum + value, 0);
    return { open: Object.fromEntries(open), pooled };
  }

  async #visitors(): Promise<void> {
    while (this.#going) {
      const { name, visit } =
        visits[Math.floor(this.#random() * visits.length)] ?? visits[0] ?? unreachableVisit();
      await visit(this.#place, this.#random);
      this.visits.set(name, (this.visits.get(name) ?? 0) + 1);
    }
  }

  async #editor(): Promise<void> {
    while (this.#going) {
      this.#pilot.write(
        'routes.yaml',
        routesText(this.#servers, Math.floor(this.#random() * 99) + 1, this.edits % 3),
      );
      this.edits++;
      await pause(betweenEditsMs);
    }
  }

  async #reaper(): Promise<void> {
    while (this.#going) {
      const server = this.#servers[Math.floor(this.#random() * this.#servers.length)];
      await server?.die();
      await pause(deadForMs);
      await server?.start();
      this.deaths++;
      await pause(betweenDeathsMs);
    }
  }
}

function unreachableVisit(): never {
  throw new Error('there are no visits');
}

/** A small generator with a seed: mulberry32. */
function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

function gatewayText(port: number, tlsPort: number): string {
  return `apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: g}
spec:
  selector: {istio: ingress}
  servers:
  - {port: {number: ${port}, name: http, protocol: HTTP}, hosts: ["*"]}
  - {port: {number: ${tlsPort}, name: https, protocol: HTTPS}, hosts: ["one.example.com"], tls: {mode: SIMPLE, credentialName: edge}}
`;
}

/** `extra` hosts come and go with their routes. */
function routesText(servers: readonly MortalServer[], weight: number, extra: number): string {
  const [one, other, two] = servers.map(({ port }) => port);
  const entry = (
    name: string,
    protocol: string,
    ports: readonly (number | undefined)[],
  ): string => `apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: ${name}}
spec:
  hosts: [${name}.example.com]
  ports: [{number: 80, name: p, protocol: ${protocol}}]
  resolution: STATIC
  endpoints: [${ports.map((port, i) => `{address: 127.0.0.1, ports: {p: ${port}}, labels: {v: v${i}}}`).join(', ')}]
`;
  const route = (host: string, subset: string): string =>
    `{destination: {host: ${host}.example.com, port: {number: 80}, subset: ${subset}}`;
  const rule = `apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: one}
spec: {host: one.example.com, subsets: [{name: v0, labels: {v: v0}}, {name: v1, labels: {v: v1}}]}
`;
  const virtualService = (name: string, body: string): string => `apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: ${name}}
spec: {hosts: [${name}.example.com], gateways: [g], http: [{${body}}]}
`;
  const retries = 'retries: {attempts: 2, retryOn: "5xx,reset"}, timeout: 5s';
  const more = Array.from({ length: extra }, (_, i) => [
    entry(`extra${i}`, 'HTTP', [one]),
    virtualService(`extra${i}`, `route: [{destination: {host: extra${i}.example.com, port: {number: 80}}}]`),
  ]).flat();
  return [
    entry('one', 'HTTP', [one, other]),
    entry('two', 'HTTP2', [two]),
    rule,
    virtualService(
      'one',
      `${retries}, route: [${route('one', 'v0')}, weight: ${weight}}, ${route('one', 'v1')}, weight: ${100 - weight}}]`,
    ),
    virtualService('two', `${retries}, route: [{destination: {host: two.example.com, port: {number: 80}}}]`),
    ...more,
  ].join('---\n');
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      minutes: { type: 'string', default: '10' },
      seed: { type: 'string', default: '1' },
      clients: { type: 'string', default: '12' },
    },
  });
  const result = await soak({
    seconds: Number(values.minutes) * 60,
    seed: Number(values.seed),
    clients: Number(values.clients),
  });
  process.stdout.write(`${JSON.stringify(result, null, 2)}\n`);
}
