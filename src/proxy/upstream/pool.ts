// Connections to one host over one protocol: reuse, limits, waiting requests.

import { longestTimer } from '../codec/duration.ts';
import type {
  RequestHead,
  ResetReason,
  UpstreamReceiver,
  UpstreamStream,
} from '../codec/http/message-contract.ts';
import type { ClientAddresses } from '../codec/proxy-protocol.ts';
import type { Timer } from '../net/clock.ts';
import type { SocketWire, Wire } from '../net/wire.ts';
import { ConnectTunnel } from './http/connect-tunnel.ts';
import { H1Client } from './http/h1-client.ts';
import { H2Client } from './http/h2-client.ts';
import type { ConnectionOwner, UpstreamConnection } from './http/upstream-connection.ts';
import type { PoolCluster, PoolHost, Resources } from './pool-context.ts';

export interface Waiter {
  /** Returns false when the connection is not wanted after all. */
  ready(connection: UpstreamConnection): boolean;
  failed(reason: ResetReason, detail: string): void;
}

export interface PoolOptions {
  readonly protocol: 'h1' | 'h2' | 'auto' | 'connect';
  readonly sni: string | undefined;
  readonly verifyName: string | undefined;
  /**
   * Of the client's connection. Connections on behalf of clients that are the proxy itself are kept apart.
   */
  readonly hops: number;
  /** Only where the transport tells it to the host. */
  readonly client: ClientAddresses | undefined;
  /** Requests of each priority have connections and limits of their own. */
  readonly priority: 'default' | 'high';
}

/** Requests with equal keys may share connections. */
export function poolKey({ protocol, sni, hops, client, priority }: PoolOptions): string {
  if (sni === undefined && hops === 0 && client === undefined && priority === 'default') return protocol;
  const whom = client ? `${client.remoteIp} ${client.remotePort} ${client.localIp} ${client.localPort}` : '';
  return `${protocol} ${priority} ${hops} ${whom} ${sni}`;
}

/** Protocols offered in a TLS handshake. */
const offered: Readonly<Record<PoolOptions['protocol'], readonly string[]>> = {
  connect: [],
  h1: ['http/1.1'],
  h2: ['h2'],
  auto: ['h2', 'http/1.1'],
};

export class HttpPool implements ConnectionOwner {
  readonly #cluster: PoolCluster;
  readonly #host: PoolHost;
  readonly #options: PoolOptions;
  readonly #idle: UpstreamConnection[] = [];
  readonly #all = new Set<UpstreamConnection>();
  readonly #waiting: Waiter[] = [];
  readonly #attempts = new Set<() => void>();
  readonly #idleTimers = new Map<UpstreamConnection, Timer>();
  #multiplexed: boolean;
  #draining = false;

  constructor(cluster: PoolCluster, host: PoolHost, options: PoolOptions) {
    this.#cluster = cluster;
    this.#host = host;
    this.#options = options;
    this.#multiplexed = options.protocol === 'h2';
  }

  /** A connection at once, or undefined: then the waiter is called later, unless `cancel` comes first. */
  acquire(waiter: Waiter): UpstreamConnection | undefined {
    const resources = this.#resources;
    const ready = this.#takeReady();
    if (ready) return ready;
    if (resources.pending >= resources.limits.maxPending) {
      this.#cluster.stats.pendingOverflow.value++;
      queueMicrotask(() => waiter.failed('overflow', ''));
      return undefined;
    }
    this.#waiting.push(waiter);
    resources.pending++;
    this.#cluster.stats.pendingTotal.value++;
    this.#open();
    return undefined;
  }

  cancel(waiter: Waiter): void {
    const at = this.#waiting.indexOf(waiter);
    if (at < 0) return;
    this.#waiting.splice(at, 1);
    this.#resources.pending--;
  }

  released(connection: UpstreamConnection): void {
    while (this.#waiting.length > 0 && connection.available) this.#serve(connection);
    // Requests that wait are served by a draining pool too: they have chosen their host.
    if (this.#draining) {
      connection.drain();
      return;
    }
    if (!connection.available) return;
    if (!this.#multiplexed) this.#idle.push(connection);
    if (connection.activeStreams === 0) this.#armIdle(connection);
  }

  gone(connection: UpstreamConnection): void {
    this.#all.delete(connection);
    const at = this.#idle.indexOf(connection);
    if (at >= 0) this.#idle.splice(at, 1);
    this.#idleTimers.get(connection)?.close();
    this.#idleTimers.delete(connection);
    this.#host.connections--;
    this.#resources.connections--;
    this.#cluster.stats.connectionsActive.value--;
    if (this.#waiting.length > 0) this.#open();
  }

  drain(): void {
    this.#draining = true;
    for (const connection of this.#all) connection.drain();
  }

  destroy(): void {
    this.#draining = true;
    for (const giveUp of this.#attempts) giveUp();
    this.#attempts.clear();
    for (const connection of this.#all) connection.destroy();
  }

  get #resources(): Resources {
    return this.#cluster.resources[this.#options.priority];
  }

  #takeReady(): UpstreamConnection | undefined {
    if (this.#multiplexed) {
      for (const connection of this.#all) if (connection.available) return connection;
      return undefined;
    }
    // The connection used last is the least likely to be closed by the other side.
    for (let connection = this.#idle.pop(); connection; connection = this.#idle.pop())
      if (connection.available) return connection;
    return undefined;
  }

  #open(): void {
    const resources = this.#resources;
    const wanted = this.#multiplexed ? 1 : this.#waiting.length;
    if (this.#attempts.size >= wanted) return;
    if (
      resources.connections >= resources.limits.maxConnections &&
      this.#all.size + this.#attempts.size > 0
    ) {
      this.#cluster.stats.connectionOverflow.value++;
      return;
    }
    resources.connections++;
    this.#host.connections++;
    this.#cluster.stats.connectionsTotal.value++;
    this.#cluster.stats.connectionsActive.value++;
    const plan = this.#cluster.plan;

    const giveUp = this.#host.transport.connect(
      {
        host: this.#host.ip,
        port: this.#host.port,
        path: this.#host.path,
        localAddress: plan.bindAddress,
        options: plan.socketOptions,
        announce: this.#cluster.own.announcer(this.#options.hops),
        timeoutMs: Math.min(plan.connectTimeout, longestTimer),
        alpn: offered[this.#options.protocol],
        sni: this.#options.sni,
        verifyName: this.#options.verifyName,
        client: this.#options.client,
      },
      {
        connected: (wire, alpn) => {
          this.#attempts.delete(giveUp);
          this.#connected(wire, alpn);
        },
        failed: (detail, timedOut) => {
          this.#attempts.delete(giveUp);
          this.#failed(detail, timedOut);
        },
      },
    );
    this.#attempts.add(giveUp);
  }

  #connected(wire: Wire, alpn: string | undefined): void {
    const http = this.#cluster.plan.http;
    const h2 = this.#options.protocol === 'h2' || (this.#options.protocol === 'auto' && alpn === 'h2');
    if (h2) this.#multiplexed = true;
    const connection = this.#connection(wire, h2);
    this.#all.add(connection);
    if (http.maxConnectionDuration > 0)
      this.#cluster.clock.after(http.maxConnectionDuration, () => connection.drain());
    this.released(connection);
    if (this.#waiting.length > 0) this.#open();
  }

  #connection(wire: Wire, h2: boolean): UpstreamConnection {
    const http = this.#cluster.plan.http;
    const maxRequests = http.maxRequestsPerConnection;
    if (this.#options.protocol === 'connect') return new ConnectTunnel(wire, this);
    if (!h2)
      return new H1Client(wire, this, {
        now: this.#cluster.clock.now,
        maxRequests,
        trailers: http.trailers,
        maxHeaders: http.maxHeaders,
      });
    return new H2Client((wire as SocketWire).socket, this, {
      h2: http.h2,
      maxRequests,
      secure: wire.tls !== undefined,
      clock: this.#cluster.clock,
      localAddress: wire.localAddress,
    });
  }

  #failed(detail: string, timedOut: boolean): void {
    this.#resources.connections--;
    this.#host.connections--;
    this.#cluster.stats.connectionsActive.value--;
    this.#cluster.stats.connectFail.value++;
    if (timedOut) this.#cluster.stats.connectTimeout.value++;
    // Requests that other attempts are under way for keep waiting.
    const lost = this.#waiting.splice(0, Math.max(1, this.#waiting.length - this.#attempts.size));
    this.#resources.pending -= lost.length;
    for (const waiter of lost) waiter.failed(timedOut ? 'connect-timeout' : 'connect-failure', detail);
  }

  #serve(connection: UpstreamConnection): void {
    const waiter = this.#waiting.shift();
    if (!waiter) return;
    this.#resources.pending--;
    waiter.ready(connection);
  }

  #armIdle(connection: UpstreamConnection): void {
    const timeout = this.#cluster.plan.http.idleTimeout;
    if (timeout <= 0) return;
    const timer = this.#idleTimers.get(connection);
    if (timer) timer.refresh();
    else
      this.#idleTimers.set(
        connection,
        this.#cluster.clock.after(timeout, () => this.#idleExpired(connection)),
      );
  }

  #idleExpired(connection: UpstreamConnection): void {
    if (connection.activeStreams > 0) return;
    this.#cluster.stats.connectionsIdleClosed.value++;
    connection.drain();
  }
}

export type { RequestHead, UpstreamReceiver, UpstreamStream };
