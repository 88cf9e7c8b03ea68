// DestinationRule: https://istio.io/latest/docs/reference/config/networking/destination-rule/
import { checkPort, isIpAddress } from '../../rules/addresses.ts';
import { checkExportTo } from '../../rules/export-to.ts';
import { exclusive, percentIn } from '../../rules/fields.ts';
import { checkLabels } from '../../rules/labels.ts';
import { checkDomain, checkWildcardDomain, isDnsLabel } from '../../rules/names.ts';
import {
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
        if (!port?.number) context.report('MT0103', ['port'], '{} is missing: name the port that the settings are for');
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
  { protocol: string, targetHost: required(string), targetPort: required(uint32) },
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
  { percent: number, minRetryConcurrency: uint32, budgetInterval: noEffect(durationOrZero, 'Envoy of this line has no such setting') },
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
    tunnel: noEffect(TunnelSettings, 'tunnelling is not implemented yet'),
    proxyProtocol: noEffect(message('ProxyProtocol', { version: enumOf(['V1', 'V2']) }), 'the PROXY protocol is not implemented yet'),
    retryBudget: RetryBudget,
  },
  {
    rules: [
      exclusive('tunnel', 'proxyProtocol'),
      (policy, context) => {
        if (Object.keys(policy).length === 0) context.report('MT0121', [], '{} has nothing in it');
        warnFailover(policy, context);
      },
    ],
  },
);
export type TrafficPolicy = Infer<typeof TrafficPolicy>;

export const Subset = message('Subset', { name: required(string), labels: mapOf(string), trafficPolicy: TrafficPolicy });
export type Subset = Infer<typeof Subset>;

export const DestinationRule = message(
  'DestinationRule',
  {
    host: required(string),
    trafficPolicy: TrafficPolicy,
    subsets: list(Subset),
    exportTo: list(string),
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
            context.report('MT0116', ['subsets', i, 'name'], `{}: the subset "${subset.name}" is given twice`);
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
    if (hasFailover) context.report('MT0154', ['loadBalancer', name], '{} has no effect without outlierDetection');
  }
}
