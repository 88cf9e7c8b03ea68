// What a Node process holds once everything is collected that can be: the sum over a heap snapshot, which it
// takes on a signal. Resident memory says less: V8 keeps the pages of a busy hour.
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

interface Snapshot {
  readonly snapshot: { readonly meta: { readonly node_fields: readonly string[] } };
  readonly nodes: readonly number[];
}

const signal = 'SIGUSR2';
const limitMs = 60_000;

export class LiveHeap {
  readonly #folder = mkdtempSync(join(tmpdir(), 'meltemi-heap-'));
  readonly #before = process.env['NODE_OPTIONS'];

  /** Processes that are started from now on can be asked. */
  constructor() {
    process.env['NODE_OPTIONS'] =
      `${this.#before ?? ''} --heapsnapshot-signal=${signal} --diagnostic-dir=${this.#folder}`.trim();
  }

  /** In MB. */
  async of(pid: number): Promise<number> {
    process.kill(pid, signal);
    const file = await this.#written();
    const { snapshot, nodes } = JSON.parse(readFileSync(file, 'utf8')) as Snapshot;
    rmSync(file);
    const fields = snapshot.meta.node_fields;
    let bytes = 0;
    for (let at = fields.indexOf('self_size'); at < nodes.length; at += fields.length)
      bytes += nodes[at] ?? 0;
    return bytes / 2 ** 20;
  }

  close(): void {
    if (this.#before === undefined) delete process.env['NODE_OPTIONS'];
    else process.env['NODE_OPTIONS'] = this.#before;
    rmSync(this.#folder, { recursive: true, force: true });
  }

  /** A snapshot ends with its bracket. */
  async #written(): Promise<string> {
    for (const limit = performance.now() + limitMs; performance.now() < limit; await pause(200)) {
      const [name] = readdirSync(this.#folder);
      const file = join(this.#folder, name ?? '');
      if (name !== undefined && statSync(file).size > 0 && readFileSync(file, 'utf8').trimEnd().endsWith('}'))
        return file;
    }
    throw new Error('no heap snapshot came');
  }
}
