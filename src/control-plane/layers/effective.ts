// What the mesh reads: admitted objects, and generated ones under names that nobody wrote. Nothing else writes
// into the store.
import type { AnyConfig } from '../../config/index.ts';
import type { ConfigStore } from '../../registry/index.ts';
import { type ObjectId, objectId } from './written.ts';

export class Effective {
  readonly #store: ConfigStore;
  /** The last good version of everything that some source holds. */
  readonly #admitted = new Map<ObjectId, AnyConfig>();
  readonly #generated = new Map<ObjectId, AnyConfig>();

  constructor(store: ConfigStore) {
    this.#store = store;
  }

  admitted(id: ObjectId): AnyConfig | undefined {
    return this.#admitted.get(id);
  }

  /** How many objects of sources are in force. */
  get size(): number {
    return this.#admitted.size;
  }

  /** Whether a generated object of the name is in force. */
  isGenerated(id: ObjectId): boolean {
    return this.#generated.has(id) && !this.#admitted.has(id);
  }

  admit(id: ObjectId, object: AnyConfig): void {
    this.#admitted.set(id, object);
    this.#store.put(object);
  }

  /** No source holds it any longer: what is generated under its name takes its place. */
  withdraw(id: ObjectId): void {
    const before = this.#admitted.get(id);
    if (!before) return;
    this.#admitted.delete(id);
    const generated = this.#generated.get(id);
    if (generated) this.#store.put(generated);
    else this.#remove(before);
  }

  /** Brings generated objects from one state to the next. */
  regenerate(before: readonly AnyConfig[], after: readonly AnyConfig[]): void {
    const kept = new Set(after.map(objectId));
    for (const object of before) if (!kept.has(objectId(object))) this.#drop(object);
    for (const object of after) {
      const id = objectId(object);
      this.#generated.set(id, object);
      if (!this.#admitted.has(id)) this.#store.put(object);
    }
  }

  #drop(object: AnyConfig): void {
    const id = objectId(object);
    if (!this.#generated.delete(id) || this.#admitted.has(id)) return;
    this.#remove(object);
  }

  #remove({ kind, metadata }: AnyConfig): void {
    this.#store.remove(kind, metadata.namespace, metadata.name);
  }
}
