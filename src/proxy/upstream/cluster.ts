// A cluster in use: its hosts, balancer, limits, counters and connection pools.

import { HealthStatus } from '@meltemi/envoy-api/envoy/config/core/v3/health_check';
import type {
  LbEndpoint,
  LocalityLbEndpoints,
} from '@meltemi/envoy-api/envoy/config/endpoint/v3/endpoint_components';
import {
  createLoadBalancer,
  type Health,
  type LbConfig,
  type LbContext,
  type LoadBalancer,
  type LocalityHosts,
} from '../decide/lb/index.ts';
import { formatAddress, readAddress, splitAddress } from '../net/address.ts';
import type { OwnConnections } from '../net/own-connections.ts';
import type { Stat, Stats } from '../observe/stats.ts';
import type { ClusterConfig, Thresholds } from '../plan/cluster/cluster-plan.ts';
import type { DynamicPlan } from '../plan/cluster/dynamic-plan.ts';
import { DynamicHosts } from './dynamic-hosts.ts';
import { Host } from './host.ts';
import { HostMonitor } from './host-monitor.ts';
import type { OutlierEvent } from './outlier/index.ts';
import { HttpPool, type PoolOptions, poolKey } from './pool.ts';
import type { PoolStats, Resources } from './pool-context.ts';
import type { Resolve } from './resolver.ts';
import type { Transport } from './transport/transport.ts';

export interface ClusterStats extends PoolStats {
  readonly requestsTotal: Stat;
  readonly requestsActive: Stat;
  readonly completed: Stat;
  readonly byClass: readonly Stat[];
  readonly timeouts: Stat;
  readonly perTryTimeouts: Stat;
  readonly retries: Stat;
  readonly retryOverflow: Stat;
  readonly retryLimitExceeded: Stat;
  readonly resetByHost: Stat;
  readonly noHealthy: Stat;
  readonly membershipTotal: Stat;
  readonly membershipHealthy: Stat;
}

export interface ClusterContext {
  readonly now: () => number;
  readonly random: () => number;
  readonly own: OwnConnections;
  readonly resolve: Resolve;
}

/** What a client's connection was made to. */
export interface Dialled {
  readonly localIp: string;
  readonly localPort: number;
  readonly redirected: boolean;
}

export class Cluster {
  readonly config: ClusterConfig;
  readonly stats: ClusterStats;
  readonly resources: Readonly<Record<'default' | 'high', Resources>>;
  readonly own: OwnConnections;
  /** Of a cluster whose hosts are found by name. */
  readonly dynamic: DynamicHosts | undefined;
  readonly #balancer: LoadBalancer<Host>;
  readonly #now: () => number;
  readonly #monitor: HostMonitor | undefined;
  #hosts = new Map<string, Host>();
  #sweepAt = 1024;
  #localities: readonly LocalityHosts<Host>[] = [];
  /** The first answer about its hosts has arrived. */
  initialized: boolean;

  constructor(
    config: ClusterConfig,
    lb: LbConfig,
    stats: Stats,
    { now, random, own, resolve }: ClusterContext,
  ) {
    this.config = config;
    this.own = own;
    this.#now = now;
    this.stats = clusterStats(config.name, stats);
    this.resources = {
      default: resourcesOf(config.thresholds.default),
      high: resourcesOf(config.thresholds.high),
    };
    this.#balancer = createLoadBalancer<Host>(lb);
    this.#monitor = config.outlier
      ? new HostMonitor(config.outlier, config.name, stats, {
          now,
          random,
          changed: () => this.#changed(),
          hosts: () => this.#hosts,
        })
      : undefined;
    this.initialized = config.discovery === 'originalDst' || config.discovery === 'dynamic';
    this.dynamic = config.dynamic && this.#dynamicHosts(config.dynamic, { now, resolve });
    if (config.discovery === 'static') this.assign(config.assignment?.endpoints ?? []);
  }

  get ready(): boolean {
    return (
      this.initialized &&
      this.config.transport.settled &&
      this.config.transportMatches.every((one) => one.transport.settled)
    );
  }

  get hosts(): ReadonlyMap<string, Host> {
    return this.#hosts;
  }

  get localities(): readonly LocalityHosts<Host>[] {
    return this.#localities;
  }

  choose(context: LbContext<Host>): Host | undefined {
    return this.#balancer.choose(context);
  }

  /**
   * The host of an ORIGINAL_DST cluster: what `header` names, or the address that a redirected connection was
   * meant for. There is none for a connection that was made to the listener itself: sent on there, it would
   * come back for ever.
   */
  originalFor(connection: Dialled, header: string | undefined): Host | undefined {
    const { portOverride } = this.config.originalDst;
    const named = splitAddress(header);
    if (named) return this.#original(named.ip, portOverride ?? named.port);
    return connection.redirected
      ? this.#original(connection.localIp, portOverride ?? connection.localPort)
      : undefined;
  }

  #dynamicHosts(plan: DynamicPlan, context: Pick<ClusterContext, 'now' | 'resolve'>): DynamicHosts {
    return new DynamicHosts(plan, {
      ...context,
      create: ({ name, port }, ip) => {
        const host = this.#host({ ip, port }, name, 1, 'healthy', {});
        this.#hosts.set(`${name}:${port}`, host);
        this.stats.membershipTotal.value = this.#hosts.size;
        return host;
      },
      drop: (host) => {
        for (const pool of host.pools.values()) pool.drain();
        this.#hosts.delete(`${host.hostname}:${host.port}`);
      },
    });
  }

  #original(ip: string, port: number): Host {
    const address = formatAddress(ip, port);
    let host = this.#hosts.get(address);
    if (!host) {
      host = this.#host({ ip, port }, '', 1, 'healthy', {});
      if (this.#hosts.size >= this.#sweepAt) this.#sweep();
      this.#hosts.set(address, host);
      this.stats.membershipTotal.value = this.#hosts.size;
    }
    return host;
  }

  /**
   * Addresses that nobody is connected to are forgotten, so that a scan of the network does not fill the
   * memory.
   */
  #sweep(): void {
    for (const [address, host] of this.#hosts) {
      if (host.connections > 0 || host.activeRequests > 0) continue;
      for (const pool of host.pools.values()) pool.drain();
      this.#hosts.delete(address);
    }
    this.#sweepAt = Math.max(1024, this.#hosts.size * 2);
  }

  pool(host: Host, options: PoolOptions): HttpPool {
    const key = poolKey(options);
    let pool = host.pools.get(key);
    if (!pool) {
      pool = new HttpPool(this, host, options);
      host.pools.set(key, pool);
    }
    return pool;
  }

  /** Replaces the hosts; those that stay keep their connections and state. */
  assign(endpoints: readonly LocalityLbEndpoints[]): void {
    const before = this.#hosts;
    const after = new Map<string, Host>();
    this.#localities = endpoints.map((group) => ({
      locality: [group.locality?.region, group.locality?.zone, group.locality?.subZone].join('/'),
      priority: group.priority,
      weight: group.loadBalancingWeight ?? 0,
      hosts: group.lbEndpoints
        .flatMap((endpoint) => this.#keep(endpoint, before, after) ?? [])
        .map((host) => at(host, group.priority)),
    }));
    this.#hosts = after;
    for (const [address, host] of before)
      if (after.get(address) !== host) for (const pool of host.pools.values()) pool.drain();
    this.initialized = true;
    this.#balancer.update(this.#localities);
    this.#monitor?.setHosts(after.keys());
    this.#count();
  }

  report(host: Host, outcome: OutlierEvent): void {
    this.#monitor?.report(host, outcome);
  }

  drain(): void {
    this.#monitor?.stop();
    for (const host of this.#hosts.values()) for (const pool of host.pools.values()) pool.drain();
  }

  destroy(): void {
    this.#monitor?.stop();
    for (const host of this.#hosts.values()) for (const pool of host.pools.values()) pool.destroy();
  }

  #changed(): void {
    this.#balancer.refresh();
    this.#count();
  }

  #count(): void {
    this.stats.membershipTotal.value = this.#hosts.size;
    let healthy = 0;
    for (const host of this.#hosts.values()) if (host.health === 'healthy' && !host.ejected) healthy++;
    this.stats.membershipHealthy.value = healthy;
  }

  #keep(endpoint: LbEndpoint, before: ReadonlyMap<string, Host>, after: Map<string, Host>): Host | undefined {
    const identity = endpoint.hostIdentifier;
    if (identity.case !== 'endpoint') return undefined;
    const address = readAddress(identity.value.address);
    if (!address) return undefined;
    const metadata = endpoint.metadata?.filterMetadata ?? {};
    const weight = endpoint.loadBalancingWeight ?? 1;
    const health = healthOf(endpoint.healthStatus);
    const fresh = this.#host(address, identity.value.hostname, weight, health, metadata);
    const kept = before.get(fresh.address);
    const host =
      kept && kept.transport === fresh.transport && kept.hostname === fresh.hostname ? kept : fresh;
    host.weight = weight;
    host.health = health;
    after.set(host.address, host);
    return host;
  }

  #host(
    at: { ip: string; port: number; path?: string },
    hostname: string,
    weight: number,
    health: Health,
    metadata: Host['metadata'],
  ): Host {
    return new Host({
      ip: at.ip,
      port: at.port,
      path: at.path,
      address: at.path ?? formatAddress(at.ip, at.port),
      hostname,
      weight,
      health,
      metadata,
      addedAt: this.#now(),
      transport: this.#transportFor(metadata['envoy.transport_socket_match'] ?? {}),
    });
  }

  #transportFor(wanted: Readonly<Record<string, unknown>>): Transport {
    const found = this.config.transportMatches.find((one) =>
      Object.entries(one.match).every(([key, value]) => wanted[key] === value),
    );
    return found?.transport ?? this.config.transport;
  }
}

function at(host: Host, priority: number): Host {
  host.priority = priority;
  return host;
}

function resourcesOf(limits: Thresholds): Resources {
  return { limits, connections: 0, pending: 0, requests: 0, retries: 0 };
}

function healthOf(status: HealthStatus): Health {
  switch (status) {
    case HealthStatus.UNHEALTHY:
    case HealthStatus.TIMEOUT:
      return 'unhealthy';
    case HealthStatus.DRAINING:
      return 'draining';
    case HealthStatus.DEGRADED:
      return 'degraded';
    default:
      return 'healthy';
  }
}

function clusterStats(name: string, stats: Stats): ClusterStats {
  const counter = (suffix: string): Stat => stats.counter(`cluster.${name}.${suffix}`);
  const gauge = (suffix: string): Stat => stats.gauge(`cluster.${name}.${suffix}`);
  return {
    requestsTotal: counter('upstream_rq_total'),
    requestsActive: gauge('upstream_rq_active'),
    completed: counter('upstream_rq_completed'),
    byClass: [1, 2, 3, 4, 5].map((n) => counter(`upstream_rq_${n}xx`)),
    pendingTotal: counter('upstream_rq_pending_total'),
    pendingOverflow: counter('upstream_rq_pending_overflow'),
    activeOverflow: counter('upstream_rq_active_overflow'),
    connectionsTotal: counter('upstream_cx_total'),
    connectionsActive: gauge('upstream_cx_active'),
    connectionOverflow: counter('upstream_cx_overflow'),
    connectionsIdleClosed: counter('upstream_cx_idle_timeout'),
    connectFail: counter('upstream_cx_connect_fail'),
    connectTimeout: counter('upstream_cx_connect_timeout'),
    timeouts: counter('upstream_rq_timeout'),
    perTryTimeouts: counter('upstream_rq_per_try_timeout'),
    retries: counter('upstream_rq_retry'),
    retryOverflow: counter('upstream_rq_retry_overflow'),
    retryLimitExceeded: counter('upstream_rq_retry_limit_exceeded'),
    resetByHost: counter('upstream_rq_rx_reset'),
    noHealthy: counter('upstream_cx_none_healthy'),
    membershipTotal: gauge('membership_total'),
    membershipHealthy: gauge('membership_healthy'),
  };
}
