// A constant load of HTTP requests: some workers, each sending its next request when the last was answered.
import { Agent, get } from 'node:http';

export class Load {
  answered = 0;
  readonly failures: string[] = [];
  readonly #agent: Agent;
  readonly #workers: readonly Promise<void>[];
  #over = false;

  constructor(port: number, hosts: readonly string[], workers: number) {
    this.#agent = new Agent({ keepAlive: true, maxSockets: workers });
    this.#workers = Array.from({ length: workers }, (_, i) => this.#work(port, hosts, i));
  }

  async stop(): Promise<void> {
    this.#over = true;
    await Promise.all(this.#workers);
    this.#agent.destroy();
  }

  async #work(port: number, hosts: readonly string[], start: number): Promise<void> {
    for (let i = start; !this.#over; i++) {
      const host = hosts[i % hosts.length] ?? '';
      const outcome = await request(port, host, this.#agent);
      if (outcome === '200') this.answered++;
      else this.failures.push(`${host}: ${outcome}`);
    }
  }
}

/** The status, with the body when it is not 200, or the error. */
export function request(port: number, host: string, agent?: Agent): Promise<string> {
  return new Promise((resolve) => {
    get(
      { host: '127.0.0.1', port, path: '/', headers: { host }, ...(agent ? { agent } : {}) },
      (response) => {
        let body = '';
        response.on('data', (chunk: Buffer) => {
          body += chunk.toString();
        });
        response.on('end', () =>
          resolve(response.statusCode === 200 ? '200' : `${response.statusCode} ${body}`),
        );
        response.on('error', (error) => resolve(error.message));
      },
    ).on('error', (error) => resolve(error.message));
  });
}
