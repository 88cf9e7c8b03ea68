// The configuration as files of a folder of its own, and edits of them as a person makes them.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { documents, type EditKind, editedDocument, streamOf } from './configuration.ts';
import { monotonicMs } from './messages.ts';

/** Each document in a file of its own, or all in one. */
export type Layout = 'own' | 'one';

export class ConfigurationFolder {
  readonly path = mkdtempSync(join(tmpdir(), 'meltemi-bench-'));
  readonly #layout: Layout;
  readonly #documents: Map<string, string>;

  constructor(layout: Layout, services: number) {
    this.#layout = layout;
    this.#documents = documents(services);
    if (layout === 'one') this.#write('all', this.#stream());
    else for (const [name, text] of this.#documents) this.#write(name, text);
  }

  /** When the write began. */
  edit(kind: EditKind, n: number): number {
    const { name, text } = editedDocument(kind, n);
    this.#documents.set(name, text);
    const isOwn = this.#layout === 'own';
    const whole = isOwn ? text : this.#stream();
    const start = monotonicMs();
    this.#write(isOwn ? name : 'all', whole);
    return start;
  }

  remove(): void {
    rmSync(this.path, { recursive: true, force: true });
  }

  #stream(): string {
    return streamOf(this.#documents.values());
  }

  #write(name: string, text: string): void {
    writeFileSync(join(this.path, `${name}.yaml`), text);
  }
}
