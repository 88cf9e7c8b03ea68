// What requests need of the proxy around them.
import type { Cluster } from '../../upstream/cluster.ts';

export interface HttpEnvironment {
  cluster(name: string): Cluster | undefined;
  readonly random: () => number;
  /** Milliseconds, steady. */
  readonly now: () => number;
  /** For the `date` header; changes once a second. */
  readonly date: () => string;
  readonly nodeCluster: string;
  /** Requests that a fault holds up at this moment. */
  readonly activeFaults: { value: number };
  /** The proxy is leaving: connections close after their next response. */
  readonly draining: () => boolean;
  /** Its administrator wants health checks to fail. */
  readonly healthFailing: () => boolean;
}
