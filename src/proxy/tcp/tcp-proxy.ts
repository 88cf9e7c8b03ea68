// Bytes from a client to a host of a cluster and back.
import type { TcpProxy } from '@meltemi/envoy-api/envoy/extensions/filters/network/tcp_proxy/v3/tcp_proxy';
import type { Cluster } from '../cluster/cluster.ts';
import type { Host } from '../cluster/host.ts';
import { xxHash64 } from '../cluster/lb/index.ts';
import type { ConnectionInfo } from '../http/connection-info.ts';
import type { HttpEnvironment } from '../http/environment.ts';
import { longestTimer, millis } from '../net/duration.ts';
import type { Wire, WireEvents } from '../net/wire.ts';
import type { Stat, Stats } from '../stats/stats.ts';

export interface TcpConfig {
  readonly clusters: readonly { readonly name: string; readonly weight: number }[];
  readonly totalWeight: number;
  readonly idleTimeout: number;
  readonly maxDuration: number;
  readonly maxConnectAttempts: number;
  readonly hashSourceIp: boolean;
  readonly connections: Stat;
  readonly noRoute: Stat;
}

export function compileTcpProxy(source: TcpProxy, stats: Stats, problems: string[]): TcpConfig {
  const specifier = source.clusterSpecifier;
  const clusters =
    specifier.case === 'weightedClusters'
      ? specifier.value.clusters.map((one) => ({ name: one.name, weight: one.weight }))
      : specifier.case === 'cluster'
        ? [{ name: specifier.value, weight: 1 }]
        : [];
  if (source.tunnelingConfig) problems.push('tcp_proxy: tunneling_config is not supported');
  return {
    clusters,
    totalWeight: clusters.reduce((sum, one) => sum + one.weight, 0),
    idleTimeout: millis(source.idleTimeout) ?? 3_600_000,
    maxDuration: millis(source.maxDownstreamConnectionDuration) ?? 0,
    maxConnectAttempts: source.maxConnectAttempts ?? 1,
    hashSourceIp: source.hashPolicy.some((policy) => policy.policySpecifier.case === 'sourceIp'),
    connections: stats.counter(`tcp.${source.statPrefix}.downstream_cx_total`),
    noRoute: stats.counter(`tcp.${source.statPrefix}.downstream_cx_no_route`),
  };
}

export interface TcpSessionOptions {
  readonly config: TcpConfig;
  readonly env: HttpEnvironment;
  readonly info: ConnectionInfo;
  readonly closed: () => void;
}

const early = 1 << 20;

export class TcpSession implements WireEvents {
  readonly #options: TcpSessionOptions;
  readonly #client: Wire;
  #upstream: Wire | undefined;
  #giveUp: (() => void) | undefined;
  #waiting: Buffer[] = [];
  #waitingBytes = 0;
  #clientEnded = false;
  #hostEnded = false;
  #over = false;
  #attempts = 0;
  #idle: NodeJS.Timeout | undefined;
  #lifetime: NodeJS.Timeout | undefined;
  #release: (() => void) | undefined;

  constructor(client: Wire, first: Buffer | undefined, options: TcpSessionOptions) {
    this.#client = client;
    this.#options = options;
    options.config.connections.value++;
    client.attach(this);
    if (first) this.#keep(first);
    client.resume();
    const { idleTimeout, maxDuration } = options.config;
    if (idleTimeout > 0) this.#idle = setTimeout(() => this.close(), Math.min(idleTimeout, longestTimer));
    if (maxDuration > 0) this.#lifetime = setTimeout(() => this.close(), maxDuration);
    this.#connect();
  }

  close(): void {
    this.#end(false);
  }

  onBytes(bytes: Buffer, start: number, end: number): void {
    this.#idle?.refresh();
    const piece = Buffer.from(bytes.subarray(start, end));
    if (!this.#upstream) {
      this.#keep(piece);
      return;
    }
    if (!this.#upstream.writeBytes(piece)) this.#client.pause();
  }

  onDrain(): void {
    this.#upstream?.resume();
  }

  onEnd(): void {
    this.#clientEnded = true;
    this.#upstream?.end();
    this.#halfClosed();
  }

  onClose(error: Error | undefined): void {
    this.#end(error !== undefined);
  }

  #keep(piece: Buffer): void {
    this.#waiting.push(piece);
    this.#waitingBytes += piece.length;
    if (this.#waitingBytes > early) this.#client.pause();
  }

  #connect(): void {
    this.#attempts++;
    const { env, config } = this.#options;
    const cluster = env.cluster(this.#cluster());
    const host = cluster && this.#host(cluster);
    if (!cluster || !host) {
      config.noRoute.value++;
      this.#end(false);
      return;
    }
    const resources = cluster.resources.default;
    if (resources.connections >= resources.limits.maxConnections) {
      cluster.stats.connectionOverflow.value++;
      this.#end(false);
      return;
    }
    resources.connections++;
    host.connections++;
    host.activeRequests++;
    cluster.stats.connectionsTotal.value++;
    cluster.stats.connectionsActive.value++;
    this.#release = () => {
      resources.connections--;
      host.connections--;
      host.activeRequests--;
      cluster.stats.connectionsActive.value--;
    };
    this.#giveUp = host.transport.connect(
      {
        host: host.ip,
        port: host.port,
        path: host.path,
        localAddress: cluster.config.bindAddress,
        keepAliveMs: cluster.config.keepAliveMs,
        announce: cluster.own.announcer(this.#options.info.hops),
        timeoutMs: Math.min(cluster.config.connectTimeout, longestTimer),
        alpn: [],
        sni: undefined,
        verifyName: undefined,
        client: this.#options.info,
      },
      { connected: (wire) => this.#connected(wire, cluster, host), failed: (_detail, timedOut) => this.#failed(cluster, host, timedOut) },
    );
  }

  #cluster(): string {
    const { clusters, totalWeight } = this.#options.config;
    let draw = clusters.length > 1 ? this.#options.env.random() * totalWeight : 0;
    for (const one of clusters) {
      draw -= one.weight;
      if (draw < 0 || clusters.length === 1) return one.name;
    }
    return clusters.at(-1)?.name ?? '';
  }

  #host(cluster: Cluster): Host | undefined {
    const { info, env } = this.#options;
    if (cluster.config.discovery === 'originalDst') return cluster.originalFor(info, undefined);
    const hash = this.#options.config.hashSourceIp ? { hash: xxHash64(info.remoteIp) } : {};
    return cluster.choose({ random: env.random, now: env.now(), ...hash });
  }

  #connected(wire: Wire, cluster: Cluster, host: Host): void {
    this.#giveUp = undefined;
    if (this.#over) {
      wire.destroy();
      return;
    }
    cluster.report(host, { kind: 'localSuccess' });
    this.#upstream = wire;
    wire.attach({
      onBytes: (bytes, start, end) => {
        this.#idle?.refresh();
        if (!this.#client.writeBytes(Buffer.from(bytes.subarray(start, end)))) wire.pause();
      },
      onDrain: () => this.#client.resume(),
      onEnd: () => {
        this.#hostEnded = true;
        this.#client.end();
        this.#halfClosed();
      },
      onClose: (error) => this.#end(error !== undefined),
    });
    wire.resume();
    for (const piece of this.#waiting) wire.writeBytes(piece);
    this.#waiting = [];
    this.#client.resume();
    if (this.#clientEnded) wire.end();
  }

  #failed(cluster: Cluster, host: Host, timedOut: boolean): void {
    this.#giveUp = undefined;
    this.#release?.();
    this.#release = undefined;
    cluster.stats.connectFail.value++;
    if (timedOut) cluster.stats.connectTimeout.value++;
    cluster.report(host, { kind: 'localFailure' });
    if (this.#over) return;
    if (this.#attempts < this.#options.config.maxConnectAttempts) {
      this.#connect();
      return;
    }
    this.#end(false);
  }

  #halfClosed(): void {
    if (this.#clientEnded && this.#hostEnded) this.#end(false);
  }

  #end(abnormal: boolean): void {
    if (this.#over) return;
    this.#over = true;
    clearTimeout(this.#idle);
    clearTimeout(this.#lifetime);
    this.#giveUp?.();
    this.#release?.();
    for (const wire of [this.#client, this.#upstream]) {
      if (!wire) continue;
      if (abnormal) wire.reset();
      else endThenDestroy(wire);
    }
    this.#options.closed();
  }
}

/** What is still queued goes out; a peer that never closes its side does not hold the socket. */
function endThenDestroy(wire: Wire): void {
  wire.resume();
  wire.end();
  setTimeout(() => wire.destroy(), 1000).unref();
}
