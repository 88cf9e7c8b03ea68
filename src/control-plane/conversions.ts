// Keeps the Gateways and VirtualServices made from Ingress and Gateway API objects in step with them.
import type { AnyConfig } from '../config/index.ts';
import {
  conversionInputs,
  convertGatewayApi,
  convertIngresses,
  type Generated,
  hasConversions,
  type Mesh,
} from '../mesh/index.ts';
import { keyOf } from '../registry/index.ts';
import type { ResourceId } from '../sources/index.ts';

export class Conversions {
  readonly #mesh: Mesh;
  #generated: readonly Generated[] = [];

  constructor(mesh: Mesh) {
    this.#mesh = mesh;
  }

  apply(changed: readonly AnyConfig[], removed: readonly ResourceId[]): void {
    if ([...changed, ...removed].some(({ kind }) => conversionInputs.has(kind))) this.refresh();
  }

  /** Makes everything anew, as after a change of MeshConfig. */
  refresh(): void {
    const { store } = this.#mesh;
    if (!hasConversions(store) && this.#generated.length === 0) return;
    const next = [...convertIngresses(store, this.#mesh.settings.config), ...convertGatewayApi(store)];
    const kept = new Set(next.map(idOf));
    for (const old of this.#generated)
      if (!kept.has(idOf(old))) store.remove(old.kind, old.metadata.namespace, old.metadata.name);
    for (const object of next) store.put(object);
    this.#generated = next;
  }
}

function idOf(object: Generated): string {
  return `${object.kind}/${keyOf(object)}`;
}
