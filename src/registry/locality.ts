// Where a workload runs, as `region/zone/subzone`.

export type LocalityText = string;

const regionLabels = ['topology.kubernetes.io/region', 'failure-domain.beta.kubernetes.io/region'];
const zoneLabels = ['topology.kubernetes.io/zone', 'failure-domain.beta.kubernetes.io/zone'];
const subzoneLabel = 'topology.istio.io/subzone';

/** The pod's `istio-locality` label (dots for slashes) wins over the labels of its node. */
export function localityOfLabels(pod: Readonly<Record<string, string>>, node: Readonly<Record<string, string>> | undefined): LocalityText {
  const own = pod['istio-locality'];
  if (own) return own.includes('/') ? own : own.replaceAll('.', '/');
  if (!node) return '';
  const region = first(node, regionLabels);
  const zone = first(node, zoneLabels);
  const subzone = node[subzoneLabel] ?? '';
  return formatLocality({ region, zone, subzone });
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

function first(labels: Readonly<Record<string, string>>, keys: readonly string[]): string {
  for (const key of keys) if (labels[key]) return labels[key];
  return '';
}
