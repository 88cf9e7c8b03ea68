// One object for all that are equal, so that equal values can be keys: compared by identity, read without
// being parsed. What nobody holds any more is forgotten.

export class Interner<T extends object> {
  readonly #textOf: (value: T) => string;
  readonly #known = new Map<string, WeakRef<T>>();

  /** `textOf` is the same for two values exactly when they are equal. */
  constructor(textOf: (value: T) => string = JSON.stringify) {
    this.#textOf = textOf;
  }

  /** The first of all values that are equal to this one. */
  intern(value: T): T {
    const text = this.#textOf(value);
    const known = this.#known.get(text)?.deref();
    if (known) return known;
    this.#known.set(text, new WeakRef(value));
    return value;
  }

  get size(): number {
    return this.#known.size;
  }

  /** Drops what has been collected. Returns how many. */
  sweep(): number {
    let dropped = 0;
    for (const [text, value] of this.#known)
      if (value.deref() === undefined && this.#known.delete(text)) dropped++;
    return dropped;
  }
}
