// PING frames that find out whether the peer of an HTTP/2 connection is still there, when it has vanished
// without a word.
import type { Http2Session } from 'node:http2';
import type { KeepAlivePlan } from '../plan/http/h2-options.ts';

export class KeepAlive {
  readonly #session: Http2Session;
  readonly #plan: KeepAlivePlan;
  readonly #lost: () => void;
  #next: NodeJS.Timeout | undefined;
  #limit: NodeJS.Timeout | undefined;
  #usedAt = performance.now();

  constructor(session: Http2Session, plan: KeepAlivePlan, lost: () => void) {
    this.#session = session;
    this.#plan = plan;
    this.#lost = lost;
    session.on('close', () => this.#stop());
    this.#schedule();
  }

  /** A request is about to be sent. */
  used(): void {
    const { idleInterval } = this.#plan;
    const now = performance.now();
    if (idleInterval > 0 && now - this.#usedAt >= idleInterval) this.#ping();
    this.#usedAt = now;
  }

  #schedule(): void {
    const { interval, jitterPercent } = this.#plan;
    if (interval <= 0 || this.#session.destroyed) return;
    const jitter = (interval * jitterPercent * Math.random()) / 100;
    this.#next = setTimeout(() => this.#ping(), interval + jitter);
    this.#next.unref();
  }

  #ping(): void {
    if (this.#limit || this.#session.destroyed) return;
    clearTimeout(this.#next);
    const sent = this.#session.ping((error) => {
      if (!error) this.#answered();
    });
    if (!sent) {
      this.#lost();
      return;
    }
    this.#limit = setTimeout(() => this.#lost(), this.#plan.timeout);
    this.#limit.unref();
  }

  #answered(): void {
    clearTimeout(this.#limit);
    this.#limit = undefined;
    this.#schedule();
  }

  #stop(): void {
    clearTimeout(this.#next);
    clearTimeout(this.#limit);
  }
}
