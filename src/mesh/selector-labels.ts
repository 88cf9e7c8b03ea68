// The label keys that some selector in force looks at. Only these of a proxy's labels can change what it gets.
import type { ConfigStore, ObjectOf } from '../registry/index.ts';

export function selectorLabelIndexes(store: ConfigStore): readonly { buckets(): readonly string[] }[] {
  return [
    store.table('VirtualService').index(virtualServiceLabels),
    store.table('DestinationRule').index((rule) => Object.keys(rule.spec.workloadSelector?.matchLabels ?? {})),
    store.table('Sidecar').index((sidecar) => Object.keys(sidecar.spec.workloadSelector?.labels ?? {})),
    store.table('Gateway').index((gateway) => Object.keys(gateway.spec.selector ?? {})),
  ];
}

function virtualServiceLabels({ spec }: ObjectOf<'VirtualService'>): readonly string[] {
  const matches = [...(spec.http ?? []), ...(spec.tls ?? []), ...(spec.tcp ?? [])].flatMap((route) => route.match ?? []);
  return [...new Set(matches.flatMap((match) => Object.keys(match.sourceLabels ?? {})))];
}
