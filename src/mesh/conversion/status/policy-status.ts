// The status of a BackendTLSPolicy: whether it is in force, target by target.
// https://gateway-api.sigs.k8s.io/reference/spec/#gateway.networking.k8s.io/v1.PolicyStatus
import type { ObjectOf } from '../../../registry/index.ts';
import type { PolicyTarget } from '../gateway-api/backend-tls-policies.ts';
import { type AncestorStatus, condition, type PolicyStatusReport } from './condition.ts';

const controller = 'istio.io/mesh-controller';

export function policyStatus(
  { spec }: ObjectOf<'BackendTLSPolicy'>,
  targets: readonly PolicyTarget[],
): PolicyStatusReport {
  const foreign = (spec.status?.ancestors ?? []).filter(
    ({ controllerName }) => controllerName !== controller,
  );
  return {
    ancestors: [
      ...foreign.map(({ ancestorRef, controllerName = '', conditions = [] }) => ({
        ancestorRef: { ...ancestorRef },
        controllerName,
        conditions,
      })),
      ...targets.map(ancestorStatus),
    ],
  };
}

function ancestorStatus({ reference, refused, untrusted }: PolicyTarget): AncestorStatus {
  const withoutRoots = untrusted && { reason: 'NoValidCACertificate', message: untrusted.message };
  const accepted = condition('Accepted', refused ?? withoutRoots, 'the policy is in force');
  const isIgnored = refused?.reason === 'IgnoredByIstio';
  const resolved = condition(
    'ResolvedRefs',
    refused ? undefined : untrusted,
    'all references lead somewhere',
  );
  return {
    ancestorRef: { ...reference },
    controllerName: controller,
    conditions: isIgnored ? [accepted] : [accepted, resolved],
  };
}
