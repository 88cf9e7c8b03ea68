// One proxy as a process of its own, the embedded one or a real Envoy, from the same bootstrap.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { get } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { envoyBinary } from '../real-software.ts';
import type { Json } from './bootstrap.ts';
import { ProcessFacts } from './process-facts.ts';

export const kinds = ['embedded', 'envoy'] as const;
export type Kind = (typeof kinds)[number];

const program = resolve(import.meta.dirname, '../../src/cli/main.ts');
const startLimit = 20_000;

export class ProxyProcess {
  readonly kind: Kind;
  readonly facts: ProcessFacts;
  readonly #process: ChildProcess;
  readonly #folder: string;
  readonly #adminPort: number;
  #log = '';

  private constructor(
    kind: Kind,
    child: ChildProcess,
    place: { readonly folder: string; readonly adminPort: number },
  ) {
    this.kind = kind;
    this.#process = child;
    this.#folder = place.folder;
    this.#adminPort = place.adminPort;
    this.facts = new ProcessFacts(child.pid ?? 0);
    const keep = (chunk: Buffer): void => {
      this.#log = (this.#log + chunk.toString()).slice(-100_000);
    };
    child.stdout?.on('data', keep);
    child.stderr?.on('data', keep);
  }

  /** Runs a proxy until its admin answers that it is live. */
  static async start(kind: Kind, config: Json): Promise<ProxyProcess> {
    const proxy = ProxyProcess.spawn(kind, config);
    const limit = performance.now() + startLimit;
    while (!(await proxy.#ready())) {
      if (!proxy.alive || performance.now() > limit) {
        const log = proxy.log;
        await proxy.stop();
        throw new Error(`${kind} does not start: ${log.slice(-2000)}`);
      }
      await delay(50);
    }
    return proxy;
  }

  /** Does not wait: for configurations that may be refused. */
  static spawn(kind: Kind, config: Json): ProxyProcess {
    const folder = mkdtempSync(join(tmpdir(), 'meltemi-hostile-'));
    const file = join(folder, 'bootstrap.json');
    writeFileSync(file, JSON.stringify(config));
    const [command, args] = commandOf(kind, file);
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    return new ProxyProcess(kind, child, { folder, adminPort: adminPortOf(config) });
  }

  get alive(): boolean {
    return this.#process.exitCode === null && this.#process.signalCode === null;
  }

  get pid(): number {
    return this.#process.pid ?? 0;
  }

  get log(): string {
    return this.#log;
  }

  /** Counters and gauges by name. */
  async statistics(): Promise<ReadonlyMap<string, number>> {
    const { body } = await this.admin('/stats');
    return new Map(
      [...body.matchAll(/^(.+): (\d+)$/gm)].map(([, name = '', value]) => [name, Number(value)]),
    );
  }

  admin(path: string): Promise<{ readonly status: number; readonly body: string }> {
    return new Promise((done, reject) => {
      get({ host: '127.0.0.1', port: this.#adminPort, path, agent: false }, (response) => {
        let body = '';
        response.on('data', (chunk: Buffer) => {
          body += chunk.toString('latin1');
        });
        response.on('end', () => done({ status: response.statusCode ?? 0, body }));
      }).on('error', reject);
    });
  }

  /** Waits for the process to end by itself. */
  async ended(limitMs: number): Promise<boolean> {
    if (this.alive) await Promise.race([once(this.#process, 'exit'), delay(limitMs)]);
    return !this.alive;
  }

  async stop(): Promise<void> {
    if (this.alive) {
      const exit = once(this.#process, 'exit');
      this.#process.kill('SIGKILL');
      await exit;
    }
    rmSync(this.#folder, { recursive: true, force: true });
  }

  async #ready(): Promise<boolean> {
    const answer = await this.admin('/ready').catch(() => undefined);
    return answer?.status === 200;
  }
}

/** Whether something accepts connections there; what it says of readiness may come a moment earlier. */
export async function accepting(port: number): Promise<void> {
  const limit = performance.now() + startLimit;
  while (performance.now() < limit) {
    const socket = connect(port, '127.0.0.1');
    const connected = await once(socket, 'connect').then(
      () => true,
      () => false,
    );
    socket.destroy();
    if (connected) return;
    await delay(20);
  }
  throw new Error(`nothing accepts connections on port ${port}`);
}

function commandOf(kind: Kind, file: string): [string, string[]] {
  if (kind === 'embedded') return [process.execPath, [program, 'proxy', '-c', file, '-l', 'warning']];
  const binary = envoyBinary();
  if (!binary) throw new Error('no Envoy');
  return [binary, ['-c', file, '-l', 'error', '--concurrency', '1', '--disable-hot-restart']];
}

function adminPortOf(config: Json): number {
  const admin = config['admin'] as
    | { readonly address: { readonly socket_address: { readonly port_value: number } } }
    | undefined;
  return admin?.address.socket_address.port_value ?? 0;
}
