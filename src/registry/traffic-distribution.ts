// Which endpoints of a service are preferred: its field, else the annotation that was there before the field.
// https://kubernetes.io/docs/concepts/services-networking/service/#traffic-distribution
import type { Service } from './service.ts';

const annotation = 'networking.istio.io/traffic-distribution';

/** The field's words are exact; the annotation's case does not matter. */
export function trafficDistributionOf(
  value: string | undefined,
  annotations: Readonly<Record<string, string>> | undefined,
): Service['trafficDistribution'] {
  return preference(value) ?? preference(words.find((word) => word.toLowerCase() === annotations?.[annotation]?.toLowerCase()));
}

const words = ['PreferClose', 'PreferSameZone', 'PreferSameNode'];

function preference(word: string | undefined): Service['trafficDistribution'] {
  if (word === 'PreferSameNode') return 'PreferSameNode';
  return word === 'PreferSameZone' || word === 'PreferClose' ? 'PreferSameZone' : undefined;
}
