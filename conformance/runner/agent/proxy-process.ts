// The proxy under test: its process, when it is ready, and its administration interface.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import http from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import { adminPort } from '../bootstrap.ts';
import type { ProxySpec, ProxyState } from './calls.ts';

const pollMs = 20;
/** The proxy says that it is live shortly before its listeners accept: they must have been the same for so long. */
const stableMs = 80;
/** A proxy whose configuration has no listener never gets one. */
const noListenerMs = 600;
const logLimit = 20_000;
const listenState = '0A';

export class ProxyProcess {
  readonly #child: ChildProcess;
  readonly #exited: Promise<unknown>;
  readonly #portsBefore: ReadonlySet<number>;
  #hasExited = false;
  #log = '';

  constructor({ command, args, uid, gid }: ProxySpec) {
    this.#portsBefore = new Set([...listeningPorts(), adminPort]);
    this.#child = spawn(command, args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      gid,
      ...(uid === undefined ? {} : { uid }),
    });
    this.#exited = new Promise<void>((resolve) => {
      const end = (why: string): void => {
        this.#hasExited = true;
        this.#log += `\n[${why}]`;
        resolve();
      };
      this.#child.once('error', (error) => end(error.message));
      this.#child.once('exit', (code, signal) => end(`ended with ${code ?? signal}`));
    });
    for (const stream of [this.#child.stdout, this.#child.stderr])
      stream?.on('data', (bytes: Buffer) => {
        this.#log = (this.#log + bytes.toString()).slice(-logLimit);
      });
  }

  async ready(timeoutMs: number): Promise<ProxyState> {
    const deadline = performance.now() + timeoutMs;
    while (!this.#hasExited && performance.now() < deadline) {
      if ((await readAdmin('/ready')).startsWith('LIVE')) {
        await this.#listenersStable();
        return { isReady: !this.#hasExited, log: this.#log };
      }
      await pause(pollMs);
    }
    return { isReady: false, log: this.#log };
  }

  /** Kills the process and returns what it logged. */
  async stop(): Promise<string> {
    this.#child.kill('SIGKILL');
    await this.#exited;
    return this.#log;
  }

  async #listenersStable(): Promise<void> {
    const start = performance.now();
    let last = '';
    let since = start;
    while (performance.now() - start < 5000 && !this.#hasExited) {
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

/** The TCP ports that something in this network namespace listens on. https://docs.kernel.org/networking/proc_net_tcp.html */
function listeningPorts(): ReadonlySet<number> {
  const rows = ['/proc/self/net/tcp', '/proc/self/net/tcp6'].flatMap((file) => readFileSync(file, 'utf8').split('\n').slice(1));
  const fields = rows.map((row) => row.trim().split(/\s+/)).filter(([, , , state]) => state === listenState);
  return new Set(fields.map(([, address = '']) => Number.parseInt(address.split(':')[1] ?? '', 16)));
}
