// One application process: started, watched, started again when it ends, and stopped with everything that it
// started.
import { type ChildProcess, spawn } from 'node:child_process';
import { connect } from 'node:net';
import { dirname } from 'node:path';
import type { Guard } from './guard.ts';
import { onLines } from './lines.ts';

export interface ApplicationOptions {
  readonly command: readonly string[];
  readonly workingDir: string;
  readonly env: Readonly<Record<string, string>>;
  /** Where it listens once it can serve. */
  readonly ports: readonly number[];
  readonly onReady: () => void;
  /** It ended, or could not be started, and will be started again in `delayMs`. */
  readonly onEnd: (end: ApplicationEnd) => void;
  readonly onLine: (line: string) => void;
  /** Ends it when we cannot any more. */
  readonly guard: Guard;
}

export interface ApplicationEnd {
  readonly reason: string;
  readonly lastLines: readonly string[];
  readonly delayMs: number;
}

const firstDelayMs = 500;
const mostDelayMs = 30_000;
/** What ran this long had started well: its next end is a new story. */
const stableMs = 10_000;
const killAfterMs = 2000;
const keptLines = 8;
const firstPollMs = 10;
const mostPollMs = 250;

export class Application {
  readonly #options: ApplicationOptions;
  #child: ChildProcess | undefined;
  #lines: string[] = [];
  #delayMs = firstDelayMs;
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;

  constructor(options: ApplicationOptions) {
    this.#options = options;
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  start(): void {
    const [program = '', ...args] = this.#options.command;
    const startedAt = performance.now();
    this.#lines = [];
    // A group of its own: Ctrl-C in the terminal goes to us alone, and what the application starts ends with
    // it.
    const child = spawn(program, args, {
      cwd: this.#options.workingDir,
      env: { ...process.env, ...this.#options.env, PATH: pathWithOurNode() },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: process.platform !== 'win32',
    });
    this.#child = child;
    let failure = '';
    child.once('error', (error: NodeJS.ErrnoException) => {
      failure =
        error.code === 'ENOENT'
          ? `cannot be started: "${program}" was not found`
          : `cannot be started: ${error.message}`;
      if (child.pid === undefined) this.#ended(child, failure, 0);
    });
    child.once('exit', () => this.#options.guard.remove(child.pid));
    child.once('close', (code, signal) => {
      const how = signal ? `was ended by ${signal}` : `ended with code ${code}`;
      this.#ended(child, failure || how, performance.now() - startedAt);
    });
    for (const stream of [child.stdout, child.stderr])
      if (stream) onLines(stream, (line) => this.#line(line));
    if (child.pid === undefined) return;
    this.#options.guard.add(child.pid);
    this.#awaitPorts(child, firstPollMs);
  }

  /** Resolves when the process is gone. */
  stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    const child = this.#child;
    if (!child || child.pid === undefined || child.exitCode !== null || child.signalCode !== null)
      return Promise.resolve();
    return new Promise((resolve) => {
      const kill = setTimeout(() => signalGroup(child, 'SIGKILL'), killAfterMs);
      child.once('exit', () => {
        clearTimeout(kill);
        // Whatever of its group outlived it.
        signalGroup(child, 'SIGKILL');
        resolve();
      });
      signalGroup(child, 'SIGTERM');
    });
  }

  /** Without waiting, for when there is no time left. */
  kill(): void {
    this.#stopped = true;
    if (this.#child && this.#child.exitCode === null) signalGroup(this.#child, 'SIGKILL');
  }

  #line(line: string): void {
    this.#lines.push(line);
    if (this.#lines.length > keptLines) this.#lines.shift();
    this.#options.onLine(line);
  }

  #ended(child: ChildProcess, reason: string, ranMs: number): void {
    if (this.#stopped || this.#child !== child) return;
    this.#child = undefined;
    if (ranMs > stableMs) this.#delayMs = firstDelayMs;
    const delayMs = this.#delayMs;
    this.#delayMs = Math.min(mostDelayMs, delayMs * 2);
    this.#timer = setTimeout(() => this.start(), delayMs);
    this.#options.onEnd({ reason, lastLines: this.#lines, delayMs });
  }

  /** Nothing tells when a foreign process begins to listen, so it is asked, less and less often. */
  #awaitPorts(child: ChildProcess, delayMs: number): void {
    void Promise.all(this.#options.ports.map(accepts)).then((open) => {
      if (this.#stopped || this.#child !== child || child.exitCode !== null) return;
      if (open.every(Boolean)) this.#options.onReady();
      else
        this.#timer = setTimeout(() => this.#awaitPorts(child, Math.min(mostPollMs, delayMs * 1.3)), delayMs);
    });
  }
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' });
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

function signalGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return;
  try {
    if (process.platform === 'win32') child.kill(signal);
    else process.kill(-child.pid, signal);
  } catch {
    // Nobody of the group is left.
  }
}

/** A `node` in a command is the one that runs us: the machine's own may be too old for TypeScript. */
function pathWithOurNode(): string {
  const separator = process.platform === 'win32' ? ';' : ':';
  return `${dirname(process.execPath)}${separator}${process.env['PATH'] ?? ''}`;
}
