// Earliest deadline first: over time every entry is picked in proportion to its weight, evenly spread.
// https://en.wikipedia.org/wiki/Earliest_deadline_first_scheduling

interface Entry<T> {
  readonly value: T;
  deadline: number;
  /** Breaks ties in the order of insertion. */
  order: number;
}

export class EdfScheduler<T> {
  readonly #heap: Entry<T>[] = [];
  #now = 0;
  #order = 0;

  /** `phase` in [0, 1] places the first deadline inside the entry's own period. */
  add(value: T, weight: number, phase = 1): void {
    this.#heap.push({ value, deadline: this.#now + phase / weight, order: this.#order++ });
    this.#up(this.#heap.length - 1);
  }

  /** The next entry; it comes back with the weight that it has now. */
  next(weightOf: (value: T) => number): T | undefined {
    const top = this.#heap[0];
    if (top === undefined) return undefined;
    this.#now = top.deadline;
    top.deadline = this.#now + 1 / weightOf(top.value);
    top.order = this.#order++;
    this.#down(0);
    return top.value;
  }

  #up(start: number): void {
    let i = start;
    while (i > 0) {
      const parent = (i - 1) >> 1;
      if (!this.#before(i, parent)) return;
      this.#swap(i, parent);
      i = parent;
    }
  }

  #down(start: number): void {
    let i = start;
    for (;;) {
      let least = i;
      if (this.#before(2 * i + 1, least)) least = 2 * i + 1;
      if (this.#before(2 * i + 2, least)) least = 2 * i + 2;
      if (least === i) return;
      this.#swap(i, least);
      i = least;
    }
  }

  #before(i: number, j: number): boolean {
    const a = this.#heap[i];
    const b = this.#heap[j];
    if (a === undefined || b === undefined) return false;
    return a.deadline < b.deadline || (a.deadline === b.deadline && a.order < b.order);
  }

  #swap(i: number, j: number): void {
    const a = this.#heap[i];
    const b = this.#heap[j];
    if (a === undefined || b === undefined) return;
    this.#heap[i] = b;
    this.#heap[j] = a;
  }
}
