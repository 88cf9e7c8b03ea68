// What a connection pool knows of its cluster and host.
import type { Clock } from '../net/clock.ts';
import type { OwnConnections } from '../net/own-connections.ts';
import type { Stat } from '../observe/stats.ts';
import type { ClusterPlan, Thresholds } from '../plan/cluster/cluster-plan.ts';
import type { Transport } from './transport/transport.ts';

export interface Resources {
  readonly limits: Thresholds;
  connections: number;
  pending: number;
  requests: number;
  retries: number;
}

export interface PoolStats {
  readonly pendingTotal: Stat;
  /** A request that waited for a connection would have been one too many. */
  readonly pendingOverflow: Stat;
  /** A request under way would have been. */
  readonly activeOverflow: Stat;
  readonly connectionsTotal: Stat;
  readonly connectionsActive: Stat;
  readonly connectionOverflow: Stat;
  readonly connectionsIdleClosed: Stat;
  readonly connectFail: Stat;
  readonly connectTimeout: Stat;
}

export interface PoolCluster {
  readonly plan: ClusterPlan;
  readonly clock: Clock;
  readonly own: OwnConnections;
  readonly stats: PoolStats;
  readonly resources: Readonly<Record<'default' | 'high', Resources>>;
}

export interface PoolHost {
  readonly ip: string;
  readonly port: number;
  readonly path: string | undefined;
  readonly transport: Transport;
  connections: number;
}
