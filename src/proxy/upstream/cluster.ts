// A cluster in use: its hosts, balancer, limits, counters and connection pools.

import { formatAddress, splitAddress } from '../codec/address.ts';
import { type ErrorMatcher, errorMatcher } from '../decide/error-match.ts';
import {
  createLoadBalancer,
  type LbContext,
  type LbExplanation,
  type LoadBalancer,
  type LocalityHosts,
} from '../decide/lb/index.ts';
import type { Clock } from '../net/clock.ts';
import type { OwnConnections } from '../net/own-connections.ts';
import type { Stat, Stats } from '../observe/stats.ts';
import type { ClusterPlan, Thresholds } from '../plan/cluster/cluster-plan.ts';
import type { DynamicPlan } from '../plan/cluster/dynamic-plan.ts';
import type { EndpointPlan, LocalityPlan } from '../plan/cluster/endpoints-plan.ts';
import { DynamicHosts } from './dynamic-hosts.ts';
import { Host } from './host.ts';
import { HostMonitor } from './host-monitor.ts';
import type { OutlierEvent } from './outlier/index.ts';
import { HttpPool, type PoolOptions, poolKey } from './pool.ts';
import type { PoolStats, Resources } from './pool-context.ts';
import type { Resolve } from './resolver.ts';
import type { ClusterTransports } from './transport/cluster-transports.ts';

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
  readonly stats: Stats;
  readonly transports: ClusterTransports;
  readonly clock: Clock;
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
  readonly plan: ClusterPlan;
  readonly stats: ClusterStats;
  readonly resources: Readonly<Record<'default' | 'high', Resources>>;
  readonly clock: Clock;
  readonly own: OwnConnections;
  readonly transports: ClusterTransports;
  /** Stands in for "status 5xx" in outlier detection. */
  readonly isError: ErrorMatcher | undefined;
  /** Of a cluster whose hosts are found by name. */
  readonly dynamic: DynamicHosts | undefined;
  readonly #balancer: LoadBalancer<Host>;
  readonly #monitor: HostMonitor | undefined;
  #hosts = new Map<string, Host>();
  #sweepAt = 1024;
  #localities: readonly LocalityHosts<Host>[] = [];
  /** The first answer about its hosts has arrived. */
  initialized: boolean;

  constructor(plan: ClusterPlan, context: ClusterContext) {
    const { stats, transports, clock, random, own } = context;
    this.plan = plan;
    this.own = own;
    this.transports = transports;
    this.isError = plan.errorMatch && errorMatcher(plan.errorMatch);
    this.clock = clock;
    this.stats = clusterStats(plan.name, stats);
    this.resources = {
      default: resourcesOf(plan.thresholds.default),
      high: resourcesOf(plan.thresholds.high),
    };
    this.#balancer = createLoadBalancer<Host>(plan.lb);
    this.#monitor =
      plan.outlier &&
      new HostMonitor(plan.outlier, plan.name, stats, {
        clock,
        random,
        changed: () => this.#changed(),
        hosts: () => this.#hosts,
      });
    this.initialized = plan.discovery === 'originalDst' || plan.discovery === 'dynamic';
    this.dynamic = plan.dynamic && this.#dynamicHosts(plan.dynamic, context);
    if (plan.discovery === 'static') this.assign(plan.localities);
  }

  get statName(): string {
    return this.plan.altStatName || this.plan.name;
  }

  get ready(): boolean {
    return this.initialized && this.transports.settled;
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

  /** A choice with its reasons. */
  explain(context: LbContext<Host>): LbExplanation {
    return this.#balancer.explain(context);
  }

  /**
   * The host of an ORIGINAL_DST cluster: what `header` names, or the address that a redirected connection was
   * meant for. There is none for a connection that was made to the listener itself: sent on there, it would
   * come back for ever.
   */
  originalFor(connection: Dialled, header: string | undefined): Host | undefined {
    const { portOverride } = this.plan.originalDst;
    const named = splitAddress(header);
    if (named) return this.#original(named.ip, portOverride ?? named.port);
    return connection.redirected
      ? this.#original(connection.localIp, portOverride ?? connection.localPort)
      : undefined;
  }

  #dynamicHosts(plan: DynamicPlan, { clock, resolve }: ClusterContext): DynamicHosts {
    return new DynamicHosts(plan, {
      now: clock.now,
      resolve,
      create: ({ name, port }, ip) => {
        const host = this.#host({ ...found, address: { ip, port }, hostname: name });
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
      host = this.#host({ ...found, address: { ip, port } });
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
  assign(localities: readonly LocalityPlan[]): void {
    const before = this.#hosts;
    const after = new Map<string, Host>();
    this.#localities = localities.map(({ locality, priority, weight, endpoints }) => ({
      locality,
      priority,
      weight,
      hosts: endpoints.map((endpoint) => {
        const host = this.#keep(endpoint, before);
        host.priority = priority;
        after.set(host.address, host);
        return host;
      }),
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

  #keep(endpoint: EndpointPlan, before: ReadonlyMap<string, Host>): Host {
    const fresh = this.#host(endpoint);
    const kept = before.get(fresh.address);
    const same = kept && kept.transport === fresh.transport && kept.hostname === fresh.hostname;
    const host = same ? kept : fresh;
    host.weight = endpoint.weight;
    host.health = endpoint.health;
    return host;
  }

  #host({ address: { ip, port, path }, ...endpoint }: EndpointPlan): Host {
    return new Host({
      ...endpoint,
      ip,
      port,
      path,
      address: path ?? formatAddress(ip, port),
      addedAt: this.clock.now(),
      transport: this.transports.forHost(endpoint.metadata),
    });
  }
}

/** Of a host that no endpoint tells of. */
const found: Omit<EndpointPlan, 'address'> = { hostname: '', weight: 1, health: 'healthy', metadata: {} };

function resourcesOf(limits: Thresholds): Resources {
  return { limits, connections: 0, pending: 0, requests: 0, retries: 0 };
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
