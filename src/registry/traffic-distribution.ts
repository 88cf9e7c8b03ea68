// Which endpoints of a service are preferred: its field, else the annotation that was there before the field,
// else its namespace's.
// https://kubernetes.io/docs/concepts/services-networking/service/#traffic-distribution
// https://istio.io/latest/docs/ambient/usage/traffic-distribution/
import type { Service } from './service.ts';

const annotation = 'networking.istio.io/traffic-distribution';

type Annotations = Readonly<Record<string, string>>;

/**
 * The field's words are exact; the annotation's case does not matter. A service with an annotation of its own
 * inherits none.
 */
export function trafficDistributionOf(
  value: string | undefined,
  annotations: Annotations,
  ofNamespace: Annotations,
): Service['trafficDistribution'] {
  const annotated = (annotations[annotation] || ofNamespace[annotation])?.toLowerCase();
  return preference(value) ?? preference(words.find((word) => word.toLowerCase() === annotated));
}

const words = ['PreferClose', 'PreferSameZone', 'PreferSameNode'];

function preference(word: string | undefined): Service['trafficDistribution'] {
  if (word === 'PreferSameNode') return 'PreferSameNode';
  return word === 'PreferSameZone' || word === 'PreferClose' ? 'PreferSameZone' : undefined;
}
