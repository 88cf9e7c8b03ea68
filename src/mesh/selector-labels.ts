// The label keys that some rule in force looks at. Only these of a proxy's labels can change what it gets.
import type { MeshConfig, TrafficPolicy } from '../config/index.ts';
import { type ConfigStore, type ObjectOf, topologyLabels, trafficDistributionOf } from '../registry/index.ts';

interface LabelIndex {
  buckets(): readonly string[];
}

/** Of selectors: they decide about every kind of resource. */
export function selectorLabelIndexes(store: ConfigStore): readonly LabelIndex[] {
  return [
    store.table('VirtualService').index(virtualServiceLabels),
    store
      .table('DestinationRule')
      .index((rule) => Object.keys(rule.spec.workloadSelector?.matchLabels ?? {})),
    store.table('Sidecar').index((sidecar) => Object.keys(sidecar.spec.workloadSelector?.labels ?? {})),
    store.table('Gateway').index((gateway) => Object.keys(gateway.spec.selector ?? {})),
  ];
}

/** Of the order in which endpoints are tried: they decide about endpoints alone. */
export function placeLabelIndexes(store: ConfigStore): readonly LabelIndex[] {
  return [
    store.table('DestinationRule').index(destinationRuleLabels),
    store.table('Service').index(({ spec, metadata }) => {
      const isLocal = spec.internalTrafficPolicy === 'Local';
      return isLocal || asksForNode(spec.trafficDistribution, metadata.annotations)
        ? [topologyLabels.node]
        : [];
    }),
    store
      .table('ServiceEntry')
      .index(({ metadata }) => (asksForNode(undefined, metadata.annotations) ? [topologyLabels.node] : [])),
    store
      .table('Namespace')
      .index(({ metadata }) => (asksForNode(undefined, metadata.annotations) ? [topologyLabels.node] : [])),
  ];
}

/** What a mesh's own order looks at. */
export function meshPlaceLabels({ localityLbSetting, zoneAwareLbSetting }: MeshConfig): readonly string[] {
  return [
    ...(localityLbSetting?.failoverPriority ?? []),
    ...(zoneAwareLbSetting?.failoverPriority ?? []),
  ].map(keyOf);
}

function virtualServiceLabels({ spec }: ObjectOf<'VirtualService'>): readonly string[] {
  const matches = [...(spec.http ?? []), ...(spec.tls ?? []), ...(spec.tcp ?? [])].flatMap(
    (route) => route.match ?? [],
  );
  return [...new Set(matches.flatMap((match) => Object.keys(match.sourceLabels ?? {})))];
}

function destinationRuleLabels({ spec }: ObjectOf<'DestinationRule'>): readonly string[] {
  const policies = [spec.trafficPolicy, ...(spec.subsets ?? []).map(({ trafficPolicy }) => trafficPolicy)];
  return [...new Set(policies.flatMap(priorityLabels))];
}

function priorityLabels(policy: TrafficPolicy | undefined): readonly string[] {
  const settings = [
    policy?.loadBalancer,
    ...(policy?.portLevelSettings ?? []).map(({ loadBalancer }) => loadBalancer),
  ];
  return settings.flatMap((balancer) =>
    [
      ...(balancer?.localityLbSetting?.failoverPriority ?? []),
      ...(balancer?.zoneAwareLbSetting?.failoverPriority ?? []),
    ].map(keyOf),
  );
}

/** Of `key` and `key=value`. */
function keyOf(item: string): string {
  return item.split('=', 1)[0] ?? '';
}

function asksForNode(value: string | undefined, annotations: Readonly<Record<string, string>>): boolean {
  return trafficDistributionOf(value, annotations, {}) === 'PreferSameNode';
}
