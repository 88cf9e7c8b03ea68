// LoadBalancerSettings: how one endpoint is chosen among many.
import { exclusive, percentIn } from '../../rules/fields.ts';
import { checkFailover, checkLocalitySetting, checkNoTopologyLabels } from '../../rules/locality.ts';
import {
  boolean,
  deprecated,
  duration,
  durationOrZero,
  enumOf,
  field,
  type Infer,
  integerIn,
  list,
  mapOf,
  message,
  number,
  type RuleContext,
  required,
  string,
  uint32,
  uint64,
} from '../../schema/index.ts';

export const Distribute = message('Distribute', {
  from: field(string, 'the client localities that the shares are for'),
  to: field(mapOf(uint32), 'LocalityLbEndpoints.load_balancing_weight'),
});
export const Failover = message('Failover', {
  from: field(string, 'the client region that it is for'),
  to: field(string, 'LocalityLbEndpoints.priority'),
});
export type Distribute = Infer<typeof Distribute>;
export type Failover = Infer<typeof Failover>;

export const LocalityLoadBalancerSetting = message(
  'LocalityLoadBalancerSetting',
  {
    distribute: list(Distribute),
    failover: list(Failover),
    failoverPriority: field(list(string), 'LocalityLbEndpoints.priority'),
    enabled: field(
      boolean,
      'LocalityLbEndpoints.priority and load_balancing_weight; Cluster.common_lb_config',
    ),
  },
  { rules: [checkLocalitySetting] },
);
export type LocalityLoadBalancerSetting = Infer<typeof LocalityLoadBalancerSetting>;

export const ZoneAwareLoadBalancerSetting = message(
  'ZoneAwareLoadBalancerSetting',
  {
    enabled: field(boolean, 'Cluster.common_lb_config.zone_aware_lb_config'),
    failover: list(Failover),
    failoverPriority: field(list(string), 'LocalityLbEndpoints.priority'),
    minClusterSize: field(uint64, 'ZoneAwareLbConfig.min_cluster_size'),
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
    name: required(string, 'HashPolicy.cookie.name'),
    path: field(string, 'HashPolicy.cookie.path'),
    ttl: field(durationOrZero, 'HashPolicy.cookie.ttl'),
    attributes: list(
      message('Attribute', {
        name: required(string, 'HashPolicy.cookie.attributes.name'),
        value: field(string, 'HashPolicy.cookie.attributes.value'),
      }),
    ),
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

/**
 * Envoy's limit:
 * https://www.envoyproxy.io/docs/envoy/latest/api-v3/config/cluster/v3/cluster.proto#config-cluster-v3-cluster-ringhashlbconfig
 */
const ringSize = integerIn(0, 8_388_608);

export const ConsistentHashLB = message(
  'ConsistentHashLB',
  {
    httpHeaderName: field(string, 'HashPolicy.header.header_name'),
    httpCookie: HTTPCookie,
    useSourceIp: field(boolean, 'HashPolicy.connection_properties.source_ip'),
    httpQueryParameterName: field(string, 'HashPolicy.query_parameter.name'),
    ringHash: message('RingHash', { minimumRingSize: field(ringSize, 'RingHashLbConfig.minimum_ring_size') }),
    maglev: message('MagLev', { tableSize: field(uint64, 'MaglevLbConfig.table_size') }),
    minimumRingSize: deprecated(
      ringSize,
      'ringHash: {minimumRingSize: N}',
      'RingHashLbConfig.minimum_ring_size',
    ),
  },
  {
    rules: [
      exclusive('httpHeaderName', 'httpCookie', 'useSourceIp', 'httpQueryParameterName'),
      exclusive('ringHash', 'maglev'),
      checkOldRingSize,
      checkMaglev,
    ],
  },
);
export type ConsistentHashLB = Infer<typeof ConsistentHashLB>;

export const WarmupConfiguration = message(
  'WarmupConfiguration',
  {
    duration: required(duration, 'SlowStartConfig.slow_start_window'),
    minimumPercent: field(number, 'SlowStartConfig.min_weight_percent'),
    aggression: field(number, 'SlowStartConfig.aggression'),
  },
  {
    rules: [
      percentIn('minimumPercent'),
      ({ aggression }, context) => {
        if (aggression !== undefined && aggression <= 0)
          context.report('MT0105', ['aggression'], `{} must be above 0, not ${aggression}`);
      },
    ],
  },
);
export type WarmupConfiguration = Infer<typeof WarmupConfiguration>;

export const LoadBalancerSettings = message(
  'LoadBalancerSettings',
  {
    simple: field(
      enumOf(['UNSPECIFIED', 'LEAST_CONN', 'RANDOM', 'PASSTHROUGH', 'ROUND_ROBIN', 'LEAST_REQUEST']),
      'Cluster.lb_policy; PASSTHROUGH: Cluster.type ORIGINAL_DST',
    ),
    consistentHash: ConsistentHashLB,
    localityLbSetting: LocalityLoadBalancerSetting,
    zoneAwareLbSetting: ZoneAwareLoadBalancerSetting,
    warmupDurationSecs: deprecated(duration, 'warmup: {duration: …}', 'SlowStartConfig.slow_start_window'),
    warmup: WarmupConfiguration,
  },
  {
    rules: [exclusive('simple', 'consistentHash'), exclusive('localityLbSetting', 'zoneAwareLbSetting')],
  },
);
export type LoadBalancerSettings = Infer<typeof LoadBalancerSettings>;

/**
 * Envoy's limit:
 * https://www.envoyproxy.io/docs/envoy/latest/api-v3/config/cluster/v3/cluster.proto#config-cluster-v3-cluster-maglevlbconfig
 */
const largestTable = 5000011;

function checkMaglev(
  { maglev }: { readonly maglev?: { readonly tableSize?: number } },
  context: RuleContext,
): void {
  if (!maglev) return;
  const { tableSize = 0 } = maglev;
  if (tableSize >= largestTable || !isPrime(tableSize))
    context.report(
      'MT0105',
      ['maglev', 'tableSize'],
      `{} must be a prime number below ${largestTable}, not ${tableSize}`,
    );
}

/** 0 is the same as none. */
function checkOldRingSize(
  {
    minimumRingSize = 0,
    ringHash,
    maglev,
  }: { readonly minimumRingSize?: number; readonly ringHash?: unknown; readonly maglev?: unknown },
  context: RuleContext,
): void {
  if (minimumRingSize !== 0)
    exclusive('minimumRingSize', 'ringHash', 'maglev')({ minimumRingSize, ringHash, maglev }, context);
}

function isPrime(number: number): boolean {
  if (number < 2) return false;
  for (let i = 2; i * i <= number; i++) if (number % i === 0) return false;
  return true;
}
