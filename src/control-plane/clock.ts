// Time as the control plane needs it; tests bring their own.

export interface Clock {
  /** Milliseconds since whenever. */
  now(): number;
  /** Calls back once after so many milliseconds; returns the way to call it off. */
  after(ms: number, run: () => void): () => void;
  /** Calls back when what is going on now is done. */
  soon(run: () => void): void;
}

export const systemClock: Clock = {
  now: () => performance.now(),
  after: (ms, run) => {
    const timer = setTimeout(run, ms).unref();
    return () => clearTimeout(timer);
  },
  soon: (run) => void setImmediate(run),
};
