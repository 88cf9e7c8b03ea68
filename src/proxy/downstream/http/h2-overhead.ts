// How much of what an HTTP/2 client sends is neither request nor body: node:http2 shows no WINDOW_UPDATE,
// PRIORITY or empty DATA frames, but their bytes can be counted. A client that sends little else is let go.

/** Allowed on any connection, and what time adds: settings, now and then a PING. */
const baseBytes = 64 * 1024;
const bytesPerSecond = 4096;
/**
 * How often all connections are looked at: a flood is over soon, and many connections cost no more than a
 * few.
 */
const soonestMs = 50;
const latestMs = 500;
const msPerConnection = 0.5;
/** Around a request: the heads of its frames, a reset, window updates for it. */
const perRequest = 128;
/** Two window updates of 13 bytes for every 104 bytes received. */
const windowUpdatesPerByte = 0.25;
const frameHead = 9;

export interface OverheadSource {
  readonly bytesRead: number;
  readonly bytesWritten: number;
}

export class H2Overhead {
  readonly #source: OverheadSource;
  readonly #unread: () => number;
  readonly #exceeded: () => void;
  readonly #since = performance.now();
  #explained = 0;

  /** `unread`: bytes of bodies that have come and wait to be read. */
  constructor(source: OverheadSource, unread: () => number, exceeded: () => void) {
    this.#source = source;
    this.#unread = unread;
    this.#exceeded = exceeded;
    watch(this);
  }

  check(): void {
    if (this.#exceeds()) this.#exceeded();
  }

  head(raw: readonly string[]): void {
    let length = perRequest;
    for (const text of raw) length += text.length + 2;
    this.#explained += length;
  }

  data(length: number): void {
    this.#explained += length + frameHead;
  }

  stop(): void {
    watched.delete(this);
  }

  #exceeds(): boolean {
    const { bytesRead, bytesWritten } = this.#source;
    const allowed =
      baseBytes +
      (bytesPerSecond * (performance.now() - this.#since)) / 1000 +
      bytesWritten * windowUpdatesPerByte;
    if (bytesRead <= allowed + this.#explained) return false;
    return bytesRead > allowed + this.#explained + this.#unread();
  }
}

/** All connections of the process, under one timer. */
const watched = new Set<H2Overhead>();
let looking = false;

function watch(one: H2Overhead): void {
  watched.add(one);
  if (!looking) lookLater();
}

function lookLater(): void {
  looking = watched.size > 0;
  if (!looking) return;
  const ms = Math.min(latestMs, Math.max(soonestMs, watched.size * msPerConnection));
  setTimeout(() => {
    for (const one of watched) one.check();
    lookLater();
  }, ms).unref();
}
