// What a load balancer reads about hosts. The runtime keeps richer records; these fields are the whole of
// what a choice depends on.
import type { Millis } from '../../../base/index.ts';
import type { Health, HostMetadata } from '../../plan/cluster/endpoints-plan.ts';
import type { LbExplanation } from './explanation.ts';
import type { Hash64 } from './xx-hash.ts';

/**
 * `health`, `ejected`, `weight` may change: call `LoadBalancer.refresh` afterwards. `activeRequests` is read
 * at every choice.
 */
export interface LbHost {
  /** `ip:port`, or the path of a pipe: identity, and key of the hash rings. */
  readonly address: string;
  readonly hostname?: string;
  /** Key on the hash rings instead of the address (endpoint metadata `envoy.lb` `hash_key`). */
  readonly hashKey?: string;
  /** 1 or more. */
  weight: number;
  health: Health;
  /** By outlier detection. Counts as unhealthy. */
  ejected: boolean;
  activeRequests: number;
  /** By the name of who it is for; `envoy.lb` tells subsets apart. */
  readonly metadata?: HostMetadata;
  /** When it joined, for slow start. */
  readonly addedAt?: Millis;
}

/** The endpoints of one locality at one priority. */
export interface LocalityHosts<H extends LbHost> {
  /** `region/zone/subzone`. */
  readonly locality: string;
  readonly priority: number;
  /**
   * Weight of the locality among those of its priority, for locality-weighted balancing; 0 takes no traffic
   * there.
   */
  readonly weight: number;
  readonly hosts: readonly H[];
}

export interface LbContext<H extends LbHost> {
  /** In [0, 1). */
  readonly random: () => number;
  /** For slow start only. */
  readonly now?: Millis;
  /** Of the route's hash policies; a ring or table without one picks at random. */
  readonly hash?: Hash64;
  /**
   * True for a host that a retry should not use (previous hosts). Honoured for `maxAttempts` draws, then
   * ignored, as Envoy does.
   */
  readonly avoid?: (host: H) => boolean;
  readonly maxAttempts?: number;
  /** What the metadata of a host must hold, for clusters with subsets. */
  readonly match?: Readonly<Record<string, unknown>>;
  /** Priorities that earlier tries used, when the retry policy says to prefer others. */
  readonly avoidPriorities?: readonly number[];
}

export interface LoadBalancer<H extends LbHost> {
  /** Undefined when there is no host to use. */
  choose(context: LbContext<H>): H | undefined;
  /** Replaces the hosts. Rotation state is kept where it can be. */
  update(localities: readonly LocalityHosts<H>[]): void;
  /**
   * The choice that `choose` would make, with the reasons; it counts as one, so that rotation moves on. Plain: hosts
   * stand in it by their addresses.
   */
  explain(context: LbContext<H>): LbExplanation;
  /** Re-reads health, ejection and weight of the same hosts. */
  refresh(): void;
}
