// One of the benchmark's processes, seen from the one that directs them.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

const patienceMs = 120_000;

/** Whether each process can have a core of its own. */
export const canPin = !spawnSync('taskset', ['-c', '0,1', 'true']).error;

/** A process that is asked one thing at a time. */
export class Program<Ask, Tell extends { readonly kind: string }> {
  readonly #child: ChildProcess;
  readonly #waiting = new Map<string, { resolve: (message: Tell) => void; reject: (error: Error) => void }>();
  readonly #name: string;
  readonly #profile: boolean;

  constructor(file: string, { core, profile }: { readonly core: string; readonly profile: boolean }) {
    this.#name = file;
    this.#profile = profile;
    const command = [process.execPath, ...(profile ? ['--cpu-prof'] : []), join(import.meta.dirname, file)];
    const [program = '', ...args] = canPin ? ['taskset', '-c', core, ...command] : command;
    this.#child = spawn(program, args, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    this.#child.on('message', (message) => {
      const tell = message as Tell;
      this.#waiting.get(tell.kind)?.resolve(tell);
      this.#waiting.delete(tell.kind);
    });
    this.#child.on('exit', (code) => {
      for (const { reject } of this.#waiting.values()) reject(new Error(`${this.#name} ended with ${code}`));
    });
  }

  ask<K extends Tell['kind']>(message: Ask, answer: K): Promise<Extract<Tell, { kind: K }>> {
    const next = this.next(answer);
    this.#child.send(message as object);
    return next;
  }

  next<K extends Tell['kind']>(kind: K): Promise<Extract<Tell, { kind: K }>> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`${this.#name} does not say "${kind}"`)), patienceMs);
      this.#waiting.set(kind, {
        resolve: (message) => {
          clearTimeout(timer);
          resolve(message as Extract<Tell, { kind: K }>);
        },
        reject,
      });
    });
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null) return;
    // A profile is written by a process that ends by itself.
    this.#child.disconnect();
    if (!this.#profile) this.#child.kill('SIGKILL');
    await once(this.#child, 'exit');
  }
}
