// The proxy under test as a process of its own, started as a user would.
import { type ChildProcess, spawn } from 'node:child_process';
import type { ProxyCommand, ProxyState, RunningProxy } from './calls.ts';
import { Readiness } from './readiness.ts';

const logLimit = 20_000;

export class ProxyProcess implements RunningProxy {
  readonly #readiness = new Readiness(() => !this.#hasExited);
  readonly #child: ChildProcess;
  readonly #exited: Promise<unknown>;
  #hasExited = false;
  #log = '';

  constructor({ command, args, uid, gid }: ProxyCommand) {
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
    return { isReady: await this.#readiness.wait(timeoutMs), log: this.#log };
  }

  /** Kills the process and returns what it logged. */
  async stop(): Promise<string> {
    this.#child.kill('SIGKILL');
    await this.#exited;
    return this.#log;
  }
}
