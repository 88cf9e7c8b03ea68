// Load balancing policy of a cluster.
// https://istio.io/latest/docs/reference/config/networking/destination-rule/#LoadBalancerSettings
import {
  Cluster_LbPolicy,
  type Cluster_SlowStartConfigSchema,
  type ClusterSchema,
} from '@meltemi/envoy-api/envoy/config/cluster/v3/cluster';
import type { LoadBalancerSettings } from '../../config/index.ts';
import { duration, type Init } from '../wire.ts';

type ClusterInit = Init<typeof ClusterSchema>;

const defaultRingSize = 1024;
const defaultTableSize = 65_537;

export function loadBalancer(settings: LoadBalancerSettings | undefined): ClusterInit {
  if (settings?.consistentHash) return consistentHash(settings.consistentHash);
  const slowStart = slowStartConfig(settings);
  switch (settings?.simple) {
    case 'RANDOM':
      return { lbPolicy: Cluster_LbPolicy.RANDOM };
    case 'ROUND_ROBIN':
      return {
        lbPolicy: Cluster_LbPolicy.ROUND_ROBIN,
        lbConfig: slowStart
          ? { case: 'roundRobinLbConfig', value: { slowStartConfig: slowStart } }
          : undefined,
      };
    case 'PASSTHROUGH':
      return { lbPolicy: Cluster_LbPolicy.CLUSTER_PROVIDED };
    default:
      return {
        lbPolicy: Cluster_LbPolicy.LEAST_REQUEST,
        lbConfig: slowStart
          ? { case: 'leastRequestLbConfig', value: { slowStartConfig: slowStart } }
          : undefined,
      };
  }
}

function consistentHash(hash: NonNullable<LoadBalancerSettings['consistentHash']>): ClusterInit {
  if (hash.maglev) {
    return {
      lbPolicy: Cluster_LbPolicy.MAGLEV,
      lbConfig: {
        case: 'maglevLbConfig',
        value: { tableSize: BigInt(hash.maglev.tableSize ?? defaultTableSize) },
      },
    };
  }
  const size = hash.ringHash?.minimumRingSize ?? (hash.minimumRingSize || defaultRingSize);
  return {
    lbPolicy: Cluster_LbPolicy.RING_HASH,
    lbConfig: { case: 'ringHashLbConfig', value: { minimumRingSize: BigInt(size) } },
  };
}

function slowStartConfig(
  settings: LoadBalancerSettings | undefined,
): Init<typeof Cluster_SlowStartConfigSchema> | undefined {
  const { warmup } = settings ?? {};
  if (warmup?.duration !== undefined) {
    return {
      slowStartWindow: duration(warmup.duration),
      aggression:
        warmup.aggression === undefined
          ? undefined
          : { defaultValue: warmup.aggression, runtimeKey: 'aggression' },
      minWeightPercent: warmup.minimumPercent === undefined ? undefined : { value: warmup.minimumPercent },
    };
  }
  const seconds = settings?.warmupDurationSecs;
  return seconds === undefined ? undefined : { slowStartWindow: duration(seconds) };
}
