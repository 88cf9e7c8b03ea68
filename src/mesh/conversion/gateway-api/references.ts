// Which references across namespaces are allowed. https://gateway-api.sigs.k8s.io/api-types/referencegrant/
import type { ConfigStore } from '../../../registry/index.ts';
import { gatewayGroup } from './objects.ts';

export interface Referrer {
  readonly kind: string;
  readonly namespace: string;
}

export interface Referent {
  readonly group: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
}

/** Always inside one namespace; else when a ReferenceGrant in the namespace of the referent says so. */
export function mayRefer(store: ConfigStore, from: Referrer, to: Referent): boolean {
  if (from.namespace === to.namespace) return true;
  return store
    .table('ReferenceGrant')
    .values()
    .some(
      ({ metadata, spec }) =>
        metadata.namespace === to.namespace &&
        (spec.from ?? []).some(
          ({ group, kind, namespace }) =>
            group === gatewayGroup && kind === from.kind && namespace === from.namespace,
        ) &&
        (spec.to ?? []).some(
          ({ group, kind, name }) =>
            (group ?? '') === to.group && kind === to.kind && (!name || name === to.name),
        ),
    );
}
