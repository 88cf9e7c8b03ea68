// TLS around what is TLS already. Requests that an HTTP rule sends to the port are not: originating TLS for
// them is what the settings are for.
// https://istio.io/latest/docs/ops/common-problems/network-issues/#double-tls
import type { TrafficPolicy } from '../../config/index.ts';
import { isTls, type ServicePort } from '../../registry/index.ts';
import { fullName, seenFrom } from './anyone.ts';
import type { Check } from './check.ts';

export const doubleTls: Check<'DestinationRule'> = {
  kind: 'DestinationRule',
  check: (mesh, { metadata: { namespace }, spec }, report) => {
    const service = seenFrom(mesh, namespace, fullName(mesh, spec.host ?? '', namespace));
    const ports =
      service?.ports.filter(
        ({ protocol, number }) => isTls(protocol) && !mesh.isHttpDestination(service.hostname, number),
      ) ?? [];
    const policies = [
      { policy: spec.trafficPolicy, path: 'spec.trafficPolicy' },
      ...(spec.subsets ?? []).map(({ trafficPolicy }, i) => ({
        policy: trafficPolicy,
        path: `spec.subsets[${i}].trafficPolicy`,
      })),
    ];
    for (const { policy, path } of policies) {
      for (const { port, field } of originations(policy, ports)) {
        const what = `clients speak TLS on port ${port.number} of ${spec.host} (${port.protocol}) already, and this wraps it in TLS once more`;
        report(
          'MT0211',
          `${path}.${field}`,
          `${what}; leave it out, or declare the port as HTTP when they speak plaintext`,
        );
      }
    }
  },
};

interface Origination {
  readonly port: ServicePort;
  readonly field: string;
}

function originations(
  policy: TrafficPolicy | undefined,
  ports: readonly ServicePort[],
): readonly Origination[] {
  return ports.flatMap((port) => {
    const level =
      policy?.portLevelSettings?.findIndex((settings) => settings.port?.number === port.number) ?? -1;
    const tls = level < 0 ? policy?.tls : policy?.portLevelSettings?.[level]?.tls;
    const field = level < 0 ? 'tls' : `portLevelSettings[${level}].tls`;
    return tls?.mode === 'SIMPLE' || tls?.mode === 'MUTUAL' ? [{ port, field }] : [];
  });
}
