// DestinationRule: https://istio.io/latest/docs/reference/config/networking/destination-rule/
import { checkPort, isIpAddress } from '../../rules/addresses.ts';
import { checkExportTo } from '../../rules/export-to.ts';
import { exclusive, isSet, percentIn } from '../../rules/fields.ts';
import { checkLabels } from '../../rules/labels.ts';
import { checkDomain, checkWildcardDomain, isDnsLabel } from '../../rules/names.ts';
import {
  durationOrZero,
  enumOf,
  field,
  type Infer,
  list,
  mapOf,
  message,
  number,
  type RuleContext,
  required,
  string,
  uint32,
} from '../../schema/index.ts';
import { LabelSelector, PortSelector } from '../shared.ts';
import { ClientTLSSettings } from './client-tls.ts';
import { ConnectionPoolSettings, OutlierDetection } from './connection-pool.ts';
import { LoadBalancerSettings } from './load-balancer.ts';

export const PortTrafficPolicy = message(
  'PortTrafficPolicy',
  {
    port: PortSelector,
    loadBalancer: LoadBalancerSettings,
    connectionPool: ConnectionPoolSettings,
    outlierDetection: OutlierDetection,
    tls: ClientTLSSettings,
  },
  {
    rules: [
      ({ port, ...rest }, context) => {
        if (!port?.number)
          context.report('MT0103', ['port'], '{} is missing: name the port that the settings are for');
        else checkPort(port.number, ['port', 'number'], context);
        if (Object.keys(rest).length === 0) context.report('MT0121', [], '{} has no settings');
        warnFailover(rest, context);
      },
    ],
  },
);
export type PortTrafficPolicy = Infer<typeof PortTrafficPolicy>;

export const TunnelSettings = message(
  'TunnelSettings',
  {
    protocol: field(string, 'TcpProxy.tunneling_config.use_post'),
    targetHost: required(string, 'TcpProxy.tunneling_config.hostname'),
    targetPort: required(uint32, 'TcpProxy.tunneling_config.hostname'),
  },
  {
    rules: [
      ({ protocol = '', targetHost, targetPort }, context) => {
        if (!['', 'CONNECT', 'POST'].includes(protocol))
          context.report('MT0118', ['protocol'], `{} must be CONNECT or POST, not "${protocol}"`);
        if (!isIpAddress(targetHost)) checkDomain(targetHost, ['targetHost'], context);
        checkPort(targetPort, ['targetPort'], context);
      },
    ],
  },
);
export type TunnelSettings = Infer<typeof TunnelSettings>;

export const RetryBudget = message(
  'RetryBudget',
  {
    percent: field(number, 'RetryBudget.budget_percent'),
    minRetryConcurrency: field(uint32, 'RetryBudget.min_retry_concurrency'),
    budgetInterval: field(durationOrZero, 'RetryBudget.budget_interval'),
  },
  { rules: [percentIn('percent')] },
);
export type RetryBudget = Infer<typeof RetryBudget>;

export const TrafficPolicy = message(
  'TrafficPolicy',
  {
    loadBalancer: LoadBalancerSettings,
    connectionPool: ConnectionPoolSettings,
    outlierDetection: OutlierDetection,
    tls: ClientTLSSettings,
    portLevelSettings: list(PortTrafficPolicy),
    tunnel: TunnelSettings,
    proxyProtocol: message('ProxyProtocol', {
      version: field(enumOf(['V1', 'V2']), 'ProxyProtocolUpstreamTransport.config.version'),
    }),
    retryBudget: RetryBudget,
  },
  {
    rules: [
      exclusive('tunnel', 'proxyProtocol'),
      (policy, context) => {
        if (!Object.values(policy).some(isSet)) context.report('MT0121', [], '{} has nothing in it');
        warnFailover(policy, context);
      },
    ],
  },
);
export type TrafficPolicy = Infer<typeof TrafficPolicy>;

export const Subset = message('Subset', {
  name: required(string, 'Cluster.name, as outbound|PORT|SUBSET|HOST'),
  labels: field(mapOf(string), 'ClusterLoadAssignment.endpoints: those with the labels'),
  trafficPolicy: TrafficPolicy,
});
export type Subset = Infer<typeof Subset>;

export const DestinationRule = message(
  'DestinationRule',
  {
    host: required(string, 'which clusters it is for'),
    trafficPolicy: TrafficPolicy,
    subsets: list(Subset),
    exportTo: field(list(string), 'which proxies it is for'),
    workloadSelector: LabelSelector,
  },
  {
    rules: [
      ({ host, subsets = [], exportTo, workloadSelector }, context) => {
        checkWildcardDomain(host, ['host'], context);
        subsets.forEach((subset, i) => {
          if (!isDnsLabel(subset.name))
            context.report(
              'MT0109',
              ['subsets', i, 'name'],
              `{}: "${subset.name}" is not possible as a name; use letters, digits and hyphens`,
            );
          if (subsets.findIndex((other) => other.name === subset.name) < i)
            context.report(
              'MT0116',
              ['subsets', i, 'name'],
              `{}: the subset "${subset.name}" is given twice`,
            );
          checkLabels(subset.labels, ['subsets', i, 'labels'], context);
        });
        checkExportTo(exportTo, context, { hasWorkloadSelector: workloadSelector !== undefined });
      },
    ],
  },
);
export type DestinationRule = Infer<typeof DestinationRule>;

interface FailoverFields {
  readonly loadBalancer?: LoadBalancerSettings;
  readonly outlierDetection?: OutlierDetection;
}

/** Endpoints fail over when outlier detection has found them ill; without it they never do. */
function warnFailover({ loadBalancer, outlierDetection }: FailoverFields, context: RuleContext): void {
  if (outlierDetection) return;
  for (const name of ['localityLbSetting', 'zoneAwareLbSetting'] as const) {
    const setting = loadBalancer?.[name];
    const hasFailover =
      (setting?.failover ?? []).length > 0 ||
      (setting?.failoverPriority ?? []).length > 0 ||
      (name === 'zoneAwareLbSetting' && setting?.enabled);
    if (hasFailover)
      context.report('MT0154', ['loadBalancer', name], '{} has no effect without outlierDetection');
  }
}
