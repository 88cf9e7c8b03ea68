// LoadBalancerSettings: how one endpoint is chosen among many.
import { exclusive, percentIn } from '../../rules/fields.ts';
import { checkFailover, checkLocalitySetting, checkNoTopologyLabels } from '../../rules/locality.ts';
import {
  boolean,
  deprecated,
  duration,
  durationOrZero,
  enumOf,
  type Infer,
  list,
  mapOf,
  message,
  noEffect,
  number,
  type RuleContext,
  required,
  string,
  uint32,
  uint64,
} from '../../schema/index.ts';

export const Distribute = message('Distribute', { from: string, to: mapOf(uint32) });
export const Failover = message('Failover', { from: string, to: string });
export type Distribute = Infer<typeof Distribute>;
export type Failover = Infer<typeof Failover>;

export const LocalityLoadBalancerSetting = message(
  'LocalityLoadBalancerSetting',
  {
    distribute: list(Distribute),
    failover: list(Failover),
    failoverPriority: list(string),
    enabled: boolean,
  },
  { rules: [checkLocalitySetting] },
);
export type LocalityLoadBalancerSetting = Infer<typeof LocalityLoadBalancerSetting>;

export const ZoneAwareLoadBalancerSetting = message(
  'ZoneAwareLoadBalancerSetting',
  {
    enabled: boolean,
    failover: list(Failover),
    failoverPriority: list(string),
    minClusterSize: uint64,
  },
  {
    rules: [
      ({ failover = [], failoverPriority = [], minClusterSize = 1 }, context) => {
        checkFailover(failover, context);
        checkNoTopologyLabels(failoverPriority, context);
        if (minClusterSize < 1) context.report('MT0105', ['minClusterSize'], '{} must be at least 1');
      },
    ],
  },
);
export type ZoneAwareLoadBalancerSetting = Infer<typeof ZoneAwareLoadBalancerSetting>;

export const HTTPCookie = message(
  'HTTPCookie',
  {
    name: required(string),
    path: string,
    ttl: durationOrZero,
    attributes: list(message('Attribute', { name: required(string), value: string })),
  },
  {
    rules: [
      ({ attributes = [] }, context) => {
        attributes.forEach(({ name }, i) => {
          if (attributes.findIndex((other) => other.name === name) < i)
            context.report('MT0116', ['attributes', i, 'name'], `{}: "${name}" is given twice`);
        });
      },
    ],
  },
);
export type HTTPCookie = Infer<typeof HTTPCookie>;

export const ConsistentHashLB = message(
  'ConsistentHashLB',
  {
    httpHeaderName: string,
    httpCookie: HTTPCookie,
    useSourceIp: boolean,
    httpQueryParameterName: string,
    ringHash: message('RingHash', { minimumRingSize: uint64 }),
    maglev: message('MagLev', { tableSize: uint64 }),
    minimumRingSize: deprecated(uint64, 'ringHash: {minimumRingSize: N}'),
  },
  {
    rules: [
      exclusive('httpHeaderName', 'httpCookie', 'useSourceIp', 'httpQueryParameterName'),
      exclusive('minimumRingSize', 'ringHash', 'maglev'),
      checkMaglev,
    ],
  },
);
export type ConsistentHashLB = Infer<typeof ConsistentHashLB>;

export const WarmupConfiguration = message(
  'WarmupConfiguration',
  { duration: required(duration), minimumPercent: number, aggression: number },
  {
    rules: [
      percentIn('minimumPercent'),
      ({ aggression }, context) => {
        if (aggression !== undefined && aggression <= 0) context.report('MT0105', ['aggression'], `{} must be above 0, not ${aggression}`);
      },
    ],
  },
);
export type WarmupConfiguration = Infer<typeof WarmupConfiguration>;

export const LoadBalancerSettings = message(
  'LoadBalancerSettings',
  {
    simple: enumOf(['UNSPECIFIED', 'LEAST_CONN', 'RANDOM', 'PASSTHROUGH', 'ROUND_ROBIN', 'LEAST_REQUEST']),
    consistentHash: ConsistentHashLB,
    localityLbSetting: LocalityLoadBalancerSetting,
    zoneAwareLbSetting: noEffect(ZoneAwareLoadBalancerSetting, 'zone-aware balancing is not implemented yet; use localityLbSetting'),
    warmupDurationSecs: deprecated(duration, 'warmup: {duration: …}'),
    warmup: WarmupConfiguration,
  },
  {
    rules: [
      exclusive('simple', 'consistentHash'),
      exclusive('localityLbSetting', 'zoneAwareLbSetting'),
      exclusive('warmupDurationSecs', 'warmup'),
    ],
  },
);
export type LoadBalancerSettings = Infer<typeof LoadBalancerSettings>;

/** Envoy's limit: https://www.envoyproxy.io/docs/envoy/latest/api-v3/config/cluster/v3/cluster.proto#config-cluster-v3-cluster-maglevlbconfig */
const largestTable = 5000011;

function checkMaglev({ maglev }: { readonly maglev?: { readonly tableSize?: number } }, context: RuleContext): void {
  if (!maglev) return;
  const { tableSize = 0 } = maglev;
  if (tableSize >= largestTable || !isPrime(tableSize))
    context.report('MT0105', ['maglev', 'tableSize'], `{} must be a prime number below ${largestTable}, not ${tableSize}`);
}

function isPrime(number: number): boolean {
  if (number < 2) return false;
  for (let i = 2; i * i <= number; i++) if (number % i === 0) return false;
  return true;
}
