// What happens, told to any number of listeners. One that throws harms neither the others nor what happened.

export type Listener<T> = (event: T) => void;

export class EventStream<T> {
  readonly #listeners = new Set<Listener<T>>();
  /** Makes the event that the others are told when a listener threw; undefined for one that goes untold. */
  readonly #failureOf: (error: unknown, event: T) => T | undefined;

  constructor(failureOf: (error: unknown, event: T) => T | undefined) {
    this.#failureOf = failureOf;
  }

  /** Returns the way to end it. */
  subscribe(listener: Listener<T>): () => void {
    // The same function may follow twice.
    const own: Listener<T> = (event) => listener(event);
    this.#listeners.add(own);
    return () => void this.#listeners.delete(own);
  }

  emit(event: T): void {
    for (const listener of [...this.#listeners]) this.#tell(listener, event);
  }

  #tell(listener: Listener<T>, event: T): void {
    try {
      listener(event);
    } catch (error) {
      const failure = this.#failureOf(error, event);
      if (failure === undefined) return;
      for (const other of [...this.#listeners]) if (other !== listener) this.#tell(other, failure);
    }
  }
}
