// Ports for what `up` starts.
import { createServer } from 'node:net';

/**
 * Below the range from which systems take the ports of outgoing connections, so that none of those comes in
 * between.
 */
const first = 20_000;
const last = 32_000;
const attempts = 100;

export class Ports {
  readonly #given = new Set<number>();
  #next = first + Math.floor(Math.random() * (last - first));

  /** A port that nobody listens on, never given twice. */
  async free(): Promise<number> {
    for (let i = first; i < last; i++) {
      this.#next = this.#next >= last ? first : this.#next + 1;
      if (await this.#take(this.#next, '127.0.0.1')) return this.#next;
    }
    throw new Error(`no free port between ${first} and ${last}`);
  }

  /** The wanted port, or the next one up that can be had; any free one for 0. */
  async near(wanted: number, host: string): Promise<number> {
    if (wanted === 0) return this.free();
    for (let port = wanted; port < Math.min(wanted + attempts, 65_536); port++)
      if (await this.#take(port, host)) return port;
    return this.free();
  }

  giveBack(port: number): void {
    this.#given.delete(port);
  }

  async #take(port: number, host: string): Promise<boolean> {
    if (this.#given.has(port)) return false;
    this.#given.add(port);
    if (await isFree(port, host)) return true;
    this.#given.delete(port);
    return false;
  }
}

function isFree(port: number, host: string): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ port, host, exclusive: true }, () => server.close(() => resolve(true)));
  });
}
