// Objects that are derived and not written: what Ingress and Gateway API objects become, and the workloads that
// register themselves. They follow what they are derived from.
import type { Derived } from '../../base/index.ts';
import type { AnyConfig } from '../../config/index.ts';
import type { SourceId } from '../../sources/index.ts';
import type { Effective } from './effective.ts';

type Cell = Derived<readonly AnyConfig[]>;

interface Family {
  readonly source: SourceId;
  readonly parts: readonly { readonly cell: Cell; readonly unwatch: () => void }[];
  /** What each part gave last. */
  readonly last: Map<Cell, readonly AnyConfig[]>;
}

export interface GeneratedOptions {
  readonly effective: Effective;
  /** A part could not be made, and keeps what it gave before. */
  readonly failed: (source: SourceId, error: unknown) => void;
}

export class GeneratedObjects {
  readonly #options: GeneratedOptions;
  readonly #families = new Map<Derived<unknown>, Family>();

  constructor(options: GeneratedOptions) {
    this.#options = options;
  }

  /** Keeps what the cells give in force. Returns the way to end that. */
  add(source: SourceId, cells: readonly Cell[]): () => void {
    const parts = cells.map((cell) => ({ cell, unwatch: cell.watch() }));
    const family: Family = { source, parts, last: new Map() };
    for (const cell of cells) this.#families.set(cell as Derived<unknown>, family);
    this.#refresh(family, () => true);
    return () => this.#end(family);
  }

  get size(): number {
    return this.#families.size;
  }

  /** Brings up to date what the touched values may have changed. */
  follow(touched: Iterable<Derived<unknown>>): void {
    const families = new Map<Family, Set<Derived<unknown>>>();
    for (const cell of touched) {
      const family = this.#families.get(cell);
      if (!family) continue;
      const cells = families.get(family) ?? new Set();
      families.set(family, cells.add(cell));
    }
    for (const [family, cells] of families) this.#refresh(family, (cell) => cells.has(cell));
  }

  #refresh(family: Family, isDue: (cell: Derived<unknown>) => boolean): void {
    const before = objectsOf(family);
    for (const { cell } of family.parts)
      if (isDue(cell as Derived<unknown>)) family.last.set(cell, this.#read(family, cell));
    this.#options.effective.regenerate(before, objectsOf(family));
  }

  #read({ source, last }: Family, cell: Cell): readonly AnyConfig[] {
    try {
      return cell.get();
    } catch (error) {
      this.#options.failed(source, error);
      return last.get(cell) ?? [];
    }
  }

  #end(family: Family): void {
    for (const { cell, unwatch } of family.parts) {
      unwatch();
      cell.dispose();
      this.#families.delete(cell as Derived<unknown>);
    }
    this.#options.effective.regenerate(objectsOf(family), []);
    family.last.clear();
  }
}

/** In the order of the parts. */
function objectsOf({ parts, last }: Family): readonly AnyConfig[] {
  return parts.flatMap(({ cell }) => last.get(cell) ?? []);
}
