// Which version of a resource is in force: its last good one. A resource with an error in it has no version
// that could be used. A VirtualService that newly names an undeclared subset waits until the subset is there,
// so that an edit does not break what works; meanwhile its last good version stays, or nothing when it is new.
import { hasErrors, type Issue, type MemoEngine } from '../../base/index.ts';
import type { Mesh } from '../../mesh/index.ts';
import type { ObjectOf } from '../../registry/index.ts';
import type { Standing } from '../../sources/index.ts';
import { issuesOf } from '../../tools/index.ts';
import type { Effective } from './effective.ts';
import type { Holding, ObjectId } from './written.ts';

type VirtualServiceObject = ObjectOf<'VirtualService'>;

export interface AdmissionOptions {
  readonly engine: MemoEngine;
  readonly mesh: Mesh;
  readonly effective: Effective;
  /** What the sources say of a resource. */
  readonly winner: (id: ObjectId) => Holding | undefined;
}

export class Admission {
  readonly #options: AdmissionOptions;
  /** Versions that wait. */
  readonly #waiting = new Map<ObjectId, VirtualServiceObject>();

  constructor(options: AdmissionOptions) {
    this.#options = options;
  }

  /** Whether a version waits that the user wrote. */
  isWaiting(id: ObjectId): boolean {
    return this.#waiting.has(id);
  }

  standing(id: ObjectId): Standing {
    const admitted = this.#options.effective.admitted(id);
    if (!admitted) return 'absent';
    return admitted === this.#options.winner(id) ? 'current' : 'previous';
  }

  /**
   * Looks at what the sources say of these resources now, and at what waits. What is there at the first load of
   * a source is in force whatever it names: there is nothing yet that it could break.
   */
  apply(ids: Iterable<ObjectId>, isFirstLoad: boolean): void {
    const { effective, winner } = this.#options;
    const edited = new Map<ObjectId, VirtualServiceObject>();
    for (const id of ids) {
      const holding = winner(id);
      // What waits goes on waiting for as long as nothing better is known.
      if (holding === 'broken' || (holding && holding === this.#waiting.get(id))) continue;
      this.#waiting.delete(id);
      if (!holding) effective.withdraw(id);
      else if (holding.kind === 'VirtualService') edited.set(id, holding);
      else effective.admit(id, holding);
    }
    for (const [id, object] of edited) this.#tryOut(id, object, isFirstLoad);
    for (const [id, object] of [...this.#waiting]) this.#tryOut(id, object, false);
  }

  /** Findings about the versions that wait. */
  get issues(): readonly Issue[] {
    return [...this.#waiting.values()].flatMap((object) => this.#issuesOf(object));
  }

  #tryOut(id: ObjectId, object: VirtualServiceObject, isFirstLoad: boolean): void {
    const { effective } = this.#options;
    const worked = (): boolean => {
      const before = effective.admitted(id);
      return before?.kind !== 'VirtualService' || !hasErrors(this.#issuesOf(before));
    };
    if (!isFirstLoad && hasErrors(this.#issuesOf(object)) && worked()) {
      this.#waiting.set(id, object);
      return;
    }
    this.#waiting.delete(id);
    effective.admit(id, object);
  }

  #issuesOf(object: VirtualServiceObject): readonly Issue[] {
    const { engine, mesh } = this.#options;
    return engine.untracked(() => issuesOf(mesh, object));
  }
}
