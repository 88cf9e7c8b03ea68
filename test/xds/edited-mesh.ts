// A mesh of a few services behind a gateway, and random edits of it, each of which leaves every service
// reachable.
import { type AnyConfig, parseDocuments } from '../../src/config/index.ts';
import type { ConfigUpdate } from '../../src/sources/index.ts';

interface Service {
  readonly name: string;
  readonly subsets: readonly string[];
  readonly weight: number;
  readonly timeoutSeconds: number;
  readonly maxRequests: number;
  readonly ports: readonly number[];
}

/** From 0 to below 1. */
export type Random = () => number;

/** https://en.wikipedia.org/wiki/Linear_congruential_generator, with the constants of Numerical Recipes. */
export function seeded(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

export interface EditedMeshOptions {
  readonly random: Random;
  /** Ports of servers that answer everything. */
  readonly upstreams: readonly number[];
  readonly gatewayPort: number;
  /** Where the gateway listens at times. */
  readonly sparePort: number;
}

export class EditedMesh {
  readonly #options: EditedMeshOptions;
  readonly #random: Random;
  readonly #services = new Map<string, Service>();
  /** Names of services that come and go. */
  readonly #guests: string[] = [];
  #listensOnSpare = false;
  #hasOwnServer = false;
  #count = 2;

  constructor(options: EditedMeshOptions) {
    this.#options = options;
    this.#random = options.random;
  }

  /** The hosts that must answer whatever is edited. */
  readonly hosts: readonly string[] = ['shop.example', 'cart.example', 'stock.example'];

  /** Those, and the ones that came by an edit and did not go again. */
  get allHosts(): readonly string[] {
    return [...this.hosts, ...this.#guests.map((name) => `${name}.example`)];
  }

  start(): ConfigUpdate {
    return updateOf([
      this.#gateway(),
      ...this.hosts.flatMap((host) => this.#put(this.#fresh(host.replace('.example', '')))),
    ]);
  }

  /** The next edit, with a name for messages. */
  edit(): { readonly what: string; readonly update: ConfigUpdate } {
    const kinds = [
      'weight',
      'subsets',
      'timeout',
      'policy',
      'endpoints',
      'host',
      'listener',
      'server',
    ] as const;
    const what = kinds[Math.floor(this.#random() * kinds.length)] ?? 'weight';
    const service = this.#pick();
    switch (what) {
      case 'weight':
        return {
          what,
          update: updateOf(this.#put({ ...service, weight: Math.floor(this.#random() * 101) })),
        };
      case 'timeout':
        return {
          what,
          update: updateOf(this.#put({ ...service, timeoutSeconds: 20 + Math.floor(this.#random() * 40) })),
        };
      case 'policy':
        return {
          what,
          update: updateOf(this.#put({ ...service, maxRequests: 1000 + Math.floor(this.#random() * 1000) })),
        };
      case 'endpoints':
        return { what, update: updateOf(this.#put({ ...service, ports: this.#somePorts() })) };
      case 'subsets':
        // One subset goes and another comes, together with the rule that names them.
        return {
          what,
          update: updateOf(
            this.#put({ ...service, subsets: [service.subsets[1] ?? 's0', `s${this.#count++}`] }),
          ),
        };
      case 'host':
        return { what, update: this.#guestUpdate() };
      case 'listener':
        this.#listensOnSpare = !this.#listensOnSpare;
        return { what, update: updateOf([this.#gateway()]) };
      case 'server':
        this.#hasOwnServer = !this.#hasOwnServer;
        return { what, update: updateOf([this.#gateway()]) };
    }
  }

  #gateway(): string {
    const { gatewayPort, sparePort } = this.#options;
    const server = (port: number, name: string, host: string): string =>
      `{port: {number: ${port}, name: ${name}, protocol: HTTP}, bind: 127.0.0.1, hosts: ["${host}"]}`;
    const servers = [
      server(gatewayPort, 'http', '*'),
      ...(this.#hasOwnServer ? [server(gatewayPort, 'http-shop', 'shop.example')] : []),
      ...(this.#listensOnSpare ? [server(sparePort, 'http-spare', '*')] : []),
    ];
    return `apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: edge}
spec: {selector: {app: edge}, servers: [${servers.join(', ')}]}`;
  }

  #guestUpdate(): ConfigUpdate {
    const leaving = this.#guests.length >= 3 ? this.#guests.shift() : undefined;
    if (leaving === undefined) {
      const name = `guest${this.#count++}`;
      this.#guests.push(name);
      return updateOf(this.#documentsOf(this.#fresh(name)));
    }
    const kinds = ['ServiceEntry', 'DestinationRule', 'VirtualService'] as const;
    return {
      changed: [],
      removed: kinds.map((kind) => ({ kind, namespace: 'default', name: leaving })),
      issues: [],
    };
  }

  #fresh(name: string): Service {
    return {
      name,
      subsets: ['s0', 's1'],
      weight: 50,
      timeoutSeconds: 30,
      maxRequests: 1000,
      ports: this.#options.upstreams.slice(0, 2),
    };
  }

  #pick(): Service {
    const all = [...this.#services.values()];
    return all[Math.floor(this.#random() * all.length)] ?? this.#fresh('shop');
  }

  #somePorts(): readonly number[] {
    const some = this.#options.upstreams.filter(() => this.#random() < 0.6);
    return some.length > 0 ? some : this.#options.upstreams.slice(0, 1);
  }

  #put(service: Service): readonly string[] {
    this.#services.set(service.name, service);
    return this.#documentsOf(service);
  }

  #documentsOf({ name, subsets, weight, timeoutSeconds, maxRequests, ports }: Service): readonly string[] {
    const host = `${name}.internal`;
    const [first, second] = subsets;
    return [
      `apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: ${name}}
spec: {hosts: [${host}], location: MESH_EXTERNAL, resolution: STATIC, ports: [{number: 80, name: http, protocol: HTTP}], endpoints: [${ports
        .map((port) => `{address: 127.0.0.1, labels: {app: x}, ports: {http: ${port}}}`)
        .join(', ')}]}`,
      `apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: ${name}}
spec:
  host: ${host}
  trafficPolicy: {connectionPool: {http: {http2MaxRequests: ${maxRequests}}}}
  subsets: [${subsets.map((subset) => `{name: ${subset}, labels: {app: x}}`).join(', ')}]`,
      `apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: ${name}}
spec:
  hosts: [${name}.example]
  gateways: [edge]
  http: [{timeout: ${timeoutSeconds}s, route: [{destination: {host: ${host}, subset: ${first}}, weight: ${weight}}, {destination: {host: ${host}, subset: ${second}}, weight: ${100 - weight}}]}]`,
    ];
  }
}

export function updateOf(documents: readonly string[]): ConfigUpdate {
  const { resources, issues } = parseDocuments(documents.join('\n---\n'), 'test.yaml');
  return { changed: resources as readonly AnyConfig[], removed: [], issues };
}
