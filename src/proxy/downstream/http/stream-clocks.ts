// The time limits of a request as a whole: how long nothing may happen, how long it may take to arrive, and
// how long it may last.
// https://www.envoyproxy.io/docs/envoy/latest/faq/configuration/timeouts
import type { Clock, Timer } from '../../net/clock.ts';

export type Lapse = 'idle' | 'request' | 'duration';

/** 0 means no limit. */
export interface ClockLimits {
  readonly idle: number;
  readonly request: number;
  readonly duration: number;
}

/**
 * One is made for nearly every request: its timers are fields, and no object is made for what is not limited.
 */
export class StreamClocks {
  readonly #lapsed: (lapse: Lapse) => void;
  readonly #clock: Clock;
  readonly #started: number;
  #idle: Timer | undefined;
  #request: Timer | undefined;
  #duration: Timer | undefined;

  constructor({ idle, request, duration }: ClockLimits, clock: Clock, lapsed: (lapse: Lapse) => void) {
    this.#lapsed = lapsed;
    this.#clock = clock;
    this.#started = clock.now();
    if (idle > 0) this.#idle = this.#timer('idle', idle);
    if (request > 0) this.#request = this.#timer('request', request);
    if (duration > 0) this.#duration = this.#timer('duration', duration);
  }

  /** Something passed. */
  touch(): void {
    this.#idle?.refresh();
  }

  requestComplete(): void {
    this.#request?.close();
    this.#request = undefined;
  }

  /** Limits of the route in place of the connection manager's, as far as there are any. */
  override(idle: number | undefined, duration: number | undefined): void {
    if (idle !== undefined) {
      this.#idle?.close();
      this.#idle = idle > 0 ? this.#timer('idle', idle) : undefined;
    }
    if (duration === undefined) return;
    this.#duration?.close();
    // Counted from the beginning.
    const left = Math.max(1, duration - (this.#clock.now() - this.#started));
    this.#duration = duration > 0 ? this.#timer('duration', left) : undefined;
  }

  stop(): void {
    this.#idle?.close();
    this.#request?.close();
    this.#duration?.close();
  }

  #timer(lapse: Lapse, limit: number): Timer {
    return this.#clock.after(limit, () => this.#lapsed(lapse));
  }
}
