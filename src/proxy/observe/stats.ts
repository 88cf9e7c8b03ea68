// Counters and gauges by Envoy's names.

export class Stat {
  readonly name: string;
  readonly kind: 'counter' | 'gauge';
  #touched = false;
  #value = 0;

  constructor(name: string, kind: 'counter' | 'gauge') {
    this.name = name;
    this.kind = kind;
  }

  get value(): number {
    return this.#value;
  }

  set value(value: number) {
    this.#value = value;
    this.#touched = true;
  }

  /** Whether it was ever set. */
  get used(): boolean {
    return this.#touched;
  }

  reset(): void {
    this.#value = 0;
    this.#touched = false;
  }
}

export class Stats {
  readonly #stats = new Map<string, Stat>();

  counter(name: string): Stat {
    return this.#stat(name, 'counter');
  }

  gauge(name: string): Stat {
    return this.#stat(name, 'gauge');
  }

  resetCounters(): void {
    for (const stat of this.#stats.values()) if (stat.kind === 'counter') stat.reset();
  }

  drop(prefix: string): void {
    for (const name of [...this.#stats.keys()]) if (name.startsWith(prefix)) this.#stats.delete(name);
  }

  /** Sorted by name. */
  all(): readonly Stat[] {
    return [...this.#stats.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  #stat(name: string, kind: 'counter' | 'gauge'): Stat {
    let stat = this.#stats.get(name);
    if (!stat) {
      stat = new Stat(name, kind);
      this.#stats.set(name, stat);
    }
    return stat;
  }
}
