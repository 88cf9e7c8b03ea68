// What requests need of the proxy around them.
import type { Clock } from '../net/clock.ts';
import type { AccessLogs } from '../observe/access-log/access-logs.ts';
import type { Cluster } from '../upstream/cluster.ts';

export interface HttpEnvironment {
  cluster(name: string): Cluster | undefined;
  /** Of a cluster, as statistics call it; undefined for one that there is not. */
  readonly statNameOf: (cluster: string) => string | undefined;
  readonly random: () => number;
  readonly clock: Clock;
  /** For the `date` header; changes once a second. */
  readonly date: () => string;
  readonly nodeCluster: string;
  readonly accessLogs: AccessLogs;
  /** Requests that a fault holds up at this moment. */
  readonly activeFaults: { value: number };
  /** The proxy is leaving: connections close after their next response. */
  readonly draining: () => boolean;
  /** Its administrator wants health checks to fail. */
  readonly healthFailing: () => boolean;
}
