// Time as the data plane needs it; tests bring their own.
import { longestTimer } from '../codec/duration.ts';

/** What Node.js itself returns, so that a timer costs no object more. */
export interface Timer {
  /** Begins its time anew, also when it is over. */
  refresh(): unknown;
  close(): unknown;
}

export interface Clock {
  /** Milliseconds, steady. */
  readonly now: () => number;
  /** Milliseconds since 1970. */
  readonly wall: () => number;
  /** Calls back once, after so many milliseconds. The process does not live on for it. */
  readonly after: (ms: number, run: () => void) => Timer;
}

export const systemClock: Clock = {
  now: () => performance.now(),
  wall: () => Date.now(),
  after: (ms, run) => setTimeout(run, Math.min(ms, longestTimer)).unref(),
};
