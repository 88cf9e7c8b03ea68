import { deepEqual } from './equal.ts';
import type { Equal, Input, MemoEngine } from './memo.ts';

/**
 * Keys under which a value is found besides its own. Called once a write; the result must depend on the value
 * alone.
 */
export type IndexKeys<T> = (value: T) => readonly string[];

/**
 * Input values by key, with indexes kept at write time: a reader of one key or of one index bucket is touched
 * only by writes to that key or bucket. A write of an equal value touches nobody.
 */
export class Table<T> {
  readonly #engine: MemoEngine;
  readonly #values = new Map<string, T>();
  readonly #cells = new Map<string, Input<T | undefined>>();
  readonly #all: Input<number>;
  readonly #indexes: TableIndex<T>[] = [];
  readonly #equal: Equal<T>;

  constructor(engine: MemoEngine, equal: Equal<T> = deepEqual) {
    this.#engine = engine;
    this.#equal = equal;
    this.#all = engine.input(0);
    engine.onSweep(this);
  }

  /** @internal Cells that nobody reads, those of keys above all that were asked for and are not there. */
  sweep(): number {
    const dropped = this.#indexes.reduce((sum, index) => sum + index.sweep(), dropUnused(this.#cells));
    this.#engine.forgetInputs(dropped);
    return dropped;
  }

  index(keys: IndexKeys<T>): TableIndex<T> {
    const index = new TableIndex<T>(this.#engine, keys);
    for (const [key, value] of this.#values) index.put(key, undefined, value);
    this.#indexes.push(index);
    return index;
  }

  get(key: string): T | undefined {
    return this.#cell(key).get();
  }

  /** Every value, in the order of first insertion. A reader is touched by every effective write. */
  values(): readonly T[] {
    this.#all.get();
    return [...this.#values.values()];
  }

  /** In the order of first insertion; the same strings each time. */
  keys(): readonly string[] {
    this.#all.get();
    return [...this.#values.keys()];
  }

  /** A reader is touched by every effective write. */
  get size(): number {
    this.#all.get();
    return this.#values.size;
  }

  /** Returns whether anything changed. */
  set(key: string, value: T): boolean {
    const before = this.#values.get(key);
    if (before !== undefined && this.#equal(before, value)) return false;
    this.#values.set(key, value);
    this.#written(key, before, value);
    return true;
  }

  delete(key: string): boolean {
    const before = this.#values.get(key);
    if (before === undefined) return false;
    this.#values.delete(key);
    this.#written(key, before, undefined);
    return true;
  }

  #written(key: string, before: T | undefined, after: T | undefined): void {
    this.#cells.get(key)?.set(after);
    for (const index of this.#indexes) index.put(key, before, after);
    this.#all.set(this.#engine.untracked(() => this.#all.get()) + 1);
  }

  #cell(key: string): Input<T | undefined> {
    let cell = this.#cells.get(key);
    if (!cell) {
      cell = this.#engine.input<T | undefined>(this.#values.get(key));
      this.#cells.set(key, cell);
    }
    return cell;
  }
}

export class TableIndex<T> {
  readonly #engine: MemoEngine;
  readonly #keys: IndexKeys<T>;
  readonly #buckets = new Map<string, Input<readonly T[]>>();
  readonly #members = new Map<string, Map<string, T>>();
  readonly #names: Input<number>;

  constructor(engine: MemoEngine, keys: IndexKeys<T>) {
    this.#engine = engine;
    this.#keys = keys;
    this.#names = engine.input(0);
  }

  get(bucket: string): readonly T[] {
    let cell = this.#buckets.get(bucket);
    if (!cell) {
      cell = this.#engine.input<readonly T[]>(this.#list(bucket));
      this.#buckets.set(bucket, cell);
    }
    return cell.get();
  }

  /** The bucket names that hold a value. A reader is touched when a bucket appears or empties. */
  buckets(): readonly string[] {
    this.#names.get();
    return [...this.#members.keys()];
  }

  /** @internal */
  sweep(): number {
    return dropUnused(this.#buckets);
  }

  /** @internal */
  put(key: string, before: T | undefined, after: T | undefined): void {
    const touched = new Set<string>();
    if (before !== undefined)
      for (const bucket of this.#keys(before)) if (this.#remove(bucket, key, after)) touched.add(bucket);
    if (after !== undefined)
      for (const bucket of this.#keys(after)) if (this.#add(bucket, key, after)) touched.add(bucket);
    for (const bucket of touched) this.#buckets.get(bucket)?.set(this.#list(bucket));
  }

  #remove(bucket: string, key: string, after: T | undefined): boolean {
    const members = this.#members.get(bucket);
    // A value that stays in its bucket keeps its place there.
    if (!members || (after !== undefined && this.#keys(after).includes(bucket))) return false;
    members.delete(key);
    if (members.size === 0) {
      this.#members.delete(bucket);
      this.#namesChanged();
    }
    return true;
  }

  #add(bucket: string, key: string, value: T): boolean {
    let members = this.#members.get(bucket);
    if (!members) {
      members = new Map();
      this.#members.set(bucket, members);
      this.#namesChanged();
    }
    members.set(key, value);
    return true;
  }

  #list(bucket: string): readonly T[] {
    return [...(this.#members.get(bucket)?.values() ?? [])];
  }

  #namesChanged(): void {
    this.#names.set(this.#engine.untracked(() => this.#names.get()) + 1);
  }
}

function dropUnused(cells: Map<string, { readonly isUsed: boolean }>): number {
  let dropped = 0;
  for (const [key, cell] of cells) if (!cell.isUsed && cells.delete(key)) dropped++;
  return dropped;
}
