// How much of what an HTTP/2 client sends is neither request nor body: node:http2 shows no WINDOW_UPDATE, PRIORITY or empty DATA frames,
// but their bytes can be counted. A client that sends little else is let go.

/** Allowed on any connection, and what time adds: settings, now and then a PING. */
const baseBytes = 64 * 1024;
const bytesPerSecond = 4096;
const checkMs = 500;
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
  readonly #timer: NodeJS.Timeout;
  readonly #since = performance.now();
  #explained = 0;

  /** `unread`: bytes of bodies that have come and wait to be read. */
  constructor(source: OverheadSource, unread: () => number, exceeded: () => void) {
    this.#source = source;
    this.#unread = unread;
    this.#timer = setInterval(() => {
      if (this.#exceeds()) exceeded();
    }, checkMs);
    this.#timer.unref();
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
    clearInterval(this.#timer);
  }

  #exceeds(): boolean {
    const { bytesRead, bytesWritten } = this.#source;
    const allowed = baseBytes + (bytesPerSecond * (performance.now() - this.#since)) / 1000 + bytesWritten * windowUpdatesPerByte;
    if (bytesRead <= allowed + this.#explained) return false;
    return bytesRead > allowed + this.#explained + this.#unread();
  }
}
