// The names that a client has asked for. Clients that have asked for the same long list share one set.

/** Below this, a set of one's own costs less than the search for an equal one. */
const minShared = 64;
const maxKept = 8;

export class NameSet {
  #names: ReadonlySet<string> = new Set();
  /** The same, while no other client has it. */
  #own: Set<string> | undefined;

  get size(): number {
    return this.#names.size;
  }

  has(name: string): boolean {
    return this.#names.has(name);
  }

  [Symbol.iterator](): Iterator<string> {
    return this.#names.values();
  }

  /** Returns whether the name is new. */
  add(name: string): boolean {
    if (this.#names.has(name)) return false;
    this.#writable().add(name);
    return true;
  }

  /** Returns whether the name was there. */
  delete(name: string): boolean {
    return this.#names.has(name) && this.#writable().delete(name);
  }

  /** From now on uses what equal sets use. */
  share(sets: SharedNameSets): void {
    if (!this.#own || this.#own.size < minShared) return;
    this.#names = sets.equalTo(this.#own);
    this.#own = undefined;
  }

  #writable(): Set<string> {
    this.#own ??= new Set(this.#names);
    this.#names = this.#own;
    return this.#own;
  }
}

export class SharedNameSets {
  #recent: ReadonlySet<string>[] = [];

  /** The set that was given first, of those that are equal. */
  equalTo(names: ReadonlySet<string>): ReadonlySet<string> {
    const found = this.#recent.find((set) => set.size === names.size && containsAll(set, names)) ?? names;
    this.#recent = [found, ...this.#recent.filter((set) => set !== found)].slice(0, maxKept);
    return found;
  }
}

function containsAll(set: ReadonlySet<string>, names: ReadonlySet<string>): boolean {
  for (const name of names) if (!set.has(name)) return false;
  return true;
}
