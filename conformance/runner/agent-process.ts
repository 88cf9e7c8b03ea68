// The runner's end of an agent: starts it in a namespace and calls it over Node's own channel.
import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import type { AgentCalls, CallMessage, ReplyMessage } from './agent/calls.ts';

interface Waiting {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
}

const program = join(import.meta.dirname, 'agent/agent.ts');

export class AgentProcess {
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, Waiting>();
  #count = 0;
  #ended: Error | undefined;

  constructor(namespace: string) {
    this.#child = spawn('ip', ['netns', 'exec', namespace, process.execPath, program], {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      serialization: 'advanced',
    });
    this.#child.on('message', (message) => this.#settle(message as ReplyMessage));
    this.#child.on('error', (error) => this.#end(error));
    this.#child.on('exit', (code, signal) =>
      this.#end(new Error(`an agent of the runner ended with ${code ?? signal}`)),
    );
  }

  call<Name extends keyof AgentCalls>(
    name: Name,
    ...args: Parameters<AgentCalls[Name]>
  ): ReturnType<AgentCalls[Name]> {
    const answer = new Promise<unknown>((resolve, reject) => {
      if (this.#ended) return reject(this.#ended);
      const id = ++this.#count;
      this.#waiting.set(id, { resolve, reject });
      const message: CallMessage = { id, name, args };
      this.#child.send(message);
    });
    return answer as ReturnType<AgentCalls[Name]>;
  }

  stop(): void {
    this.#child.kill('SIGKILL');
  }

  #settle(reply: ReplyMessage): void {
    const waiting = this.#waiting.get(reply.id);
    this.#waiting.delete(reply.id);
    if ('error' in reply) waiting?.reject(new Error(reply.error));
    else waiting?.resolve(reply.value);
  }

  #end(error: Error): void {
    this.#ended ??= error;
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
  }
}
