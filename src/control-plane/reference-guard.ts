// Keeps an edit from breaking what works: a VirtualService that newly names an undeclared subset waits, with its last good version in
// force, until the subset is there.
import { deepEqual, type Family, type Issue, type MemoEngine } from '../base/index.ts';
import type { AnyConfig } from '../config/index.ts';
import type { Mesh } from '../mesh/index.ts';
import { keyOf, type ObjectOf } from '../registry/index.ts';
import { referenceIssues } from '../tools/index.ts';

type VirtualServiceObject = ObjectOf<'VirtualService'>;

export class ReferenceGuard {
  readonly #mesh: Mesh;
  /** Versions that wait, by key. */
  readonly #waiting = new Map<string, VirtualServiceObject>();

  readonly #issues: Family<readonly Issue[]>;

  constructor(engine: MemoEngine, mesh: Mesh) {
    this.#mesh = mesh;
    this.#issues = engine.family('referenceIssues', (key) => referenceIssues(mesh, key), deepEqual);
  }

  /** Whether the version in force is older than the one that the user wrote. */
  isWaiting(key: string): boolean {
    return this.#waiting.has(key);
  }

  /**
   * Puts the objects into force, and takes back those whose new version has an error that the old one had not.
   * Returns what there is to say about every VirtualService as the user wrote it.
   */
  apply(changed: readonly AnyConfig[], removed: readonly string[]): readonly Issue[] {
    const { store } = this.#mesh;
    for (const key of removed) this.#waiting.delete(key);
    const edited = changed.filter((object): object is VirtualServiceObject => object.kind === 'VirtualService');
    for (const object of changed) if (object.kind !== 'VirtualService') store.put(object);
    for (const object of edited) this.#waiting.delete(keyOf(object));
    const candidates = [...edited, ...this.#waiting.values()];
    for (const object of candidates) this.#tryOut(object);
    return this.#allIssues();
  }

  #tryOut(object: VirtualServiceObject): void {
    const { store } = this.#mesh;
    const key = keyOf(object);
    const before = store.table('VirtualService').get(key);
    const worked = before !== undefined && !breaks(this.#issues.get(key));
    store.put(object);
    const broken = worked && breaks(this.#issues.get(key));
    if (broken) {
      store.put(before);
      this.#waiting.set(key, object);
    } else this.#waiting.delete(key);
  }

  #allIssues(): readonly Issue[] {
    const { store } = this.#mesh;
    const inForce = store
      .table('VirtualService')
      .keys()
      .filter((key) => !this.#waiting.has(key))
      .flatMap((key) => this.#issues.get(key));
    const waiting = [...this.#waiting].flatMap(([key, object]) => this.#issuesOf(key, object));
    return [...inForce, ...waiting];
  }

  /** The findings that a waiting version would have. */
  #issuesOf(key: string, object: VirtualServiceObject): readonly Issue[] {
    const { store } = this.#mesh;
    const before = store.table('VirtualService').get(key);
    store.put(object);
    const issues = this.#issues.get(key);
    if (before) store.put(before);
    return issues;
  }
}

function breaks(issues: readonly Issue[]): boolean {
  return issues.some((issue) => issue.severity === 'error');
}
