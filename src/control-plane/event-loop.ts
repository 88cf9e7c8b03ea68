// Everything that changes what proxies are to have comes through here, one after the other. The first change
// after a calm moment is acted on at once; those that follow are taken together after a short quiet period.
// Endpoints have a lane of their own, and proxies that come or go, which are endpoints to the others: they
// never wait for the rest.
import { unreachable } from '../base/index.ts';
import type { Kind, MeshConfig } from '../config/index.ts';
import type { ConfigUpdate, SourceId } from '../sources/index.ts';
import type { Clock } from './clock.ts';

export type ControlEvent =
  | { readonly kind: 'update'; readonly source: SourceId; readonly update: ConfigUpdate }
  | { readonly kind: 'mesh-config'; readonly config: MeshConfig }
  /** Its proxy has its configuration by now; the others are to learn of it. */
  | { readonly kind: 'proxy-joined' }
  | { readonly kind: 'proxy-left' };

export interface EventLoopOptions {
  readonly clock: Clock;
  readonly quietMs?: number;
  /** Acts on events, all of them together. */
  readonly act: (events: readonly ControlEvent[]) => void;
}

/** Shorter than the time that a source of files leaves between two looks. */
const defaultQuietMs = 10;

const endpointKinds: ReadonlySet<Kind> = new Set<Kind>(['EndpointSlice', 'Pod', 'WorkloadEntry']);

export class EventLoop {
  readonly #clock: Clock;
  readonly #quietMs: number;
  readonly #act: EventLoopOptions['act'];
  #waiting: ControlEvent[] = [];
  #urgent: ControlEvent[] = [];
  #actedAt = Number.NEGATIVE_INFINITY;
  #callOff: (() => void) | undefined;

  constructor({ clock, act, quietMs = defaultQuietMs }: EventLoopOptions) {
    this.#clock = clock;
    this.#quietMs = quietMs;
    this.#act = act;
  }

  offer(event: ControlEvent): void {
    if (isUrgent(event)) this.#hurry(event);
    else this.#take(event);
  }

  /** What waits is acted on now. */
  flush(): void {
    this.#actOnUrgent();
    this.#actOnWaiting();
  }

  close(): void {
    this.#callOff?.();
    this.#callOff = undefined;
    this.#waiting = [];
    this.#urgent = [];
  }

  #take(event: ControlEvent): void {
    this.#waiting.push(event);
    if (this.#callOff) return;
    const due = this.#actedAt + this.#quietMs - this.#clock.now();
    if (due <= 0) this.flush();
    else this.#callOff = this.#clock.after(due, () => this.flush());
  }

  /** Events of one moment are taken together. */
  #hurry(event: ControlEvent): void {
    this.#urgent.push(event);
    if (this.#urgent.length === 1) this.#clock.soon(() => this.#actOnUrgent());
  }

  #actOnUrgent(): void {
    const events = this.#urgent;
    this.#urgent = [];
    if (events.length > 0) this.#act(events);
  }

  #actOnWaiting(): void {
    this.#callOff?.();
    this.#callOff = undefined;
    const events = this.#waiting;
    this.#waiting = [];
    if (events.length === 0) return;
    this.#act(events);
    this.#actedAt = this.#clock.now();
  }
}

function isUrgent(event: ControlEvent): boolean {
  switch (event.kind) {
    case 'update': {
      const { changed, removed, broken = [] } = event.update;
      return [...changed, ...removed, ...broken].every(({ kind }) => endpointKinds.has(kind));
    }
    case 'mesh-config':
      return false;
    case 'proxy-joined':
    case 'proxy-left':
      return true;
    default:
      return unreachable(event);
  }
}
