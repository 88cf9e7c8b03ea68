// The proxy under test inside a host process that outlives it (proxy-host.ts).
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { HostedProxySpec, ProxyState, RunningProxy } from './calls.ts';
import { Readiness } from './readiness.ts';

export type HostRequest =
  | {
      readonly kind: 'start';
      readonly bootstrap: object;
      readonly drainMs: number;
      readonly isVerbose: boolean;
    }
  | { readonly kind: 'stop' };
export type HostReply = { readonly kind: 'log'; readonly line: string } | { readonly kind: 'stopped' };

/** Whoever has connections left by then is ended with the whole host. */
const stopMs = 100;
const program = join(import.meta.dirname, 'proxy-host.ts');

interface Host {
  readonly child: ChildProcess;
  readonly ended: Promise<false>;
}

let host: Host | undefined;

export class HostedProxy implements RunningProxy {
  readonly #host: Host;
  readonly #readiness = new Readiness(() => this.#host.child.connected);
  readonly #log: string[] = [];
  readonly #onMessage = (message: HostReply): void => {
    if (message.kind === 'log') this.#log.push(message.line);
  };

  constructor({ bootstrap, drainMs, isVerbose, uid, gid }: HostedProxySpec) {
    host = host?.child.connected ? host : startHost(uid, gid);
    this.#host = host;
    this.#host.child.on('message', this.#onMessage);
    this.#request({ kind: 'start', bootstrap, drainMs, isVerbose });
  }

  async ready(timeoutMs: number): Promise<ProxyState> {
    return { isReady: await this.#readiness.wait(timeoutMs), log: this.#log.join('\n') };
  }

  async stop(): Promise<string> {
    const stopped = this.#stopped();
    this.#request({ kind: 'stop' });
    if (!(await Promise.race([stopped, this.#host.ended, pause(stopMs, false)]))) {
      this.#host.child.kill('SIGKILL');
      await this.#host.ended;
    }
    this.#host.child.off('message', this.#onMessage);
    return this.#log.join('\n');
  }

  #request(request: HostRequest): void {
    if (this.#host.child.connected) this.#host.child.send(request);
  }

  #stopped(): Promise<true> {
    return new Promise((resolve) => {
      const onMessage = (message: HostReply): void => {
        if (message.kind !== 'stopped') return;
        this.#host.child.off('message', onMessage);
        resolve(true);
      };
      this.#host.child.on('message', onMessage);
    });
  }
}

function startHost(uid: number | undefined, gid: number): Host {
  const child = fork(program, {
    gid,
    ...(uid === undefined ? {} : { uid }),
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  return { child, ended: once(child, 'exit').then(() => false) };
}
