// The time limits of a request as a whole: how long nothing may happen, how long it may take to arrive, and how long it may last.
// https://www.envoyproxy.io/docs/envoy/latest/faq/configuration/timeouts
import { longestTimer } from '../net/duration.ts';

export type Lapse = 'idle' | 'request' | 'duration';

/** 0 means no limit. */
export interface ClockLimits {
  readonly idle: number;
  readonly request: number;
  readonly duration: number;
}

export class StreamClocks {
  readonly #lapsed: (lapse: Lapse) => void;
  readonly #started = performance.now();
  readonly #timers: Partial<Record<Lapse, NodeJS.Timeout>> = {};

  constructor(limits: ClockLimits, lapsed: (lapse: Lapse) => void) {
    this.#lapsed = lapsed;
    for (const lapse of ['idle', 'request', 'duration'] as const) this.#set(lapse, limits[lapse]);
  }

  /** Something passed. */
  touch(): void {
    this.#timers.idle?.refresh();
  }

  requestComplete(): void {
    this.#set('request', 0);
  }

  /** Limits of the route in place of the connection manager's, as far as there are any. */
  override(idle: number | undefined, duration: number | undefined): void {
    if (idle !== undefined) this.#set('idle', idle);
    // Counted from the beginning.
    if (duration !== undefined) this.#set('duration', duration === 0 ? 0 : Math.max(1, duration - (performance.now() - this.#started)));
  }

  stop(): void {
    for (const timer of Object.values(this.#timers)) clearTimeout(timer);
  }

  #set(lapse: Lapse, limit: number): void {
    clearTimeout(this.#timers[lapse]);
    delete this.#timers[lapse];
    if (limit > 0) this.#timers[lapse] = setTimeout(() => this.#lapsed(lapse), Math.min(limit, longestTimer));
  }
}
