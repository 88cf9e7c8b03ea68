// From what sources say to what the mesh reads: written, admitted, generated, effective.
import type { Derived, Issue, MemoEngine } from '../../base/index.ts';
import type { AnyConfig } from '../../config/index.ts';
import { conversionsOf, type Mesh } from '../../mesh/index.ts';
import type { ConfigUpdate, ResourceId, SourceId, Standing } from '../../sources/index.ts';
import { Admission } from './admission.ts';
import { Effective } from './effective.ts';
import { GeneratedObjects } from './generated.ts';
import { idOf, idsOf, type ObjectId, Written } from './written.ts';

export interface LayersOptions {
  readonly engine: MemoEngine;
  readonly mesh: Mesh;
  /** The sources that count first where several hold the same resource, in their order. */
  readonly order: readonly SourceId[];
  /** Something that is generated could not be made. */
  readonly failed: (source: SourceId, error: unknown) => void;
}

/** What an update changed of what the sources say, taken together. */
export type WinningChanges = Pick<ConfigUpdate, 'changed' | 'removed'>;

export class Layers {
  readonly generated: GeneratedObjects;
  readonly #engine: MemoEngine;
  readonly #written: Written;
  readonly #admission: Admission;
  readonly #effective: Effective;
  readonly #loaded = new Set<SourceId>();

  constructor({ engine, mesh, order, failed }: LayersOptions) {
    this.#engine = engine;
    this.#written = new Written(order);
    this.#effective = new Effective(mesh.store);
    this.#admission = new Admission({
      engine,
      mesh,
      effective: this.#effective,
      winner: (id) => this.#written.winner(id),
    });
    this.generated = new GeneratedObjects({ effective: this.#effective, failed });
    this.generated.add('conversions', conversionsOf(engine, mesh));
  }

  /** Takes down what a source says. It is in force after `admit`. */
  write(source: SourceId, update: ConfigUpdate): void {
    this.#written.put(source, update);
  }

  /** Brings into force what the sources say now of the resources of an update. */
  admit(source: SourceId, update: ConfigUpdate): WinningChanges {
    const ids = idsOf(update);
    this.#admission.apply(ids, !this.#loaded.has(source));
    if (update.changed.length > 0) this.#loaded.add(source);
    const changed: AnyConfig[] = [];
    for (const id of ids) {
      const winner = this.#written.winner(id);
      if (winner !== undefined && winner !== 'broken') changed.push(winner);
    }
    return { changed, removed: update.removed.filter((id) => this.#written.winner(idOf(id)) === undefined) };
  }

  /** Follows what is derived until nothing changes any more. Returns every value that was touched. */
  settle(): readonly Derived<unknown>[] {
    const touched = new Set<Derived<unknown>>();
    for (let news = this.#engine.takeTouched(); news.length > 0; news = this.#engine.takeTouched()) {
      for (const cell of news) touched.add(cell);
      this.generated.follow(news);
    }
    return [...touched];
  }

  /** How many resources of sources are in force. */
  get size(): number {
    return this.#effective.size;
  }

  standing(id: ResourceId): Standing {
    return this.#admission.standing(idOf(id));
  }

  isWaiting(id: ObjectId): boolean {
    return this.#admission.isWaiting(id);
  }

  /** Whether what is in force under the name is generated. */
  isGenerated(id: ResourceId): boolean {
    return this.#effective.isGenerated(idOf(id));
  }

  /** About versions that wait, and about objects that another source holds already. */
  get issues(): readonly Issue[] {
    return [...this.#admission.issues, ...this.#written.issues];
  }
}
