// The control plane inside `up`: pilot, built-in CA and secret service, and the question whether everybody
// has got a change.
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { printable } from '../../base/index.ts';
import { Pilot, proxyNode, SecretService } from '../../control-plane/index.ts';
import { CertificateAuthority, WorkloadCertificates } from '../../identity/index.ts';
import type { ProxyNode } from '../../mesh/index.ts';
import { type Bootstrap, type RunningProxy, startProxy } from '../../proxy/index.ts';
import type { GrpcServer } from '../../xds/index.ts';
import { type GatewayRoutes, gatewayRoutes } from './gateway-routes.ts';
import {
  type DiscoveryAddresses,
  gatewayBootstrap,
  type SidecarPorts,
  sidecarBootstrap,
} from './proxy-bootstrap.ts';
import { folderSource, processSource } from './source-ids.ts';
import type { WorkloadPlan } from './workload-plan.ts';

export interface ControlOptions {
  readonly xdsPort: number;
  readonly log: (message: string) => void;
}

/** What became of a push. */
export interface Delivery {
  readonly sentTo: number;
  readonly accepted: number;
  readonly refusals: readonly Refusal[];
  /** Proxies that had not answered when we stopped waiting. */
  readonly waiting: readonly string[];
  readonly ms: number;
}

export interface Refusal {
  readonly proxy: string;
  readonly message: string;
}

const domain = 'cluster.local';
const patienceMs = 10_000;
/** How long connections of a listener that changed may go on. */
const drainMs = 5000;

export class Control {
  readonly pilot: Pilot;
  readonly discovery: DiscoveryAddresses;
  readonly #servers: readonly GrpcServer[];
  readonly #open: Set<OpenDelivery>;
  readonly #log: (message: string) => void;
  #gateway: ProxyNode | undefined;

  private constructor(
    pilot: Pilot,
    open: Set<OpenDelivery>,
    servers: { readonly xds: GrpcServer; readonly sds: GrpcServer },
    log: (message: string) => void,
  ) {
    this.pilot = pilot;
    this.#open = open;
    this.#servers = [servers.xds, servers.sds];
    this.#log = log;
    this.discovery = { xds: servers.xds.address, sds: servers.sds.address, domain };
  }

  static async start({ xdsPort, log }: ControlOptions): Promise<Control> {
    const open = new Set<OpenDelivery>();
    const pilot: Pilot = new Pilot({
      domain,
      sources: [processSource, folderSource],
      onEvent: (event) => {
        if (event.kind === 'failed')
          log(
            `${printable(event.what)} could not be made, which is a defect of meltemi: ${String(event.error)}`,
          );
        if (event.kind === 'secrets' && event.given)
          log(
            `${nameOf(printable(event.proxy))} is given private keys over plaintext xDS, on its word: it is on this machine`,
          );
        for (const delivery of open) {
          if (event.kind === 'refused') delivery.refusals.set(event.proxy, printable(event.message));
          // What the answer releases is sent right after the event.
          if (event.kind !== 'pushed' && event.kind !== 'applied')
            setImmediate(() => open.has(delivery) && delivery.look());
        }
      },
    });
    const authority = await CertificateAuthority.create({ now: () => new Date() });
    const certificates = new WorkloadCertificates(authority, { now: Date.now, schedule });
    const secrets = new SecretService(certificates, domain, (error) =>
      log(`a secret could not be given, which is a defect of meltemi: ${String(error)}`),
    );
    const [sds, xds] = await Promise.all([servePrivately(secrets), pilot.serve(`127.0.0.1:${xdsPort}`)]);
    return new Control(pilot, open, { xds, sds }, log);
  }

  startSidecar(plan: WorkloadPlan, ports: SidecarPorts): Promise<RunningProxy> {
    return this.#startProxy(sidecarBootstrap(plan, ports, this.discovery));
  }

  startGateway(labels: Readonly<Record<string, string>>): Promise<RunningProxy> {
    const bootstrap = gatewayBootstrap(labels, this.discovery);
    this.#gateway = bootstrap.node && proxyNode(bootstrap.node);
    return this.#startProxy(bootstrap);
  }

  /** What the gateway is sent for plain HTTP on one of its ports. */
  gatewayRoutes(port: number): GatewayRoutes | undefined {
    return this.#gateway && gatewayRoutes(this.pilot.translator, this.#gateway, port);
  }

  #startProxy(bootstrap: Bootstrap): Promise<RunningProxy> {
    const name = nameOf(bootstrap.node?.id ?? '');
    return startProxy(bootstrap, {
      drainMs,
      log: (level, message) => level === 'warn' && this.#log(`${name}: ${message}`),
    });
  }

  /** Resolves when every proxy that the last push concerned has answered. */
  delivered(since: number): Promise<Delivery> {
    return new Promise((resolve) => {
      const concerned = new Set(this.pilot.unsettled);
      const refusals = new Map<string, string>();
      const waiting = (): readonly string[] => this.pilot.unsettled.filter((id) => concerned.has(id));
      const finish = (): void => {
        clearTimeout(timer);
        this.#open.delete(delivery);
        const late = waiting();
        resolve({
          sentTo: concerned.size,
          accepted: concerned.size - late.length - refusals.size,
          refusals: [...refusals].map(([proxy, message]) => ({ proxy: nameOf(proxy), message })),
          waiting: late.map(nameOf),
          ms: performance.now() - since,
        });
      };
      const delivery: OpenDelivery = { refusals, look: () => waiting().length === 0 && finish() };
      const timer = setTimeout(finish, patienceMs);
      this.#open.add(delivery);
      delivery.look();
    });
  }

  async close(): Promise<void> {
    await Promise.all(this.#servers.map((server) => server.close()));
  }
}

/** On a socket that only this user can reach; Windows has none that gRPC could use. */
async function servePrivately(secrets: SecretService): Promise<GrpcServer> {
  if (process.platform === 'win32') return secrets.serve('127.0.0.1:0');
  const folder = mkdtempSync(join(tmpdir(), 'meltemi-'));
  const path = join(folder, 'sds.sock');
  const server = await secrets.serve(`unix:${path}`);
  chmodSync(path, 0o600);
  return {
    address: server.address,
    close: async () => {
      await server.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

interface OpenDelivery {
  readonly refusals: Map<string, string>;
  look(): void;
}

/** `sidecar~127.0.0.1~reviews-v1.default~…` as people call it. */
function nameOf(id: string): string {
  const [, , name = id] = id.split('~');
  return name.endsWith('.default') ? name.slice(0, -'.default'.length) : name;
}

function schedule(delayMs: number, run: () => void): () => void {
  const timer = setTimeout(run, delayMs);
  timer.unref();
  return () => clearTimeout(timer);
}
