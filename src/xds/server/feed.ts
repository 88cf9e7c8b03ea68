// All resources of one type that some clients share, kept up to date for as long as one of them is attached.
import type { Derived } from '../../base/index.ts';
import type { ResourceTypeName } from '../resource-types.ts';

export interface ServedResource {
  readonly name: string;
  /** Changes exactly when the bytes do. */
  readonly version: string;
  /** A google.protobuf.Any that holds the resource. */
  readonly any: Uint8Array;
}

export type ResourceCell = Derived<ServedResource | undefined>;

export interface FeedSource {
  readonly type: ResourceTypeName;
  /** Every name there is, for types that can be asked for as a whole. */
  readonly names?: Derived<readonly string[]>;
  resource(name: string): ResourceCell;
}

interface Entry {
  readonly name: string;
  readonly cell: ResourceCell;
  readonly unwatch: () => void;
  uses: number;
  current: ServedResource | undefined;
}

/**
 * A resource, or with the name `*` the list of them, could not be made; what there was before stays in force.
 */
export interface FeedFailure {
  readonly type: ResourceTypeName;
  readonly name: string;
  readonly error: unknown;
}

/** Told of the names whose resource changed, appeared or went. */
export type FeedListener = (changed: readonly string[]) => void;

export class Feed {
  readonly type: ResourceTypeName;
  readonly #source: FeedSource;
  readonly #entries = new Map<string, Entry>();
  readonly #byCell = new Map<Derived<unknown>, Entry>();
  readonly #listeners = new Set<FeedListener>();
  readonly #hub: FeedHub;
  #listed: readonly string[] | undefined;
  #unwatchNames: (() => void) | undefined;
  #listedNames: ReadonlySet<string> = new Set();
  #all: readonly ServedResource[] | undefined;

  constructor(hub: FeedHub, source: FeedSource) {
    this.#hub = hub;
    this.#source = source;
    this.type = source.type;
  }

  attach(listener: FeedListener): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Keeps all resources from now on. */
  useAll(): void {
    const { names } = this.#source;
    if (!names || this.#listed) return;
    this.#unwatchNames = names.watch();
    this.#hub.add(names as Derived<unknown>, this);
    this.#listed = this.#read('*', names, []);
    this.#listedNames = new Set(this.#listed);
    for (const name of this.#listed) this.#take(name);
  }

  /**
   * Keeps one resource until it is released as often as it was used. Returns the name as the feed holds it,
   * for all to share.
   */
  use(name: string): string {
    return this.#take(name).name;
  }

  release(name: string): void {
    const entry = this.#entries.get(name);
    if (entry && --entry.uses === 0) this.#drop(entry);
  }

  /** Whether the resource is one of everything, as opposed to one that must be asked for. */
  lists(name: string): boolean {
    return this.#listedNames.has(name);
  }

  get(name: string): ServedResource | undefined {
    return this.#entries.get(name)?.current;
  }

  /**
   * In the order of the source's list; those that do not exist are left out. The same list until something
   * changes.
   */
  all(): readonly ServedResource[] {
    this.#all ??= (this.#listed ?? []).flatMap((name) => this.get(name) ?? []);
    return this.#all;
  }

  /** Reads the touched values again and tells the listeners what changed. */
  refresh(touched: ReadonlySet<Derived<unknown>>): readonly string[] {
    const changed = new Set<string>();
    const { names } = this.#source;
    if (names && touched.has(names as Derived<unknown>))
      this.#relist(this.#read('*', names, this.#listed ?? []), changed);
    for (const cell of touched) {
      const entry = this.#byCell.get(cell);
      if (!entry) continue;
      const next = this.#read(entry.name, entry.cell, entry.current);
      if (next?.version === entry.current?.version) continue;
      entry.current = next;
      changed.add(entry.name);
    }
    if (changed.size > 0) this.#all = undefined;
    return [...changed];
  }

  notify(changed: readonly string[]): void {
    for (const listener of this.#listeners) listener(changed);
  }

  get isIdle(): boolean {
    return this.#listeners.size === 0;
  }

  /** Gives up everything it keeps. */
  dispose(): void {
    this.#unwatchNames?.();
    if (this.#source.names) this.#hub.remove(this.#source.names as Derived<unknown>, this);
    for (const entry of [...this.#entries.values()]) this.#drop(entry);
    this.#listed = undefined;
    this.#listedNames = new Set();
  }

  /** A value that cannot be computed concerns nobody but those who read it, and they keep the last one. */
  #read<T>(name: string, cell: Derived<T>, last: T): T {
    try {
      return cell.get();
    } catch (error) {
      this.#hub.failed({ type: this.type, name, error });
      return last;
    }
  }

  #relist(names: readonly string[], changed: Set<string>): void {
    // A list that was only looked at again is the same object.
    if (names === this.#listed) return;
    const before = new Set(this.#listed);
    this.#listed = names;
    this.#listedNames = new Set(names);
    for (const name of names) {
      if (before.delete(name)) continue;
      this.#take(name);
      changed.add(name);
    }
    for (const name of before) {
      this.release(name);
      changed.add(name);
    }
  }

  #take(name: string): Entry {
    const known = this.#entries.get(name);
    if (known) {
      known.uses++;
      return known;
    }
    const cell = this.#source.resource(name);
    const entry: Entry = {
      name,
      cell,
      unwatch: cell.watch(),
      uses: 1,
      current: this.#read(name, cell, undefined),
    };
    this.#entries.set(name, entry);
    this.#byCell.set(cell as Derived<unknown>, entry);
    this.#hub.add(cell as Derived<unknown>, this);
    return entry;
  }

  #drop(entry: Entry): void {
    entry.unwatch();
    this.#entries.delete(entry.name);
    this.#byCell.delete(entry.cell as Derived<unknown>);
    this.#hub.remove(entry.cell as Derived<unknown>, this);
  }
}

/** Knows which feeds read a value, so that a change finds them without a search. */
export class FeedHub {
  /** Called for each value that could not be computed. */
  readonly failed: (failure: FeedFailure) => void;
  readonly #readers = new Map<Derived<unknown>, Set<Feed>>();

  constructor(failed: (failure: FeedFailure) => void = () => {}) {
    this.failed = failed;
  }

  add(cell: Derived<unknown>, feed: Feed): void {
    const readers = this.#readers.get(cell);
    if (readers) readers.add(feed);
    else this.#readers.set(cell, new Set([feed]));
  }

  remove(cell: Derived<unknown>, feed: Feed): void {
    const readers = this.#readers.get(cell);
    readers?.delete(feed);
    if (readers?.size === 0) this.#readers.delete(cell);
  }

  /** Brings every feed up to date that reads one of the touched values, then tells all of them. */
  process(touched: readonly Derived<unknown>[]): number {
    const byFeed = new Map<Feed, Set<Derived<unknown>>>();
    for (const cell of touched) {
      for (const feed of this.#readers.get(cell) ?? []) {
        const cells = byFeed.get(feed);
        if (cells) cells.add(cell);
        else byFeed.set(feed, new Set([cell]));
      }
    }
    const changes = [...byFeed].map(([feed, cells]) => ({ feed, changed: feed.refresh(cells) }));
    let total = 0;
    for (const { feed, changed } of changes) {
      total += changed.length;
      if (changed.length > 0) feed.notify(changed);
    }
    return total;
  }
}
