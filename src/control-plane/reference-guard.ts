// Keeps an edit from breaking what works: a VirtualService that newly names an undeclared subset waits until
// the subset is there. Meanwhile its last good version is in force, or nothing when it is new.
import { hasErrors, type Issue, type MemoEngine } from '../base/index.ts';
import type { AnyConfig } from '../config/index.ts';
import type { Mesh } from '../mesh/index.ts';
import { keyOf, type ObjectOf } from '../registry/index.ts';
import { issuesOf } from '../tools/index.ts';

type VirtualServiceObject = ObjectOf<'VirtualService'>;

export class ReferenceGuard {
  readonly #engine: MemoEngine;
  readonly #mesh: Mesh;
  /** Versions that wait, by key. */
  readonly #waiting = new Map<string, VirtualServiceObject>();
  #isLoaded = false;

  constructor(engine: MemoEngine, mesh: Mesh) {
    this.#engine = engine;
    this.#mesh = mesh;
  }

  /** Whether the version in force, if any, is older than the one that the user wrote. */
  isWaiting(key: string): boolean {
    return this.#waiting.has(key);
  }

  /**
   * Puts the objects into force, but for those that have to wait. What is there at the first load is in force
   * whatever it names: there is nothing yet that it could break.
   */
  apply(changed: readonly AnyConfig[], removed: readonly string[]): void {
    const { store } = this.#mesh;
    for (const key of removed) this.#waiting.delete(key);
    const edited = changed.filter(
      (object): object is VirtualServiceObject => object.kind === 'VirtualService',
    );
    for (const object of changed) if (object.kind !== 'VirtualService') store.put(object);
    for (const object of edited) this.#waiting.delete(keyOf(object));
    for (const object of [...edited, ...this.#waiting.values()]) this.#tryOut(object);
    this.#isLoaded ||= changed.length > 0;
  }

  /** Findings about the versions that wait. */
  get issues(): readonly Issue[] {
    return [...this.#waiting.values()].flatMap((object) => this.#issuesOf(object));
  }

  #tryOut(object: VirtualServiceObject): void {
    const { store } = this.#mesh;
    const key = keyOf(object);
    const before = this.#engine.untracked(() => store.table('VirtualService').get(key));
    const worked = this.#isLoaded && (before === undefined || !hasErrors(this.#issuesOf(before)));
    if (worked && hasErrors(this.#issuesOf(object))) this.#waiting.set(key, object);
    else {
      this.#waiting.delete(key);
      store.put(object);
    }
  }

  #issuesOf(object: VirtualServiceObject): readonly Issue[] {
    return this.#engine.untracked(() => issuesOf(this.#mesh, object));
  }
}
