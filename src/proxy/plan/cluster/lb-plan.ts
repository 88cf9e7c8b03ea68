// What a cluster says about load balancing, as a plain plan.
import {
  type Cluster,
  Cluster_RingHashLbConfig_HashFunction as HashFunction,
  Cluster_LbPolicy as LbPolicy,
  type Cluster_SlowStartConfig as SlowStartConfig,
} from '@meltemi/envoy-api/envoy/config/cluster/v3/cluster';
import type { ClusterLoadAssignment_Policy as AssignmentPolicy } from '@meltemi/envoy-api/envoy/config/endpoint/v3/endpoint';
import type { Millis } from '../../../base/index.ts';
import { millis } from '../../codec/duration.ts';
import type { Planned } from '../planned.ts';
import { planSubsets, type SubsetPlan } from './subset-plan.ts';

export interface SlowStart {
  readonly window: Millis;
  readonly aggression: number;
  /** In [0, 1]: a new host never has less than this part of its weight. */
  readonly minWeight: number;
}

export type LbPolicyPlan =
  | { readonly kind: 'roundRobin'; readonly slowStart: SlowStart | undefined }
  | {
      readonly kind: 'leastRequest';
      readonly choices: number;
      readonly bias: number;
      readonly slowStart: SlowStart | undefined;
    }
  | { readonly kind: 'random' }
  | { readonly kind: 'ringHash'; readonly minSize: number; readonly maxSize: number }
  | { readonly kind: 'maglev'; readonly tableSize: number }
  /** The cluster chooses by itself (original destination). */
  | { readonly kind: 'clusterProvided' };

export interface LbPlan {
  readonly policy: LbPolicyPlan;
  /** Percent of usable hosts below which health is ignored; 0 never does. */
  readonly panicThreshold: number;
  readonly failOnPanic: boolean;
  readonly localityWeighted: boolean;
  readonly useHostnameForHashing: boolean;
  /** Percent: 140 lets 71 % of the hosts carry the whole load of their priority. */
  readonly overprovisioning: number;
  readonly weightedPriorityHealth: boolean;
  readonly subsets: SubsetPlan | undefined;
}

type AssignmentFields = Pick<AssignmentPolicy, 'overprovisioningFactor' | 'weightedPriorityHealth'>;

export function planLb(cluster: Cluster, assignment?: AssignmentFields): Planned<LbPlan> {
  const problems: string[] = [];
  const common = cluster.commonLbConfig;
  const locality = common?.localityConfigSpecifier;
  const hashing = common?.consistentHashingLbConfig;
  if (hashing?.hashBalanceFactor)
    problems.push('consistent_hashing_lb_config.hash_balance_factor is not supported');
  const plan: LbPlan = {
    policy: policyOf(cluster, problems),
    panicThreshold: common?.healthyPanicThreshold?.value ?? 50,
    failOnPanic: locality?.case === 'zoneAwareLbConfig' && locality.value.failTrafficOnPanic,
    localityWeighted: locality?.case === 'localityWeightedLbConfig',
    useHostnameForHashing: hashing?.useHostnameForHashing ?? false,
    overprovisioning: assignment?.overprovisioningFactor ?? 140,
    weightedPriorityHealth: assignment?.weightedPriorityHealth ?? false,
    subsets: planSubsets(cluster.lbSubsetConfig),
  };
  return { plan, problems: problems.map((problem) => `cluster "${cluster.name}": ${problem}`) };
}

function policyOf(cluster: Cluster, problems: string[]): LbPolicyPlan {
  const config = cluster.lbConfig;
  switch (cluster.lbPolicy) {
    case LbPolicy.ROUND_ROBIN:
      return {
        kind: 'roundRobin',
        slowStart: slowStartOf(
          config.case === 'roundRobinLbConfig' ? config.value.slowStartConfig : undefined,
        ),
      };
    case LbPolicy.LEAST_REQUEST: {
      const least = config.case === 'leastRequestLbConfig' ? config.value : undefined;
      const bias = least?.activeRequestBias?.defaultValue ?? 1;
      return {
        kind: 'leastRequest',
        choices: least?.choiceCount ?? 2,
        bias,
        slowStart: slowStartOf(least?.slowStartConfig),
      };
    }
    case LbPolicy.RANDOM:
      return { kind: 'random' };
    case LbPolicy.RING_HASH:
      return ringHashOf(config, problems);
    case LbPolicy.MAGLEV:
      return { kind: 'maglev', tableSize: maglevSize(config, problems) };
    case LbPolicy.CLUSTER_PROVIDED:
      return { kind: 'clusterProvided' };
    default:
      problems.push('load_balancing_policy is not supported: use lb_policy');
      return { kind: 'roundRobin', slowStart: undefined };
  }
}

const largestRing = 8 * 1024 * 1024;

function ringHashOf(config: Cluster['lbConfig'], problems: string[]): LbPolicyPlan {
  const ring = config.case === 'ringHashLbConfig' ? config.value : undefined;
  const minSize = Number(ring?.minimumRingSize ?? 1024);
  const maxSize = Number(ring?.maximumRingSize ?? largestRing);
  if (ring?.hashFunction === HashFunction.MURMUR_HASH_2)
    problems.push('hash function MURMUR_HASH_2 is not supported');
  if (minSize > maxSize || maxSize > largestRing)
    problems.push(
      `ring hash: minimum_ring_size (${minSize}) > maximum_ring_size (${maxSize}), or above ${largestRing}`,
    );
  return { kind: 'ringHash', minSize, maxSize };
}

const largestTable = 5_000_011;

function maglevSize(config: Cluster['lbConfig'], problems: string[]): number {
  const size = Number((config.case === 'maglevLbConfig' ? config.value.tableSize : undefined) ?? 65_537);
  if (isPrime(size) && size <= largestTable) return size;
  problems.push(`the table size of maglev must be a prime number of at most ${largestTable}, not ${size}`);
  return 65_537;
}

function isPrime(value: number): boolean {
  if (value < 2) return false;
  for (let i = 2; i * i <= value; i++) if (value % i === 0) return false;
  return true;
}

function slowStartOf(config: SlowStartConfig | undefined): SlowStart | undefined {
  const window = millis(config?.slowStartWindow);
  if (!window) return undefined;
  return {
    window,
    aggression: config?.aggression?.defaultValue ?? 1,
    minWeight: (config?.minWeightPercent?.value ?? 10) / 100,
  };
}
