// Which credentials a sidecar may read: those that a DestinationRule of its namespace names for it, by a
// workloadSelector.
// https://istio.io/latest/docs/reference/config/networking/destination-rule/#ClientTLSSettings
// (credentialName)
import type { TrafficPolicy } from '../config/index.ts';
import type { Audience } from '../mesh/index.ts';
import { type ConfigStore, selects } from '../registry/index.ts';
import { parseCredential } from './secrets.ts';

export function sidecarMayRead(
  store: ConfigStore,
  name: string,
  { namespace, labels }: Pick<Audience, 'namespace' | 'labels'>,
): boolean {
  const wanted = parseCredential(name, namespace);
  if (wanted?.kind !== 'Secret' || wanted.namespace !== namespace) return false;
  return store
    .table('DestinationRule')
    .values()
    .some(({ metadata, spec }) => {
      const selector = spec.workloadSelector?.matchLabels;
      if (metadata.namespace !== namespace || !selector || !selects(selector, labels)) return false;
      const policies = [
        spec.trafficPolicy,
        ...(spec.subsets ?? []).map(({ trafficPolicy }) => trafficPolicy),
      ];
      return policies.some((policy) => credentialsOf(policy).includes(wanted.name));
    });
}

function credentialsOf(policy: TrafficPolicy | undefined): readonly string[] {
  const settings = [policy?.tls, ...(policy?.portLevelSettings ?? []).map(({ tls }) => tls)];
  return settings.flatMap((tls) => tls?.credentialName ?? []);
}
