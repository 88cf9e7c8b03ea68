// Bounds the bytes that are on their way to all clients together: a response is copied for each client, and
// is memory until it is written out.

export interface SendBudgetOptions {
  readonly maxBytes: number;
  /** Calls back after the time that slow clients may hold up the others. */
  readonly later: (run: () => void) => void;
  /** Told of each response. */
  readonly onTake?: (bytes: number) => void;
}

export class SendBudget {
  readonly #options: SendBudgetOptions;
  /** In the order in which they asked. */
  readonly #waiting = new Set<() => void>();
  #taken = 0;
  /** What was taken in an earlier epoch is not given back. */
  #epoch = 0;

  constructor(options: SendBudgetOptions) {
    this.#options = options;
  }

  /** Whether there is room for a response, of any size. Without, `retry` is called once there is, in turn. */
  hasRoom(retry: () => void): boolean {
    if (this.#taken < this.#options.maxBytes) return true;
    if (this.#waiting.size === 0) this.#limitWait();
    this.#waiting.add(retry);
    return false;
  }

  /** Returns the way to give the bytes back. */
  take(bytes: number): () => void {
    const epoch = this.#epoch;
    let held = bytes;
    this.#taken += bytes;
    this.#options.onTake?.(bytes);
    return () => {
      if (epoch === this.#epoch) this.#taken -= held;
      held = 0;
      this.#resume();
    };
  }

  leave(retry: () => void): void {
    this.#waiting.delete(retry);
  }

  #resume(): void {
    for (const retry of this.#waiting) {
      if (this.#taken >= this.#options.maxBytes) return;
      this.#waiting.delete(retry);
      retry();
    }
  }

  #limitWait(): void {
    this.#options.later(() => {
      if (this.#waiting.size === 0) return;
      this.#epoch++;
      this.#taken = 0;
      this.#resume();
      if (this.#waiting.size > 0) this.#limitWait();
    });
  }
}
