// PING frames that find out whether the peer of an HTTP/2 connection is still there, when it has vanished
// without a word.

import type { Http2Session } from 'node:http2';
import type { KeepAlivePlan } from '../plan/http/h2-options.ts';
import type { Clock, Timer } from './clock.ts';

export interface KeepAliveOptions {
  readonly plan: KeepAlivePlan;
  readonly clock: Clock;
  /** The peer does not answer. */
  readonly lost: () => void;
}

export class KeepAlive {
  readonly #session: Http2Session;
  readonly #plan: KeepAlivePlan;
  readonly #clock: Clock;
  readonly #lost: () => void;
  #next: Timer | undefined;
  #limit: Timer | undefined;
  #usedAt: number;

  constructor(session: Http2Session, { plan, clock, lost }: KeepAliveOptions) {
    this.#session = session;
    this.#plan = plan;
    this.#clock = clock;
    this.#lost = lost;
    this.#usedAt = clock.now();
    session.on('close', () => this.#stop());
    this.#schedule();
  }

  /** A request is about to be sent. */
  used(): void {
    const { idleInterval } = this.#plan;
    const now = this.#clock.now();
    if (idleInterval > 0 && now - this.#usedAt >= idleInterval) this.#ping();
    this.#usedAt = now;
  }

  #schedule(): void {
    const { interval, jitterPercent } = this.#plan;
    if (interval <= 0 || this.#session.destroyed) return;
    const jitter = (interval * jitterPercent * Math.random()) / 100;
    this.#next = this.#clock.after(interval + jitter, () => this.#ping());
  }

  #ping(): void {
    if (this.#limit || this.#session.destroyed) return;
    this.#next?.close();
    const sent = this.#session.ping((error) => {
      if (!error) this.#answered();
    });
    if (!sent) {
      this.#lost();
      return;
    }
    this.#limit = this.#clock.after(this.#plan.timeout, () => this.#lost());
  }

  #answered(): void {
    this.#limit?.close();
    this.#limit = undefined;
    this.#schedule();
  }

  #stop(): void {
    this.#next?.close();
    this.#limit?.close();
  }
}
