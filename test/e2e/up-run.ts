// For tests: a run of the real `meltemi up`, with its events and a client for its gateway.
import { type ChildProcess, spawn } from 'node:child_process';
import {
  cpSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { type IncomingHttpHeaders, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const root = join(import.meta.dirname, '..', '..');

export interface UpEvent {
  readonly event: string;
  readonly [field: string]: unknown;
}

export interface Reply {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  readonly ms: number;
}

export interface Pod {
  readonly name: string;
  readonly pid: number;
}

const patienceMs = 20_000;

export class UpRun {
  readonly events: UpEvent[] = [];
  readonly #child: ChildProcess;
  readonly #waiting = new Set<() => void>();
  #stderr = '';

  #stdout = '';

  constructor(
    folder: string,
    flags: readonly string[] = ['--gateway-port', '0', '--xds-port', '0'],
    output: 'json' | 'text' = 'json',
  ) {
    this.#child = spawn(
      process.execPath,
      [join(root, 'src/cli/main.ts'), 'up', folder, '--output', output, ...flags],
      { cwd: root },
    );
    if (this.#child.stdout)
      createInterface(this.#child.stdout).on('line', (line) => {
        this.#stdout += `${line}\n`;
        if (output === 'json') this.events.push(JSON.parse(line) as UpEvent);
        for (const look of this.#waiting) look();
      });
    this.#child.stderr?.on('data', (chunk) => {
      this.#stderr += String(chunk);
    });
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** Inodes of its sockets (Linux). */
  sockets(): readonly string[] {
    const folder = `/proc/${this.pid}/fd`;
    return readdirSync(folder).flatMap((fd) => {
      try {
        return /^socket:\[(\d+)\]$/.exec(readlinkSync(join(folder, fd)))?.[1] ?? [];
      } catch {
        return [];
      }
    });
  }

  get stderr(): string {
    return this.#stderr;
  }

  /** The first event of its kind from `after` on that the test accepts. */
  event(kind: string, accepts: (event: UpEvent) => boolean = () => true, after = 0): Promise<UpEvent> {
    return this.#until(`event "${kind}"`, () =>
      this.events.slice(after).find((event) => event.event === kind && accepts(event)),
    );
  }

  /** Everything printed, once a part of it fits. */
  text(pattern: RegExp): Promise<string> {
    return this.#until(String(pattern), () => (pattern.test(this.#stdout) ? this.#stdout : undefined));
  }

  #until<T>(what: string, find: () => T | undefined): Promise<T> {
    return new Promise((resolve, reject) => {
      const look = (): void => {
        const found = find();
        if (found === undefined) return;
        end();
        resolve(found);
      };
      const timer = setTimeout(() => {
        end();
        reject(new Error(`no ${what}; seen ${this.#stdout} ${this.#stderr}`));
      }, patienceMs);
      const end = (): void => {
        clearTimeout(timer);
        this.#waiting.delete(look);
      };
      this.#waiting.add(look);
      look();
    });
  }

  /** Where the gateway listens. */
  async url(): Promise<string> {
    const [url = ''] = (await this.event('ready'))['urls'] as string[];
    return new URL(url).origin;
  }

  async pods(): Promise<readonly Pod[]> {
    return (await this.event('ready'))['pods'] as Pod[];
  }

  async get(path: string, headers: Readonly<Record<string, string>> = {}): Promise<Reply> {
    return send('GET', (await this.url()) + path, headers);
  }

  async post(path: string, body: string): Promise<Reply> {
    return send(
      'POST',
      (await this.url()) + path,
      { 'content-type': 'application/x-www-form-urlencoded' },
      body,
    );
  }

  /** Resolves with the exit code. */
  end(signal?: NodeJS.Signals): Promise<number | null> {
    const { exitCode } = this.#child;
    if (exitCode !== null) return Promise.resolve(exitCode);
    return new Promise((resolve) => {
      this.#child.once('close', (code) => resolve(code));
      if (signal) this.#child.kill(signal);
    });
  }
}

/** A copy of the example that a test may edit. */
export class ExampleCopy {
  readonly folder = mkdtempSync(join(tmpdir(), 'meltemi-bookinfo-'));

  constructor() {
    cpSync(join(root, 'examples', 'bookinfo'), this.folder, { recursive: true });
  }

  add(file: string, text: string): void {
    writeFileSync(join(this.folder, file), text);
  }

  edit(file: string, change: (text: string) => string): void {
    const path = join(this.folder, file);
    const before = readFileSync(path, 'utf8');
    const after = change(before);
    if (after === before) throw new Error(`the edit of ${file} changes nothing`);
    // As most editors do it: a new file takes the place of the old one.
    writeFileSync(`${path}.new`, after);
    renameSync(`${path}.new`, path);
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

function send(
  method: string,
  url: string,
  headers: Readonly<Record<string, string>>,
  body = '',
): Promise<Reply> {
  const began = performance.now();
  const { hostname, port, pathname, search } = new URL(url);
  return new Promise((resolve, reject) => {
    const sent = request({ method, host: hostname, port, path: pathname + search, headers }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
      });
      response.once('end', () =>
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          text,
          ms: performance.now() - began,
        }),
      );
    });
    sent.once('error', reject);
    sent.end(body);
  });
}
