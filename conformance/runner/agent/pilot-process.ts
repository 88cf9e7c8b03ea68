// The pilot as a user starts it: the command line in a process of its own.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Refusal } from './calls.ts';

interface Ready {
  readonly ready?: boolean;
  readonly fatal?: string;
  readonly resources?: number;
}

interface Finding {
  readonly issue: {
    readonly code: string;
    readonly severity: string;
    readonly message: string;
    readonly origin: { readonly name: string };
  };
}

const startTimeoutMs = 30_000;

export class PilotProcess {
  readonly #child: ChildProcess;
  readonly #exited: Promise<unknown>;
  readonly #findings: Finding['issue'][] = [];
  #stderr = '';

  constructor(args: readonly string[]) {
    this.#child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    this.#exited = once(this.#child, 'exit');
    if (this.#child.stderr)
      createInterface({ input: this.#child.stderr }).on('line', (line) => {
        this.#stderr += `${line}\n`;
        if (line.startsWith('{"issue"')) this.#findings.push((JSON.parse(line) as Finding).issue);
      });
  }

  /** Waits for the line that says that the pilot serves, and gives the errors that it reported before. */
  async ready(documents: number): Promise<readonly Refusal[]> {
    const state = await Promise.race([
      this.#firstLine(),
      this.#exited.then((): Ready => ({ fatal: `it ended: ${this.#stderr}` })),
    ]);
    if (!state.ready) throw new Error(`meltemi pilot did not start: ${state.fatal}`);
    const errors = this.#findings.filter(({ severity }) => severity === 'error');
    // The command line does not name what is in force, only how many there are.
    const isInForce = (state.resources ?? 0) >= documents;
    return errors.map(({ code, message }) => ({ text: `${code} ${message}`, isInForce }));
  }

  async stop(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#exited;
  }

  async #firstLine(): Promise<Ready> {
    if (!this.#child.stdout) return { fatal: 'it has no output' };
    const lines = createInterface({ input: this.#child.stdout });
    const [line] = (await once(lines, 'line', { signal: AbortSignal.timeout(startTimeoutMs) })) as [string];
    return JSON.parse(line) as Ready;
  }
}
