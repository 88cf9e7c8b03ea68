// When a proxy under test can be dialled, and what its administration interface says.
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import http from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import { adminPort } from '../bootstrap.ts';

const pollMs = 20;
/**
 * The proxy says that it is live shortly before its listeners accept: they must have been the same for so
 * long.
 */
const stableMs = 80;
/** A proxy whose configuration has no listener never gets one. */
const noListenerMs = 600;
const listenState = '0A';

export class Readiness {
  readonly #portsBefore: ReadonlySet<number> = new Set([...listeningPorts(), adminPort]);
  readonly #isAlive: () => boolean;

  /** Made before the proxy is started: what listens by then is not its own. */
  constructor(isAlive: () => boolean) {
    this.#isAlive = isAlive;
  }

  async wait(timeoutMs: number): Promise<boolean> {
    const deadline = performance.now() + timeoutMs;
    while (this.#isAlive() && performance.now() < deadline) {
      if ((await readAdmin('/ready')).startsWith('LIVE')) {
        await this.#listenersStable();
        return this.#isAlive();
      }
      await pause(pollMs);
    }
    return false;
  }

  async #listenersStable(): Promise<void> {
    const start = performance.now();
    let last = '';
    let since = start;
    while (performance.now() - start < 5000 && this.#isAlive()) {
      const now = performance.now();
      const ports = [...listeningPorts()].filter((port) => !this.#portsBefore.has(port)).join();
      if (ports !== last) [last, since] = [ports, now];
      if (now - since >= (ports === '' ? noListenerMs : stableMs)) return;
      await pause(pollMs);
    }
  }
}

/** What the proxy says at a path of its administration interface; nothing when it does not answer. */
export async function readAdmin(path: string): Promise<string> {
  try {
    const request = http.get({ host: '127.0.0.1', port: adminPort, path, agent: false, timeout: 3000 });
    request.on('timeout', () => request.destroy());
    const [response] = (await once(request, 'response')) as [http.IncomingMessage];
    let text = '';
    for await (const bytes of response) text += bytes;
    return text;
  } catch {
    return '';
  }
}

/**
 * The TCP ports that something in this network namespace listens on.
 * https://docs.kernel.org/networking/proc_net_tcp.html
 */
function listeningPorts(): ReadonlySet<number> {
  const rows = ['/proc/self/net/tcp', '/proc/self/net/tcp6'].flatMap((file) =>
    readFileSync(file, 'utf8').split('\n').slice(1),
  );
  const fields = rows.map((row) => row.trim().split(/\s+/)).filter(([, , , state]) => state === listenState);
  return new Set(fields.map(([, address = '']) => Number.parseInt(address.split(':')[1] ?? '', 16)));
}
