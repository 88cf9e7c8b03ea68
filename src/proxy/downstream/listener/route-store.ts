// Route configurations by name: slots that connection managers hold, filled by RDS.

import { fromBinary } from '@bufbuild/protobuf';
import type { Any } from '@bufbuild/protobuf/wkt';
import { RouteConfigurationSchema } from '@meltemi/envoy-api/envoy/config/route/v3/route';
import { RouteTable } from '../../decide/route/index.ts';
import { filterCatalog } from '../../filters/all.ts';
import { planRoutes } from '../../plan/route/route-table.ts';
import type { RouteSlot } from '../http/http-manager.ts';

class Slot implements RouteSlot {
  table: RouteTable | undefined;
  bytes: Uint8Array | undefined;
  /**
   * What came first was refused: without routes the listener answers 404 rather than leaving its traffic to
   * others.
   */
  refused = false;
}

export class RouteStore {
  readonly #slots = new Map<string, Slot>();

  namedRoutes(name: string): RouteSlot {
    let slot = this.#slots.get(name);
    if (!slot) {
      slot = new Slot();
      this.#slots.set(name, slot);
    }
    return slot;
  }

  /** A refused configuration leaves the one before it in force. */
  apply(resources: readonly Any[]): readonly string[] {
    const refused: string[] = [];
    for (const any of resources) {
      const source = fromBinary(RouteConfigurationSchema, any.value);
      const slot = this.#slots.get(source.name);
      if (!slot || (slot.bytes && Buffer.compare(slot.bytes, any.value) === 0)) continue;
      const { plan, problems } = planRoutes(source, filterCatalog);
      if (problems.length > 0) {
        refused.push(`${source.name}: ${problems.join('; ')}`);
        slot.refused = true;
      } else {
        slot.table = new RouteTable(plan);
        slot.bytes = any.value;
      }
    }
    return refused;
  }

  /** Forgets the names that no listener uses. */
  keep(names: ReadonlySet<string>): void {
    for (const name of this.#slots.keys()) if (!names.has(name)) this.#slots.delete(name);
  }

  names(): readonly string[] {
    return [...this.#slots.keys()];
  }

  isReady(name: string): boolean {
    const slot = this.#slots.get(name);
    return slot !== undefined && (slot.table !== undefined || slot.refused);
  }
}
