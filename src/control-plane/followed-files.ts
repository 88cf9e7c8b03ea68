// Files that secrets are made of, read again when they change.
import { readFileSync, unwatchFile, watchFile } from 'node:fs';
import type { Input, MemoEngine } from '../base/index.ts';

const pollMs = 2000;

export class FollowedFiles {
  readonly #engine: MemoEngine;
  readonly #onChange: () => void;
  readonly #contents = new Map<string, Input<string | undefined>>();

  constructor(engine: MemoEngine, onChange: () => void) {
    this.#engine = engine;
    this.#onChange = onChange;
  }

  /** The text of a file; undefined while it cannot be read. */
  text(path: string): string | undefined {
    let content = this.#contents.get(path);
    if (!content) {
      const followed = this.#engine.input(read(path));
      watchFile(path, { interval: pollMs, persistent: false }, () => {
        if (followed.set(read(path))) this.#onChange();
      });
      this.#contents.set(path, followed);
      content = followed;
    }
    return content.get();
  }

  close(): void {
    for (const path of this.#contents.keys()) unwatchFile(path);
    this.#contents.clear();
  }
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
