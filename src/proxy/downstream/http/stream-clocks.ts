// The time limits of a request as a whole: how long nothing may happen, how long it may take to arrive, and
// how long it may last.
// https://www.envoyproxy.io/docs/envoy/latest/faq/configuration/timeouts
import { longestTimer } from '../../net/duration.ts';

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
  readonly #started = performance.now();
  #idle: NodeJS.Timeout | undefined;
  #request: NodeJS.Timeout | undefined;
  #duration: NodeJS.Timeout | undefined;

  constructor({ idle, request, duration }: ClockLimits, lapsed: (lapse: Lapse) => void) {
    this.#lapsed = lapsed;
    if (idle > 0) this.#idle = this.#timer('idle', idle);
    if (request > 0) this.#request = this.#timer('request', request);
    if (duration > 0) this.#duration = this.#timer('duration', duration);
  }

  /** Something passed. */
  touch(): void {
    this.#idle?.refresh();
  }

  requestComplete(): void {
    if (this.#request) clearTimeout(this.#request);
    this.#request = undefined;
  }

  /** Limits of the route in place of the connection manager's, as far as there are any. */
  override(idle: number | undefined, duration: number | undefined): void {
    if (idle !== undefined) {
      clearTimeout(this.#idle);
      this.#idle = idle > 0 ? this.#timer('idle', idle) : undefined;
    }
    if (duration === undefined) return;
    clearTimeout(this.#duration);
    // Counted from the beginning.
    const left = Math.max(1, duration - (performance.now() - this.#started));
    this.#duration = duration > 0 ? this.#timer('duration', left) : undefined;
  }

  stop(): void {
    if (this.#idle) clearTimeout(this.#idle);
    if (this.#request) clearTimeout(this.#request);
    if (this.#duration) clearTimeout(this.#duration);
  }

  #timer(lapse: Lapse, limit: number): NodeJS.Timeout {
    return setTimeout(() => this.#lapsed(lapse), Math.min(limit, longestTimer));
  }
}
