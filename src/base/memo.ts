// The memo engine: inputs, derived values that record what they read, equality cut-off, and a list of watched
// values that a change may have touched. Marking follows the edges forward, recomputation is pulled, so work
// grows with what depends on a change and nothing else.
import { Interner } from './interner.ts';
import { TupleMap } from './tuple-map.ts';

type State = 'clean' | 'check' | 'dirty';
export type Equal<T> = (a: T, b: T) => boolean;

interface Source {
  readonly observers: Set<Derived<unknown>>;
  refresh(): void;
}

export interface Sweepable {
  /** Returns how much was dropped. */
  sweep(): number;
}

/** Counts since the engine was made; `recomputed` by the name given to `derive` or `family`. */
export interface MemoStatistics {
  readonly recomputed: ReadonlyMap<string, number>;
  /** Derived values there are. */
  readonly live: number;
  /** Inputs there are. */
  readonly inputs: number;
}

export class MemoEngine {
  readonly #recomputed = new Map<string, number>();
  readonly #touched = new Set<Derived<unknown>>();
  readonly #sweepables: Sweepable[] = [];
  #current: Derived<unknown> | undefined;
  #live = 0;
  #inputs = 0;
  #full: { readonly at: number; readonly tell: () => void } | undefined;

  input<T>(value: T, equal: Equal<T> = Object.is): Input<T> {
    this.#inputs++;
    this.#lookIfFull();
    return new Input(this, value, equal);
  }

  derive<T>(name: string, compute: () => T, equal: Equal<T> = Object.is): Derived<T> {
    this.#live++;
    this.#lookIfFull();
    return new Derived(this, name, compute, equal);
  }

  /** A derived value for each key; values nobody reads any more are dropped by `sweep`. */
  family<K extends readonly KeyPart[], T>(
    name: string,
    compute: (...key: K) => T,
    equal: Equal<T> = Object.is,
  ): Family<K, T> {
    const family = new Family(this, name, compute, equal);
    this.onSweep(family);
    return family;
  }

  /** For keys of families; what nobody holds any more is forgotten by `sweep`. */
  interner<T extends object>(textOf?: (value: T) => string): Interner<T> {
    const interner = new Interner(textOf);
    this.onSweep(interner);
    return interner;
  }

  /** Calls back once there are so many values of either kind; to be asked for anew after each sweep. */
  whenFull(at: number, tell: () => void): void {
    this.#full = { at, tell };
  }

  /** For owners of values that can be made again, and that live as long as the engine. */
  onSweep(sweepable: Sweepable): void {
    this.#sweepables.push(sweepable);
  }

  /** Forgets what nobody reads any more. Returns how much that was. */
  sweep(): number {
    let total = 0;
    // What is dropped may have been the last reader of something else.
    for (let dropped = -1; dropped !== 0; total += dropped) {
      dropped = 0;
      for (const sweepable of this.#sweepables) dropped += sweepable.sweep();
    }
    return total;
  }

  /** The watched values that may have changed since the last call. Reading them says whether they did. */
  takeTouched(): Derived<unknown>[] {
    const touched = [...this.#touched];
    this.#touched.clear();
    return touched;
  }

  statistics(): MemoStatistics {
    return { recomputed: new Map(this.#recomputed), live: this.#live, inputs: this.#inputs };
  }

  /** @internal */
  track(source: Source): void {
    this.#current?.addSource(source);
  }

  /** @internal */
  evaluate<T>(node: Derived<T>, compute: () => T): T {
    const outer = this.#current;
    this.#current = node as Derived<unknown>;
    try {
      return compute();
    } finally {
      this.#current = outer;
      this.#recomputed.set(node.name, (this.#recomputed.get(node.name) ?? 0) + 1);
    }
  }

  /** Runs `read` without recording what it reads. */
  untracked<T>(read: () => T): T {
    const outer = this.#current;
    this.#current = undefined;
    try {
      return read();
    } finally {
      this.#current = outer;
    }
  }

  /** @internal */
  touch(node: Derived<unknown>): void {
    this.#touched.add(node);
  }

  #lookIfFull(): void {
    const full = this.#full;
    if (!full || this.#live + this.#inputs < full.at) return;
    this.#full = undefined;
    full.tell();
  }

  /** @internal Of inputs that their owner has dropped. */
  forgetInputs(count: number): void {
    this.#inputs -= count;
  }

  /** @internal */
  forget(node: Derived<unknown>): void {
    this.#live--;
    this.#touched.delete(node);
  }
}

export class Input<T> implements Source {
  readonly observers = new Set<Derived<unknown>>();
  readonly #engine: MemoEngine;
  readonly #equal: Equal<T>;
  #value: T;

  constructor(engine: MemoEngine, value: T, equal: Equal<T>) {
    this.#engine = engine;
    this.#value = value;
    this.#equal = equal;
  }

  get(): T {
    this.#engine.track(this);
    return this.#value;
  }

  get isUsed(): boolean {
    return this.observers.size > 0;
  }

  /** Returns whether the value differs from the one before. */
  set(value: T): boolean {
    if (this.#equal(this.#value, value)) return false;
    this.#value = value;
    for (const observer of this.observers) observer.mark('dirty');
    return true;
  }

  refresh(): void {}
}

export class Derived<T> implements Source {
  readonly observers = new Set<Derived<unknown>>();
  readonly name: string;
  readonly #engine: MemoEngine;
  readonly #compute: () => T;
  readonly #equal: Equal<T>;
  #value: { readonly current: T } | undefined;
  /** Stands in place of the value when the last computation threw. */
  #failure: { readonly error: unknown } | undefined;
  #state: State = 'dirty';
  #running = false;
  #watchers = 0;
  #sources: Source[] = [];
  /**
   * While running: how many of the old sources were read again in the same order, and those read beyond them.
   */
  #kept = 0;
  #added: Source[] | undefined;

  constructor(engine: MemoEngine, name: string, compute: () => T, equal: Equal<T>) {
    this.#engine = engine;
    this.name = name;
    this.#compute = compute;
    this.#equal = equal;
  }

  /** Throws what the computation threw. */
  get(): T {
    this.#engine.track(this as Source);
    this.refresh();
    if (this.#failure) throw this.#failure.error;
    if (!this.#value) throw new Error(`${this.name} has no value`);
    return this.#value.current;
  }

  /**
   * While watched, the value is reported by `takeTouched` when a change may have reached it. Returns the way
   * to end it.
   */
  watch(): () => void {
    this.#watchers++;
    let active = true;
    return () => {
      if (active) this.#watchers--;
      active = false;
    };
  }

  get isUsed(): boolean {
    return this.#watchers > 0 || this.observers.size > 0;
  }

  refresh(): void {
    if (this.#running) throw new DependsOnItself(this.name);
    if (this.#state === 'check') this.#checkSources();
    if (this.#state === 'dirty') this.#run();
    this.#state = 'clean';
  }

  /** @internal */
  mark(state: 'check' | 'dirty'): void {
    if (this.#state === 'dirty' || this.#state === state) return;
    const wasClean = this.#state === 'clean';
    this.#state = state;
    if (!wasClean) return;
    if (this.#watchers > 0) this.#engine.touch(this as Derived<unknown>);
    for (const observer of this.observers) observer.mark('check');
  }

  /** @internal */
  addSource(source: Source): void {
    if (!this.#added && this.#sources[this.#kept] === source) {
      this.#kept++;
      return;
    }
    if (!this.#added) this.#added = [];
    this.#added.push(source);
  }

  /** Gives up what it read. For values that nothing reads any more. */
  dispose(): void {
    this.#detachFrom(0);
    this.#sources = [];
    this.#value = undefined;
    this.#failure = undefined;
    this.#state = 'dirty';
    this.#engine.forget(this as Derived<unknown>);
  }

  #checkSources(): void {
    for (const source of this.#sources) {
      source.refresh();
      if ((this.#state as State) === 'dirty') return;
    }
  }

  #run(): void {
    this.#kept = 0;
    this.#added = undefined;
    this.#running = true;
    try {
      const value = this.#engine.evaluate(this, this.#compute);
      this.#adoptSources();
      this.#adoptValue(value);
    } catch (error) {
      // Among values in a ring nothing could tell when to try again.
      if (error instanceof DependsOnItself) throw error;
      this.#adoptSources();
      this.#adoptFailure(error);
    } finally {
      this.#running = false;
    }
  }

  #adoptSources(): void {
    const added = this.#added;
    if (!added && this.#kept === this.#sources.length) return;
    this.#detachFrom(this.#kept);
    this.#sources.length = this.#kept;
    for (const source of added ?? []) {
      this.#sources.push(source);
      source.observers.add(this as Derived<unknown>);
    }
    // A source may stand in the kept part and in the dropped one.
    for (let i = 0; i < this.#kept; i++) this.#sources[i]?.observers.add(this as Derived<unknown>);
  }

  #detachFrom(index: number): void {
    for (let i = index; i < this.#sources.length; i++)
      this.#sources[i]?.observers.delete(this as Derived<unknown>);
  }

  #adoptValue(value: T): void {
    const failed = this.#failure !== undefined;
    this.#failure = undefined;
    if (this.#value && !failed && this.#equal(this.#value.current, value)) return;
    this.#value = { current: value };
    for (const observer of this.observers) observer.mark('dirty');
  }

  #adoptFailure(error: unknown): void {
    this.#failure = { error };
    for (const observer of this.observers) observer.mark('dirty');
  }
}

/** A mistake in the program, not in what it is given. */
class DependsOnItself extends Error {
  constructor(name: string) {
    super(`${name} depends on itself`);
  }
}

/** Part of the key of a derived value: a text, a number, or an object that an Interner has made one of. */
export type KeyPart = string | number | boolean | object | undefined;

export class Family<K extends readonly KeyPart[], T> {
  readonly #engine: MemoEngine;
  readonly #name: string;
  readonly #compute: (...key: K) => T;
  readonly #equal: Equal<T>;
  readonly #members = new TupleMap<K, Derived<T>>();

  constructor(engine: MemoEngine, name: string, compute: (...key: K) => T, equal: Equal<T>) {
    this.#engine = engine;
    this.#name = name;
    this.#compute = compute;
    this.#equal = equal;
  }

  get(...key: K): T {
    return this.at(...key).get();
  }

  at(...key: K): Derived<T> {
    let member = this.#members.get(key);
    if (!member) {
      member = this.#engine.derive(this.#name, () => this.#compute(...key), this.#equal);
      this.#members.set(key, member);
    }
    return member;
  }

  get size(): number {
    return this.#members.size;
  }

  /** Drops the members that nothing reads or watches. Returns how many. */
  sweep(): number {
    return this.#members.deleteWhere((member) => {
      if (member.isUsed) return false;
      member.dispose();
      return true;
    });
  }
}
