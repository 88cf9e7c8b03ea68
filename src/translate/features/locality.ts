// Locality load balancing: endpoints near the client first, or shares between localities.
// https://istio.io/latest/docs/reference/config/networking/destination-rule/#LocalityLoadBalancerSetting
import type { LocalityLoadBalancerSetting, ZoneAwareLoadBalancerSetting } from '../../config/index.ts';
import type { Audience, Mesh } from '../../mesh/index.ts';
import { type Endpoint, parseLocality } from '../../registry/index.ts';
import type { OutboundTarget } from '../clusters/target.ts';
import { type LocalityGroup, weightOf } from '../endpoints/locality-group.ts';
import { zoneAwareSetting } from './zone-aware.ts';

export function applyLocality(
  mesh: Mesh,
  audience: Audience,
  target: OutboundTarget,
  groups: readonly LocalityGroup[],
): readonly LocalityGroup[] {
  const zones = zoneAwareSetting(target.policy.loadBalancer, target.service, mesh.settings.config);
  if (zones) return byRegion(zones, audience, target, groups);
  const own = target.policy.loadBalancer?.localityLbSetting;
  const setting = own ?? mesh.settings.config.localityLbSetting;
  if (setting?.enabled === false) return groups;
  if (setting?.distribute?.length) return distribute(setting, audience.locality, groups);
  const spread = target.service.trafficDistribution;
  if (spread && !own) return compact(groups.flatMap((group) => preferNear(group, audience.locality)));
  // Without outlier detection nothing would ever fail over, so priorities would only pile load up.
  if (!target.policy.outlierDetection || !audience.locality) {
    return setting?.failoverPriority?.length && target.policy.outlierDetection
      ? failoverByLabels(setting.failoverPriority, audience, groups)
      : groups;
  }
  if (setting?.failoverPriority?.length) return failoverByLabels(setting.failoverPriority, audience, groups);
  return compact(groups.map((group) => ({ ...group, priority: failoverPriority(group.locality, audience.locality, setting) })));
}

/** The zones of a region share a priority, so that Envoy can weigh them; other regions come after it. */
function byRegion(
  { enabled, failover, failoverPriority }: ZoneAwareLoadBalancerSetting,
  audience: Audience,
  target: OutboundTarget,
  groups: readonly LocalityGroup[],
): readonly LocalityGroup[] {
  if (enabled === false || !target.policy.outlierDetection) return groups;
  if (failoverPriority?.length) return failoverByLabels(failoverPriority, audience, groups);
  if (!audience.locality) return groups;
  const own = parseLocality(audience.locality).region;
  const next = failover?.find((entry) => entry.from === own)?.to;
  const priority = (region: string): number => (region === own ? 0 : region === next ? 1 : 2);
  return compact(groups.map((group) => ({ ...group, priority: priority(parseLocality(group.locality).region) })));
}

/** 0 same subzone, 1 same zone, 2 same region, 3 elsewhere; with `failover`, 3 its target and 4 elsewhere. */
function failoverPriority(locality: string, client: string, setting: LocalityLoadBalancerSetting | undefined): number {
  const [own, other] = [parseLocality(client), parseLocality(locality)];
  if (own.region !== other.region) {
    const failover = setting?.failover?.find((entry) => entry.from === own.region);
    return failover ? (failover.to === other.region ? 3 : 4) : 3;
  }
  if (own.zone !== other.zone) return 2;
  return own.subzone === other.subzone ? 0 : 1;
}

function preferNear(group: LocalityGroup, client: string): readonly LocalityGroup[] {
  return [{ ...group, priority: client === '' ? 0 : failoverPriority(group.locality, client, undefined) }];
}

/** Priority by how many of the listed labels, from the first, an endpoint shares with the client. */
function failoverByLabels(list: readonly string[], audience: Audience, groups: readonly LocalityGroup[]): readonly LocalityGroup[] {
  const split = groups.flatMap((group) => {
    const byPriority = new Map<number, Endpoint[]>();
    for (const endpoint of group.endpoints) {
      const priority = list.length - sharedLabels(list, audience, endpoint);
      byPriority.set(priority, [...(byPriority.get(priority) ?? []), endpoint]);
    }
    return [...byPriority].map(([priority, endpoints]) => ({
      ...group,
      priority,
      endpoints,
      weight: endpoints.reduce((sum, e) => sum + weightOf(e), 0),
    }));
  });
  return compact(split);
}

function sharedLabels(list: readonly string[], audience: Audience, endpoint: Endpoint): number {
  const differing = list.findIndex((item) => {
    const [key = '', wanted] = item.split('=');
    const mine = wanted ?? labelOf(key, audience.labels, audience.locality);
    return mine !== labelOf(key, endpoint.labels, endpoint.locality);
  });
  return differing < 0 ? list.length : differing;
}

function labelOf(key: string, labels: Readonly<Record<string, string>>, locality: string): string | undefined {
  const { region, zone, subzone } = parseLocality(locality);
  switch (key) {
    case 'topology.kubernetes.io/region':
      return region;
    case 'topology.kubernetes.io/zone':
      return zone;
    case 'topology.istio.io/subzone':
      return subzone;
    default:
      return labels[key];
  }
}

function distribute(setting: LocalityLoadBalancerSetting, client: string, groups: readonly LocalityGroup[]): readonly LocalityGroup[] {
  const entry = setting.distribute?.find((candidate) => covers(candidate.from ?? '', client));
  if (!entry) return groups;
  const shares = Object.entries(entry.to ?? {});
  return groups.flatMap((group) => {
    const share = shares.find(([pattern]) => covers(pattern, group.locality));
    if (!share) return [];
    const [pattern, weight] = share;
    const sharing = groups.filter((other) => covers(pattern, other.locality));
    const total = sharing.reduce((sum, other) => sum + other.weight, 0);
    return [{ ...group, weight: Math.max(1, Math.ceil((weight * group.weight) / total)) }];
  });
}

/** Whether `region/zone/*` and the like stands for a locality. */
function covers(pattern: string, locality: string): boolean {
  if (pattern === '*') return true;
  if (pattern.endsWith('/*')) return locality.startsWith(pattern.slice(0, -1)) || locality === pattern.slice(0, -2);
  return locality === pattern || locality.startsWith(`${pattern}/`);
}

/** Priorities without gaps, as Envoy demands. */
function compact(groups: readonly LocalityGroup[]): readonly LocalityGroup[] {
  const used = [...new Set(groups.map((group) => group.priority))].sort((a, b) => a - b);
  return groups.map((group) => ({ ...group, priority: used.indexOf(group.priority) })).sort((a, b) => a.priority - b.priority);
}
