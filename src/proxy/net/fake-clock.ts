// A clock for tests, which goes when it is told to.
import type { Clock, Timer } from './clock.ts';

class FakeTimer implements Timer {
  readonly #clock: FakeClock;
  readonly #ms: number;
  readonly run: () => void;
  dueAt = 0;

  constructor(clock: FakeClock, ms: number, run: () => void) {
    this.#clock = clock;
    this.#ms = ms;
    this.run = run;
    this.refresh();
  }

  refresh(): void {
    this.dueAt = this.#clock.now() + Math.max(1, this.#ms);
    this.#clock.running.delete(this);
    this.#clock.running.add(this);
  }

  close(): void {
    this.#clock.running.delete(this);
  }
}

export class FakeClock implements Clock {
  readonly running = new Set<FakeTimer>();
  #ms = 0;

  readonly now = (): number => this.#ms;

  readonly wall = (): number => this.#ms;

  readonly after = (ms: number, run: () => void): Timer => new FakeTimer(this, ms, run);

  /** What is due meanwhile is called in its order, at its time. */
  advance(ms: number): void {
    const until = this.#ms + ms;
    for (let next = this.#next(until); next; next = this.#next(until)) {
      this.#ms = next.dueAt;
      this.running.delete(next);
      next.run();
    }
    this.#ms = until;
  }

  #next(until: number): FakeTimer | undefined {
    const due = [...this.running].filter(({ dueAt }) => dueAt <= until);
    return due.sort((a, b) => a.dueAt - b.dueAt)[0];
  }
}
