// Where a workload runs, as `region/zone/subzone`, and the labels that say so.

export type LocalityText = string;
type Labels = Readonly<Record<string, string>>;

export const topologyLabels = {
  region: 'topology.kubernetes.io/region',
  zone: 'topology.kubernetes.io/zone',
  subzone: 'topology.istio.io/subzone',
  network: 'topology.istio.io/network',
  node: 'kubernetes.io/hostname',
} as const;

const oldRegionLabel = 'failure-domain.beta.kubernetes.io/region';
const oldZoneLabel = 'failure-domain.beta.kubernetes.io/zone';
/** The first that is there, even if it is empty. */
const ownLabels = ['topology.istio.io/locality', 'istio-locality'] as const;

/** The pod's own locality label wins over the labels of its node. */
export function localityOfPod(pod: Labels, node: Labels | undefined): LocalityText {
  const own = localityLabel(pod);
  if (own || !node) return own;
  const { region, zone, subzone } = topologyLabels;
  return formatLocality({
    region: node[region] || node[oldRegionLabel] || '',
    zone: node[zone] || node[oldZoneLabel] || '',
    subzone: node[subzone] ?? '',
  });
}

/** What a proxy's labels say: its topology labels, even one of them alone, before a locality label. */
export function localityOfProxy(labels: Labels): LocalityText {
  const { region, zone, subzone } = topologyLabels;
  if ([region, zone, subzone].every((key) => labels[key] === undefined)) return localityLabel(labels);
  return formatLocality({
    region: labels[region] ?? '',
    zone: labels[zone] ?? '',
    subzone: labels[subzone] ?? '',
  });
}

/** A label cannot hold slashes, so that dots stand for them. */
export function localityLabel(labels: Labels): LocalityText {
  const own = ownLabels.map((key) => labels[key]).find((text) => text !== undefined) ?? '';
  return own.includes('/') ? own : own.replaceAll('.', '/');
}

export interface Place {
  readonly locality: LocalityText;
  readonly nodeName?: string;
  readonly network?: string;
}

/** A workload's labels with those that its place gives it: rules can look at these like at any others. */
export function withPlace(labels: Labels, { locality, nodeName, network }: Place): Labels {
  const { region, zone, subzone } = parseLocality(locality);
  return {
    ...labels,
    ...(region && { [topologyLabels.region]: region }),
    ...(zone && { [topologyLabels.zone]: zone }),
    ...(subzone && { [topologyLabels.subzone]: subzone }),
    ...(nodeName && { [topologyLabels.node]: nodeName }),
    ...(network && { [topologyLabels.network]: network }),
  };
}

export interface Locality {
  readonly region: string;
  readonly zone: string;
  readonly subzone: string;
}

export function parseLocality(text: LocalityText): Locality {
  const [region = '', zone = '', subzone = ''] = text.split('/');
  return { region, zone, subzone };
}

export function formatLocality({ region, zone, subzone }: Locality): LocalityText {
  const parts = [region, zone, subzone];
  return parts.slice(0, parts.findLastIndex((part) => part !== '') + 1).join('/');
}
