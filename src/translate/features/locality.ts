// Locality load balancing: endpoints near the client first, or shares between localities.
// https://istio.io/latest/docs/reference/config/networking/destination-rule/#LocalityLoadBalancerSetting
import type {
  LoadBalancerSettings,
  LocalityLoadBalancerSetting,
  TrafficPolicy,
  ZoneAwareLoadBalancerSetting,
} from '../../config/index.ts';
import type { Audience, Mesh } from '../../mesh/index.ts';
import { type Endpoint, parseLocality, topologyLabels, withPlace } from '../../registry/index.ts';
import type { OutboundTarget } from '../outbound-target.ts';
import type { AssignmentKind } from './assignment-kind.ts';
import { type LocalityGroup, weightOf } from './locality-group.ts';
import { zoneAwareSetting } from './zone-aware.ts';

export interface LocalityInput {
  readonly mesh: Mesh;
  readonly audience: Audience;
  readonly target: OutboundTarget;
  readonly kind: AssignmentKind;
}

export function applyLocality(
  input: LocalityInput,
  groups: readonly LocalityGroup[],
): readonly LocalityGroup[] {
  const { mesh, audience, target } = input;
  const zones = zoneAwareSetting(target.policy.loadBalancer, target.service, mesh.settings.config);
  if (zones) return byRegion(zones, input, groups);
  const setting = localitySetting(mesh, target, balancerOf(input));
  if (!setting) return groups;
  if (setting.distribute?.length) return distribute(setting.distribute, audience.locality, groups);
  // Without outlier detection nothing would ever fail over, so priorities would only pile load up.
  if (!failsOver(input, setting)) return groups;
  const labelled = setting.failoverPriority?.length
    ? failoverByLabels(setting.failoverPriority, input, groups)
    : undefined;
  if (labelled && !setting.failover?.length) return labelled;
  return compact((labelled ?? groups).map((group) => withFailover(group, audience.locality, setting)));
}

/** Of endpoints that are discovered, the mesh's default policy decides nothing. */
function policyOf({ target, kind }: LocalityInput): TrafficPolicy {
  return kind === 'discovered' ? target.declared : target.policy;
}

function balancerOf(input: LocalityInput): LoadBalancerSettings | undefined {
  return policyOf(input).loadBalancer;
}

function failsOver(input: LocalityInput, setting: LocalitySetting): boolean {
  return setting.isForced || policyOf(input).outlierDetection !== undefined;
}

type LocalitySetting = LocalityLoadBalancerSetting & {
  /** Whether it holds without outlier detection: endpoints that are not ready make Envoy fail over. */
  readonly isForced: boolean;
};

const { network, region, zone, subzone, node } = topologyLabels;
const nearest = {
  PreferSameZone: [network, region, zone],
  PreferSameNode: [network, region, zone, subzone, node],
} as const;

/**
 * The setting in force: a rule's before the service's wish before the mesh's; undefined when it is switched
 * off.
 */
export function localitySetting(
  mesh: Mesh,
  { service }: Pick<OutboundTarget, 'service'>,
  balancer: LoadBalancerSettings | undefined,
): LocalitySetting | undefined {
  const own = balancer?.localityLbSetting;
  if (!own && service.trafficDistribution)
    return { failoverPriority: nearest[service.trafficDistribution], isForced: true };
  const setting = own ?? mesh.settings.config.localityLbSetting;
  return setting?.enabled === false ? undefined : { ...setting, isForced: false };
}

/**
 * Whether a cluster's localities are weighed by what their endpoints weigh, or by the shares of the setting.
 */
export function weighsLocalities(mesh: Mesh, target: OutboundTarget): boolean {
  const setting = localitySetting(mesh, target, target.policy.loadBalancer);
  if (!setting) return false;
  const fails = setting.isForced || target.policy.outlierDetection !== undefined;
  const ordered = (setting.failover?.length ?? 0) > 0 || (setting.failoverPriority?.length ?? 0) > 0;
  return (setting.distribute?.length ?? 0) > 0 || (fails && ordered);
}

/** The zones of a region share a priority, so that Envoy can weigh them; other regions come after it. */
function byRegion(
  { enabled, failover, failoverPriority }: ZoneAwareLoadBalancerSetting,
  input: LocalityInput,
  groups: readonly LocalityGroup[],
): readonly LocalityGroup[] {
  const { audience } = input;
  if (enabled === false || !policyOf(input).outlierDetection) return groups;
  if (failoverPriority?.length) return failoverByLabels(failoverPriority, input, groups);
  if (!audience.locality) return groups;
  const own = parseLocality(audience.locality).region;
  const next = failover?.find((entry) => entry.from === own)?.to;
  const priority = (other: string): number => {
    if (other === own) return 0;
    return other === next ? 1 : 2;
  };
  return compact(
    groups.map((group) => ({ ...group, priority: priority(parseLocality(group.locality).region) })),
  );
}

const failoverLevels = 5;

/** Inside what labels have put in order. */
function withFailover(
  group: LocalityGroup,
  client: string,
  setting: LocalityLoadBalancerSetting,
): LocalityGroup {
  return {
    ...group,
    priority: group.priority * failoverLevels + failoverPriority(group.locality, client, setting),
  };
}

/** 0 same subzone, 1 same zone, 2 same region, 3 elsewhere; with `failover`, 3 its target and 4 elsewhere. */
function failoverPriority(locality: string, client: string, setting: LocalityLoadBalancerSetting): number {
  const [own, other] = [parseLocality(client), parseLocality(locality)];
  if (own.region !== other.region) {
    const failover = setting.failover?.find((entry) => (entry.from ?? '') === own.region);
    return failover && failover.to !== other.region ? 4 : 3;
  }
  if (own.zone !== other.zone) return 2;
  return own.subzone === other.subzone ? 0 : 1;
}

/**
 * Priority by how many of the listed labels, from the first, an endpoint shares with the client. Only
 * endpoints that are discovered have labels to look at.
 */
function failoverByLabels(
  list: readonly string[],
  input: LocalityInput,
  groups: readonly LocalityGroup[],
): readonly LocalityGroup[] {
  if (input.kind === 'inline') return groups;
  const wanted = list.map((item) => wantedLabel(item, input.audience));
  const split = groups.flatMap((group) => {
    const byPriority = new Map<number, Endpoint[]>();
    for (const endpoint of group.endpoints) {
      const differing = wanted.findIndex(([key, value]) => value !== labelOf(endpoint.labels, key));
      const priority = differing < 0 ? 0 : list.length - differing;
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

/** `key=value`, where the value may be empty; without it the client's own. */
function wantedLabel(
  item: string,
  { labels, locality, node: nodeName, network: ownNetwork }: Audience,
): readonly [string, string] {
  const [key = '', value, ...rest] = item.split('=');
  if (value !== undefined && rest.length === 0) return [key, value];
  return [key, labelOf(withPlace(labels, { locality, nodeName, network: ownNetwork }), key)];
}

const clusterLabel = 'topology.istio.io/cluster';

/** A label that is missing is an empty one. Everything is in one cluster. */
function labelOf(labels: Readonly<Record<string, string>>, key: string): string {
  return labels[key] ?? (key === clusterLabel ? 'Kubernetes' : '');
}

type Distribute = NonNullable<LocalityLoadBalancerSetting['distribute']>;

function distribute(
  settings: Distribute,
  client: string,
  groups: readonly LocalityGroup[],
): readonly LocalityGroup[] {
  const entry = settings.find((candidate) => isWithin(client, candidate.from ?? ''));
  if (!entry) return groups;
  const shares = Object.entries(entry.to ?? {});
  return groups.flatMap((group) => {
    const share = shares.find(([pattern]) => isWithin(group.locality, pattern));
    if (!share) return [];
    const [pattern, weight] = share;
    const sharing = groups.filter(
      (other) => shares.find(([candidate]) => isWithin(other.locality, candidate))?.[0] === pattern,
    );
    const total = sharing.reduce((sum, other) => sum + other.weight, 0);
    return [{ ...group, weight: Math.max(1, Math.ceil((weight * group.weight) / total)) }];
  });
}

/**
 * Whether a locality is one that `region/zone/*` and the like stands for: a part that is `*` or missing
 * stands for any.
 */
function isWithin(locality: string, pattern: string): boolean {
  const [own, wanted] = [parseLocality(locality), parseLocality(pattern)];
  const fits = (part: string, actual: string): boolean => part === '*' || part === actual;
  return (
    fits(wanted.region, own.region) &&
    (wanted.zone === '' || fits(wanted.zone, own.zone)) &&
    (wanted.subzone === '' || fits(wanted.subzone, own.subzone))
  );
}

/** Priorities without gaps, as Envoy demands. */
function compact(groups: readonly LocalityGroup[]): readonly LocalityGroup[] {
  const used = [...new Set(groups.map((group) => group.priority))].sort((a, b) => a - b);
  return groups
    .map((group) => ({ ...group, priority: used.indexOf(group.priority) }))
    .sort((a, b) => a.priority - b.priority);
}
