// Bytes from a client to a host of a cluster and back.

import { longestTimer } from '../../codec/duration.ts';
import type { ConnectionInfo } from '../../decide/connection-info.ts';
import { xxHash64 } from '../../decide/lb/index.ts';
import type { Timer } from '../../net/clock.ts';
import type { Wire, WireEvents } from '../../net/wire.ts';
import { ConnectionRecord } from '../../observe/connection-record.ts';
import type { TcpTarget } from '../../plan/tcp/tcp-plan.ts';
import type { Cluster } from '../../upstream/cluster.ts';
import { type DynamicHosts, namedIn } from '../../upstream/dynamic-hosts.ts';
import type { Host } from '../../upstream/host.ts';
import type { HttpEnvironment } from '../environment.ts';
import type { RunningTcpProxy } from './running-tcp-proxy.ts';
import { openTunnel } from './tunnel-wire.ts';

export interface TcpSessionOptions {
  readonly proxy: RunningTcpProxy;
  readonly env: HttpEnvironment;
  readonly info: ConnectionInfo;
  /** Asked at the first bytes: why the connection may not go on. */
  readonly refusal: () => string | undefined;
  readonly closed: () => void;
}

const early = 1 << 20;
const lingerMs = 1000;

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
  #admitted = false;
  #attempts = 0;
  #idle: Timer | undefined;
  #lifetime: Timer | undefined;
  #release: (() => void) | undefined;
  readonly #record: ConnectionRecord;

  constructor(client: Wire, options: TcpSessionOptions) {
    this.#client = client;
    this.#options = options;
    this.#record = new ConnectionRecord(options.info, options.env.clock.now);
    options.proxy.connections.value++;
  }

  /** `first`: read from the client already. */
  start(first: Buffer | undefined): void {
    this.#client.attach(this);
    if (first && !this.#admits()) return;
    if (first) this.#keep(first);
    this.#client.resume();
    const { idleTimeout, maxDuration } = this.#options.proxy.plan;
    const { clock } = this.#options.env;
    if (idleTimeout > 0) this.#idle = clock.after(idleTimeout, () => this.close());
    if (maxDuration > 0) this.#lifetime = clock.after(maxDuration, () => this.close());
    this.#connect();
  }

  close(): void {
    this.#end(false);
  }

  onBytes(bytes: Buffer, start: number, end: number): void {
    if (!this.#admits()) return;
    this.#idle?.refresh();
    const piece = Buffer.from(bytes.subarray(start, end));
    if (!this.#upstream) {
      this.#keep(piece);
      return;
    }
    this.#record.bytesReceived += piece.length;
    if (!this.#upstream.writeBytes(piece)) this.#client.pause();
  }

  onDrain(): void {
    this.#upstream?.resume();
  }

  onEnd(): void {
    if (!this.#admits()) return;
    this.#clientEnded = true;
    this.#upstream?.end();
    this.#halfClosed();
  }

  onClose(error: Error | undefined): void {
    this.#end(error !== undefined);
  }

  #admits(): boolean {
    if (this.#admitted) return true;
    const refusal = this.#options.refusal();
    this.#admitted = refusal === undefined;
    if (refusal === undefined) return true;
    this.#record.connectionTerminationDetails = refusal;
    this.#end(true);
    return false;
  }

  #keep(piece: Buffer): void {
    this.#record.bytesReceived += piece.length;
    this.#waiting.push(piece);
    this.#waitingBytes += piece.length;
    if (this.#waitingBytes > early) this.#client.pause();
  }

  #connect(): void {
    this.#attempts++;
    const { env, proxy } = this.#options;
    const target = this.#target();
    const cluster = target && env.cluster(target.name);
    if (!cluster) {
      proxy.noRoute.value++;
      this.#record.clusterName = target?.name;
      this.#fail(target ? 'NC' : 'NR');
    } else if (cluster.dynamic) this.#lookUp(cluster, cluster.dynamic);
    else this.#open(cluster, this.#host(cluster, target));
  }

  /** The server name of the handshake is looked up; without one there is nowhere to go. */
  #lookUp(cluster: Cluster, hosts: DynamicHosts): void {
    const { proxy, info } = this.#options;
    const named =
      info.serverName === undefined ? undefined : namedIn(info.serverName, proxy.plan.dynamicPort ?? 443);
    if (named)
      hosts.find(
        named,
        (lookup) => this.#over || this.#open(cluster, lookup.kind === 'found' ? lookup.host : undefined),
      );
    else this.#open(cluster, undefined);
  }

  #open(cluster: Cluster, host: Host | undefined): void {
    if (!host) {
      cluster.stats.noHealthy.value++;
      this.#record.clusterName = cluster.statName;
      this.#fail('UH');
      return;
    }
    this.#record.clusterName = cluster.statName;
    this.#record.upstreamHost = host.address;
    this.#record.upstreamHostname = host.fieldName;
    this.#record.attemptCount = this.#attempts;
    const { tunnel } = this.#options.proxy;
    const result = {
      connected: (wire: Wire) => this.#connected(wire, cluster, host),
      failed: (detail: string, timedOut: boolean) => {
        this.#record.upstreamTransportFailureReason = detail || undefined;
        this.#failed(cluster, host, timedOut);
      },
    };
    if (tunnel) {
      this.#giveUp = openTunnel({ tunnel, cluster, host, info: this.#options.info }, result);
      return;
    }
    if (!this.#reserve(cluster, host)) {
      this.#fail('UO');
      return;
    }
    this.#giveUp = host.transport.connect(
      {
        host: host.ip,
        port: host.port,
        path: host.path,
        localAddress: cluster.plan.bindAddress,
        options: cluster.plan.socketOptions,
        announce: cluster.own.announcer(this.#options.info.hops),
        timeoutMs: Math.min(cluster.plan.connectTimeout, longestTimer),
        alpn: [],
        sni: undefined,
        verifyName: undefined,
        client: this.#options.info,
      },
      result,
    );
  }

  /**
   * Counts the connection against the cluster's limits. A tunnel is counted by the pool that it is taken
   * from.
   */
  #reserve(cluster: Cluster, host: Host): boolean {
    const resources = cluster.resources.default;
    if (resources.connections >= resources.limits.maxConnections) {
      cluster.stats.connectionOverflow.value++;
      return false;
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
    return true;
  }

  #target(): TcpTarget | undefined {
    const { clusters, totalWeight } = this.#options.proxy.plan;
    let draw = clusters.length > 1 ? this.#options.env.random() * totalWeight : 0;
    for (const one of clusters) {
      draw -= one.weight;
      if (draw < 0 || clusters.length === 1) return one;
    }
    return clusters.at(-1);
  }

  #host(cluster: Cluster, { metadataMatch }: TcpTarget): Host | undefined {
    const { info, env } = this.#options;
    if (cluster.plan.discovery === 'originalDst') return cluster.originalFor(info, undefined);
    const hash = this.#options.proxy.plan.hashSourceIp ? { hash: xxHash64(info.remoteIp) } : {};
    return cluster.choose({
      random: env.random,
      now: env.clock.now(),
      ...hash,
      ...(metadataMatch ? { match: metadataMatch } : {}),
    });
  }

  #connected(wire: Wire, cluster: Cluster, host: Host): void {
    this.#giveUp = undefined;
    if (this.#over) {
      wire.destroy();
      return;
    }
    cluster.report(host, { kind: 'localSuccess' });
    this.#upstream = wire;
    this.#record.upstreamRemoteAddress = host.address;
    this.#record.upstreamLocalAddress = wire.localAddress;
    wire.attach({
      onBytes: (bytes, start, end) => {
        this.#idle?.refresh();
        this.#record.bytesSent += end - start;
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
    if (this.#attempts < this.#options.proxy.plan.maxConnectAttempts) {
      this.#connect();
      return;
    }
    this.#fail('UF,URX');
  }

  /** Bytes that went nowhere are not acknowledged by a proper end. */
  #fail(flag: string): void {
    this.#record.flag(flag);
    this.#end(this.#waiting.length > 0);
  }

  #halfClosed(): void {
    if (this.#clientEnded && this.#hostEnded) this.#end(false);
  }

  #end(abnormal: boolean): void {
    if (this.#over) return;
    this.#over = true;
    this.#idle?.close();
    this.#lifetime?.close();
    this.#giveUp?.();
    this.#release?.();
    for (const wire of [this.#client, this.#upstream]) {
      if (!wire) continue;
      if (abnormal) wire.reset();
      else this.#endThenDestroy(wire);
    }
    this.#record.ended();
    this.#options.proxy.log?.(this.#record);
    this.#options.closed();
  }

  /** What is still queued goes out; a peer that never closes its side does not hold the socket. */
  #endThenDestroy(wire: Wire): void {
    wire.resume();
    wire.end();
    this.#options.env.clock.after(lingerMs, () => wire.destroy());
  }
}
