// The ingress gateway: one proxy for all Gateway resources of the folder, on ports that this machine has to
// give.
import { deepEqual } from '../../base/index.ts';
import type { ObjectOfKind } from '../../config/index.ts';
import type { RunningProxy } from '../../proxy/index.ts';
import type { GatewayPortPair, MeshGateway } from './mesh-objects.ts';
import type { Ports } from './ports.ts';

export interface IngressOptions {
  readonly ports: Ports;
  /** Address that servers without a `bind` of their own listen on. */
  readonly host: string;
  /** Where port 80 of a Gateway is served. */
  readonly httpPort: number;
  readonly start: (labels: Readonly<Record<string, string>>) => Promise<RunningProxy>;
  /** The port that a server should have had is taken. */
  readonly onMoved: (wanted: number, taken: number) => void;
}

export class Ingress {
  readonly #options: IngressOptions;
  readonly #targets = new Map<number, number>();
  #gateway: MeshGateway | undefined;
  #proxy: RunningProxy | undefined;
  #labels: Readonly<Record<string, string>> | undefined;

  constructor(options: IngressOptions) {
    this.#options = options;
  }

  /**
   * Finds ports for the servers. The gateway as the mesh should see it; undefined while there is no Gateway.
   */
  async plan(gateways: readonly ObjectOfKind<'Gateway'>[]): Promise<MeshGateway | undefined> {
    const wanted = new Map<number, string>();
    for (const { spec } of gateways)
      for (const { port } of spec.servers ?? [])
        if (port?.number && !wanted.has(port.number))
          wanted.set(port.number, port.name ?? `port-${port.number}`);
    const pairs: GatewayPortPair[] = [];
    for (const [port, name] of wanted)
      pairs.push({ port, name: `${name}-${port}`, target: await this.#target(port) });
    for (const [port, target] of this.#targets) {
      if (wanted.has(port)) continue;
      this.#options.ports.giveBack(target);
      this.#targets.delete(port);
    }
    // The first Gateway to use a label decides: one proxy cannot have two values of it.
    const selector = Object.assign(
      {},
      ...gateways.map(({ spec }) => spec.selector ?? {}).reverse(),
    ) as Record<string, string>;
    this.#gateway = gateways.length === 0 ? undefined : { selector, ports: pairs };
    return this.#gateway;
  }

  get gateway(): MeshGateway | undefined {
    return this.#gateway;
  }

  /** Makes the running proxy fit the plan. Resolves when one that had to be started is there. */
  async follow(): Promise<void> {
    const labels = this.#gateway?.selector;
    if (deepEqual(labels, this.#labels)) return;
    this.#labels = labels;
    const old = this.#proxy;
    this.#proxy = undefined;
    await old?.stop();
    if (labels) this.#proxy = await this.#options.start(labels);
  }

  get ready(): Promise<void> {
    return this.#proxy?.ready ?? Promise.resolve();
  }

  /** Where a port of the Gateways is served. */
  targetOf(port: number): number | undefined {
    return this.#targets.get(port);
  }

  async stop(): Promise<void> {
    await this.#proxy?.stop();
  }

  async #target(port: number): Promise<number> {
    const known = this.#targets.get(port);
    if (known !== undefined) return known;
    const { ports, host, httpPort, onMoved } = this.#options;
    const wanted = port === 80 ? httpPort : openToAll(port);
    const target = await ports.near(wanted, host);
    if (target !== wanted && wanted !== 0) onMoved(wanted, target);
    this.#targets.set(port, target);
    return target;
  }
}

/** Ports below 1024 are for the administrator alone: 8443 stands in for 443. */
function openToAll(port: number): number {
  return port < 1024 ? port + 8000 : port;
}
