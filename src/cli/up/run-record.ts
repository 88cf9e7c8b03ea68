// Which processes a run of `up` has started, on disk, so that the next run for the same folder finds what a
// run left behind that was ended by force.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { lstatSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Guard } from './guard.ts';

interface Started {
  readonly pid: number;
  /** Tells the process from a later one with the same number. */
  readonly since: string;
}

interface Run {
  readonly up: Started;
  /** Leaders of process groups. */
  readonly groups: readonly Started[];
}

export class RunRecord implements Guard {
  readonly #folder: string;
  readonly #state: string | undefined;
  readonly #groups = new Map<number, Started>();

  /** `folder`: what the run is for; `parent`: where records are kept. */
  constructor(folder: string, parent = tmpdir()) {
    this.#folder = createHash('sha256').update(resolve(folder)).digest('hex').slice(0, 16);
    this.#state = ownFolder(join(parent, `meltemi-up-${process.getuid?.() ?? 'user'}`));
  }

  /** Ends what runs that are no more have left; returns the process numbers. */
  endLeftovers(): readonly number[] {
    if (this.#state === undefined) return [];
    return readdirSync(this.#state)
      .filter((name) => name.startsWith(`${this.#folder}-`) && name.endsWith('.json'))
      .flatMap((name) => endRun(join(this.#state ?? '', name)));
  }

  add(pid: number): void {
    this.#groups.set(pid, { pid, since: startOf(pid) });
    this.#write();
  }

  remove(pid: number | undefined): void {
    if (pid !== undefined && this.#groups.delete(pid)) this.#write();
  }

  #write(): void {
    if (this.#state === undefined) return;
    const file = join(this.#state, `${this.#folder}-${process.pid}.json`);
    const run: Run = {
      up: { pid: process.pid, since: startOf(process.pid) },
      groups: [...this.#groups.values()],
    };
    if (run.groups.length === 0) rmSync(file, { force: true });
    else {
      writeFileSync(`${file}.new`, JSON.stringify(run), { mode: 0o600 });
      renameSync(`${file}.new`, file);
    }
  }
}

/** Undefined when somebody else has taken the name: what he writes is not to be acted on. */
function ownFolder(path: string): string | undefined {
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 });
    const stats = lstatSync(path);
    const isOurs =
      process.getuid === undefined || (stats.uid === process.getuid() && (stats.mode & 0o022) === 0);
    return stats.isDirectory() && isOurs ? path : undefined;
  } catch {
    return undefined;
  }
}

function endRun(file: string): readonly number[] {
  const run = readRun(file);
  if (!run || isRunning(run.up)) return [];
  const left = run.groups.filter(isRunning).map(({ pid }) => pid);
  for (const pid of left) endGroup(pid);
  rmSync(file, { force: true });
  return left;
}

function readRun(file: string): Run | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Run;
  } catch {
    return undefined;
  }
}

function isRunning({ pid, since }: Started): boolean {
  return since !== '' && startOf(pid) === since;
}

/** Empty for a process that is not there. */
function startOf(pid: number): string {
  try {
    if (process.platform !== 'linux')
      return execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], { stdio: 'pipe' })
        .toString()
        .trim();
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The 22nd field; the second is a name in brackets that may hold blanks.
    // https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html
    return stat.slice(stat.lastIndexOf(')')).split(' ')[20] ?? '';
  } catch {
    return '';
  }
}

function endGroup(pid: number): void {
  try {
    process.kill(process.platform === 'win32' ? pid : -pid, 'SIGKILL');
  } catch {
    // It ended by itself.
  }
}
