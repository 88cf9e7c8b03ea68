// Where configuration comes from: the ADS stream and the streams for secrets, wired to what they configure,
// in an order that never names what is not there yet (clusters, endpoints, listeners, routes).
import { fromBinary } from '@bufbuild/protobuf';
import type { Node } from '@meltemi/envoy-api/envoy/config/core/v3/base';
import {
  type Secret,
  SecretSchema,
} from '@meltemi/envoy-api/envoy/extensions/transport_sockets/tls/v3/secret';
import {
  discoveryMethods,
  type GrpcTarget,
  grpcStreams,
  SotwClient,
  type SotwEvent,
  type SotwTimers,
  typeUrlOf,
} from '../xds/index.ts';
import type { ListenerSet } from './downstream/listener/listener-set.ts';
import type { RouteStore } from './downstream/listener/route-store.ts';
import type { Stats } from './observe/stats.ts';
import type { SecretRef } from './plan/tls/tls-plan.ts';
import type { SecretStore } from './tls/secret-store.ts';
import type { ClusterSet } from './upstream/cluster-set.ts';

/** Where the counters of each kind of resource stand. */
const managers: ReadonlyMap<string, string> = new Map([
  [typeUrlOf('cluster'), 'cluster_manager.cds'],
  [typeUrlOf('endpoint'), 'cluster_manager.eds'],
  [typeUrlOf('listener'), 'listener_manager.lds'],
  [typeUrlOf('route'), 'http.rds'],
  [typeUrlOf('secret'), 'sds'],
]);

export interface ConfigPlaneOptions {
  readonly node: Node;
  readonly stats: Stats;
  readonly timers: SotwTimers;
  /** How to reach the cluster of a discovery service; undefined when it is not in the bootstrap. */
  readonly target: (cluster: string) => GrpcTarget | undefined;
  readonly adsCluster: string | undefined;
  readonly clusters: ClusterSet;
  readonly listeners: ListenerSet;
  readonly routes: RouteStore;
  readonly secrets: SecretStore;
  readonly log: (level: 'info' | 'warn', message: string) => void;
}

export class ConfigPlane {
  readonly #options: ConfigPlaneOptions;
  readonly #ads: SotwClient | undefined;
  readonly #secretStreams: SotwClient[] = [];
  readonly #adsSecrets: string[] = [];
  #started = false;
  #clustersSeen = false;
  #listenersAsked = false;
  #listenersSeen = false;

  constructor(options: ConfigPlaneOptions) {
    this.#options = options;
    const target = options.adsCluster === undefined ? undefined : options.target(options.adsCluster);
    if (options.adsCluster !== undefined && !target)
      options.log('warn', `the bootstrap has no cluster ${options.adsCluster} for its ads_config`);
    this.#ads = target && this.#client(target, discoveryMethods.aggregated);
  }

  start(): void {
    this.#started = true;
    const { clusters } = this.#options;
    this.#ads?.subscribe(typeUrlOf('cluster'), [], (resources) => {
      const problems = clusters.applyClusters(resources);
      this.#clustersSeen = true;
      this.clustersWarmed();
      return problems;
    });
    this.#ads?.start();
  }

  stop(): void {
    this.#ads?.stop();
    for (const client of this.#secretStreams) client.stop();
  }

  /** Whether the first listeners have come, or none are to come. */
  get complete(): boolean {
    return !this.#ads || this.#listenersSeen;
  }

  endpointsWanted(names: readonly string[]): void {
    this.#want(typeUrlOf('endpoint'), names, (resources) => this.#options.clusters.applyEndpoints(resources));
  }

  routesWanted(names: readonly string[]): void {
    this.#want(typeUrlOf('route'), names, (resources) => {
      const problems = this.#options.routes.apply(resources);
      this.#options.listeners.promote();
      return problems;
    });
  }

  /** Listeners are asked for when the clusters that their routes may name are usable. */
  clustersWarmed(): void {
    if (this.#listenersAsked || !this.#clustersSeen || !this.#options.clusters.warm) return;
    this.#listenersAsked = true;
    this.#ads?.subscribe(typeUrlOf('listener'), [], (resources) => {
      const problems = this.#options.listeners.apply(resources);
      this.#listenersSeen = true;
      return problems;
    });
  }

  secretWanted(ref: SecretRef): void {
    if (ref.source === 'static') return;
    if (ref.source === '') {
      this.#adsSecrets.push(ref.name);
      this.#want(typeUrlOf('secret'), [...this.#adsSecrets], (resources) => this.#secrets('', resources));
      return;
    }
    const target = this.#options.target(ref.source);
    if (!target) {
      this.#options.log('warn', `no cluster ${ref.source} to fetch secret ${ref.name} from`);
      return;
    }
    // One stream a secret, as Envoy does it: servers may tell their clients apart by the stream.
    const client = this.#client(target, discoveryMethods.secrets);
    this.#secretStreams.push(client);
    client.subscribe(typeUrlOf('secret'), [ref.name], (resources) => this.#secrets(ref.source, resources));
    client.start();
  }

  readonly #subscribed = new Set<string>();

  #want(
    typeUrl: string,
    names: readonly string[],
    apply: (resources: Parameters<ClusterSet['applyClusters']>[0]) => readonly string[],
  ): void {
    if (this.#subscribed.has(typeUrl)) {
      this.#ads?.rename(typeUrl, names);
      return;
    }
    if (names.length === 0) return;
    this.#subscribed.add(typeUrl);
    this.#ads?.subscribe(typeUrl, names, apply);
  }

  #secrets(source: string, resources: Parameters<ClusterSet['applyClusters']>[0]): readonly string[] {
    return resources.flatMap((any) => {
      const secret: Secret = fromBinary(SecretSchema, any.value);
      return this.#options.secrets.put({ source, name: secret.name }, secret);
    });
  }

  #client(target: GrpcTarget, method: string): SotwClient {
    return new SotwClient({
      open: grpcStreams(target, method),
      node: this.#options.node,
      timers: this.#options.timers,
      note: (event) => this.#note(event, target.address),
    });
  }

  #note(event: SotwEvent, address: string): void {
    const { stats, log } = this.#options;
    switch (event.kind) {
      case 'accepted':
        stats.counter(`${managers.get(event.typeUrl)}.update_success`).value++;
        break;
      case 'refused':
        stats.counter(`${managers.get(event.typeUrl)}.update_rejected`).value++;
        log(
          'warn',
          `refused ${event.typeUrl.slice(event.typeUrl.lastIndexOf('.') + 1)} ${event.version}: ${event.problems.join('; ')}`,
        );
        break;
      case 'lost':
        if (this.#started)
          log('warn', `stream to ${address} lost (${event.detail}), next try in ${event.retryMs} ms`);
        break;
      default:
    }
  }
}
