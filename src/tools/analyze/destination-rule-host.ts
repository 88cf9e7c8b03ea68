// A DestinationRule for a host that nothing declares is in nobody's way and in nobody's use.
import { isWildcard } from '../../registry/index.ts';
import { fullName, sameNameElsewhere, seenFrom } from './anyone.ts';
import type { Check } from './check.ts';

export const destinationRuleHost: Check<'DestinationRule'> = {
  kind: 'DestinationRule',
  check: (mesh, { metadata: { namespace }, spec: { host = '' } }, report) => {
    if (isWildcard(host) || seenFrom(mesh, namespace, fullName(mesh, host, namespace))) return;
    const hint = sameNameElsewhere(mesh, host, namespace);
    report(
      'MT0206',
      'spec.host',
      `host "${host}" is declared by no Service or ServiceEntry that namespace ${namespace} can see${hint}`,
    );
  },
};
