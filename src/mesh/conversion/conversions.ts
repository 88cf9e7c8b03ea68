// What Ingress and Gateway API objects become, as derived values: each is made anew when something that it read
// changes.
import type { Derived, MemoEngine } from '../../base/index.ts';
import type { AnyConfig, MeshConfig } from '../../config/index.ts';
import type { ConfigStore } from '../../registry/index.ts';
import { gatewayIndex } from './gateway-api/attachment.ts';
import { gatewayApiParts } from './gateway-api.ts';
import { convertIngresses } from './ingress.ts';

export interface ConversionInputs {
  readonly store: ConfigStore;
  readonly settings: { readonly config: MeshConfig };
}

/** One value a part, so that a mistake of ours in one leaves the others. */
export function conversionsOf(
  engine: MemoEngine,
  mesh: ConversionInputs,
): readonly Derived<readonly AnyConfig[]>[] {
  const gateways = engine.derive('gatewayIndex', () => gatewayIndex(mesh.store));
  return [
    engine.derive<readonly AnyConfig[]>('ingressConversion', () =>
      convertIngresses(mesh.store, mesh.settings.config),
    ),
    ...gatewayApiParts.map((part) =>
      engine.derive<readonly AnyConfig[]>('gatewayApiConversion', () => part(mesh.store, gateways.get())),
    ),
  ];
}
