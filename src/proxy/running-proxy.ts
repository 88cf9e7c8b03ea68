// One proxy: everything that a bootstrap starts, and its end.

import { create, toBinary } from '@bufbuild/protobuf';
import type { Address } from '@meltemi/envoy-api/envoy/config/core/v3/address';
import { NodeSchema } from '@meltemi/envoy-api/envoy/config/core/v3/base';
import { ListenerSchema } from '@meltemi/envoy-api/envoy/config/listener/v3/listener';
import type { GrpcTarget } from '../xds/index.ts';
import { AdminServer } from './admin/admin-server.ts';
import type { Bootstrap } from './bootstrap.ts';
import { readAddress } from './codec/address.ts';
import { ConfigPlane } from './config-plane.ts';
import { discoveryTarget } from './discovery-target.ts';
import type { HttpEnvironment } from './downstream/environment.ts';
import { ListenerSet } from './downstream/listener/listener-set.ts';
import { RouteStore } from './downstream/listener/route-store.ts';
import { systemClock } from './net/clock.ts';
import { readSource } from './net/data-source.ts';
import { OwnConnections } from './net/own-connections.ts';
import { AccessLogs } from './observe/access-log/access-logs.ts';
import { type Stat, Stats } from './observe/stats.ts';
import { SecretStore } from './tls/secret-store.ts';
import { ClusterSet } from './upstream/cluster-set.ts';
import { type Resolve, systemResolve } from './upstream/resolver.ts';

export interface ProxyOptions {
  readonly drainMs?: number;
  readonly log?: (level: 'info' | 'warn', message: string) => void;
  readonly random?: () => number;
  readonly resolve?: Resolve;
  /** Called by /quitquitquit. */
  readonly quit?: () => void;
}

export interface RunningProxy {
  readonly stats: Stats;
  readonly adminPort: number | undefined;
  /** Resolves when the first configuration is in force and its listeners accept. */
  readonly ready: Promise<void>;
  isReady(): boolean;
  /** Lets requests in progress end, then closes everything. */
  stop(): Promise<void>;
}

export async function startProxy(bootstrap: Bootstrap, options: ProxyOptions = {}): Promise<RunningProxy> {
  const proxy = new StartedProxy(bootstrap, options);
  await proxy.start();
  return proxy;
}

const stopPollMs = 20;

/** The values of Envoy's gauge; Istio's agent reads them. */
const serverStates = { LIVE: 0, DRAINING: 1, PRE_INITIALIZING: 2 } as const;

class StartedProxy implements RunningProxy {
  readonly stats = new Stats();
  readonly ready: Promise<void>;
  readonly #bootstrap: Bootstrap;
  readonly #options: ProxyOptions;
  readonly #clusters: ClusterSet;
  readonly #listeners: ListenerSet;
  readonly #plane: ConfigPlane;
  readonly #secrets: SecretStore;
  readonly #accessLogs: AccessLogs;
  readonly #log: NonNullable<ProxyOptions['log']>;
  readonly #startedAt = performance.now();
  #admin: AdminServer | undefined;
  #signalReady: () => void = () => undefined;
  readonly #state: Stat;
  readonly #health = { failing: false };
  #live = false;
  #draining = false;
  #date = '';
  #dateTimer: NodeJS.Timeout | undefined;

  constructor(bootstrap: Bootstrap, options: ProxyOptions) {
    this.#bootstrap = bootstrap;
    this.#options = options;
    this.#log = options.log ?? (() => undefined);
    this.ready = new Promise((resolve) => {
      this.#signalReady = resolve;
    });
    const stats = this.stats;
    this.#state = stats.gauge('server.state');
    this.#state.value = serverStates.PRE_INITIALIZING;
    const random = options.random ?? Math.random;
    const clock = systemClock;
    const routes = new RouteStore();
    this.#accessLogs = new AccessLogs(random);
    const own = new OwnConnections();
    this.#secrets = new SecretStore((ref) => this.#plane.secretWanted(ref), readSource);
    this.#clusters = new ClusterSet({
      stats,
      secrets: this.#secrets,
      resolve: options.resolve ?? systemResolve(),
      clock,
      random,
      own,
      log: this.#log,
      endpointsWanted: (names) => this.#plane.endpointsWanted(names),
      warmed: () => this.#clustersWarmed(),
    });
    const env: HttpEnvironment = {
      cluster: (name) => this.#clusters.get(name),
      statNameOf: (name) => this.#clusters.get(name)?.statName,
      random,
      clock,
      date: () => this.#date || this.#newDate(),
      nodeCluster: bootstrap.node?.cluster ?? '',
      accessLogs: this.#accessLogs,
      activeFaults: { value: 0 },
      draining: () => this.#draining,
      healthFailing: () => this.#health.failing,
    };
    this.#listeners = new ListenerSet({
      stats,
      secrets: this.#secrets,
      routes,
      env,
      own,
      drainMs: options.drainMs ?? 600_000,
      routesWanted: (names) => this.#plane.routesWanted(names),
      log: this.#log,
      opened: () => this.#mayBeReady(),
    });
    this.#plane = new ConfigPlane({
      node: bootstrap.node ?? create(NodeSchema),
      stats,
      timers: {
        after: (ms, run) => {
          const timer = setTimeout(run, ms);
          return { cancel: () => clearTimeout(timer) };
        },
        random,
      },
      target: (name) => this.#target(name),
      adsCluster: adsClusterOf(bootstrap),
      clusters: this.#clusters,
      listeners: this.#listeners,
      routes,
      secrets: this.#secrets,
      log: this.#log,
    });
  }

  get adminPort(): number | undefined {
    return this.#admin?.port;
  }

  isReady(): boolean {
    this.#mayBeReady();
    return this.#live && !this.#draining;
  }

  async start(): Promise<void> {
    const fixed = this.#bootstrap.staticResources;
    for (const secret of fixed?.secrets ?? [])
      this.#warn('secret', this.#secrets.put({ source: 'static', name: secret.name }, secret));
    await this.#startAdmin(this.#bootstrap.admin?.address);
    for (const cluster of fixed?.clusters ?? [])
      this.#warn(`cluster ${cluster.name}`, this.#clusters.addFixed(cluster));
    for (const listener of fixed?.listeners ?? [])
      this.#warn('listener', this.#listeners.addFixed(listener, toBinary(ListenerSchema, listener)));
    this.#plane.start();
    this.#mayBeReady();
  }

  async stop(): Promise<void> {
    if (this.#draining) return;
    this.#draining = true;
    this.#state.value = serverStates.DRAINING;
    this.#plane.stop();
    this.#listeners.stopAccepting();
    this.#listeners.drainAll();
    const until = performance.now() + Math.min(this.#options.drainMs ?? 5000, 30_000);
    while (this.#listeners.sessionCount > 0 && performance.now() < until)
      await new Promise((resolve) => setTimeout(resolve, stopPollMs));
    this.#listeners.close();
    this.#clusters.destroy();
    this.#accessLogs.close();
    clearTimeout(this.#dateTimer);
    await this.#admin?.close();
  }

  async #startAdmin(address: Address | undefined): Promise<void> {
    const at = readAddress(address);
    if (!at) return;
    this.#admin = new AdminServer({
      stats: this.stats,
      clusters: this.#clusters,
      listeners: this.#listeners,
      secrets: this.#secrets,
      nodeId: this.#bootstrap.node?.id ?? '',
      uptimeSeconds: () => (performance.now() - this.#startedAt) / 1000,
      state: () => this.#stateName(),
      drain: (which) => this.#listeners.drainAll(which),
      reopenLogs: () => this.#accessLogs.reopen(),
      health: this.#health,
      quit: () => (this.#options.quit ? this.#options.quit() : void this.stop()),
    });
    await this.#admin.listen(at.ip, at.port);
  }

  #stateName(): keyof typeof serverStates {
    if (this.#draining) return 'DRAINING';
    return this.isReady() ? 'LIVE' : 'PRE_INITIALIZING';
  }

  #clustersWarmed(): void {
    this.#plane.clustersWarmed();
    this.#mayBeReady();
  }

  #mayBeReady(): void {
    if (this.#live || !this.#plane.complete || !this.#clusters.warm || !this.#listeners.warm) return;
    this.#live = true;
    this.#state.value = serverStates.LIVE;
    this.stats.gauge('listener_manager.workers_started').value = 1;
    this.#signalReady();
  }

  #warn(what: string, problems: readonly string[]): void {
    for (const problem of problems) this.#log('warn', `bootstrap ${what}: ${problem}`);
  }

  #newDate(): string {
    this.#date = new Date().toUTCString();
    this.#dateTimer = setTimeout(
      () => {
        this.#date = '';
      },
      1000 - (Date.now() % 1000),
    );
    this.#dateTimer.unref();
    return this.#date;
  }

  /** Where the discovery service of a bootstrap cluster listens. */
  #target(name: string): GrpcTarget | undefined {
    const cluster = this.#bootstrap.staticResources?.clusters.find((one) => one.name === name);
    if (!cluster) return undefined;
    const problems: string[] = [];
    const target = discoveryTarget(cluster, problems);
    this.#warn(`cluster ${name}`, problems);
    return problems.length > 0 ? undefined : target;
  }
}

function adsClusterOf(bootstrap: Bootstrap): string | undefined {
  const service = bootstrap.dynamicResources?.adsConfig?.grpcServices[0]?.targetSpecifier;
  return service?.case === 'envoyGrpc' ? service.value.clusterName : undefined;
}
