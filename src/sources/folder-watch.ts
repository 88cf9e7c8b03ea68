// Watches folders one by one: on Linux, Node's recursive watch follows the files themselves and loses one
// that an editor replaces by a rename.
import { type FSWatcher, watch } from 'node:fs';

/** `name` of what changed in `folder`; undefined when that is not known, so that anything may have. */
export type OnFolderEvent = (folder: string, name: string | undefined) => void;

export class FolderWatch {
  readonly #watchers = new Map<string, { readonly watcher: FSWatcher; readonly key: string }>();
  readonly #onEvent: OnFolderEvent;
  #isHeld = false;

  constructor(onEvent: OnFolderEvent) {
    this.#onEvent = onEvent;
  }

  /** From now on the process goes on for as long as something is watched. */
  hold(): void {
    this.#isHeld = true;
    for (const { watcher } of this.#watchers.values()) watcher.ref();
  }

  /** `key` says which folder it is that stands at this path; another one is watched anew. */
  add(folder: string, key: string): void {
    const before = this.#watchers.get(folder);
    if (before?.key === key) return;
    before?.watcher.close();
    this.#watchers.delete(folder);
    try {
      const watcher = watch(folder, (_, name) => this.#onEvent(folder, name ?? undefined));
      if (!this.#isHeld) watcher.unref();
      watcher.on('error', () => {
        this.#drop(folder, watcher);
        this.#onEvent(folder, undefined);
      });
      this.#watchers.set(folder, { watcher, key });
    } catch {
      // It went away in between, which its parent reports.
    }
  }

  remove(folder: string): void {
    this.#watchers.get(folder)?.watcher.close();
    this.#watchers.delete(folder);
  }

  close(): void {
    for (const { watcher } of this.#watchers.values()) watcher.close();
    this.#watchers.clear();
  }

  #drop(folder: string, watcher: FSWatcher): void {
    watcher.close();
    if (this.#watchers.get(folder)?.watcher === watcher) this.#watchers.delete(folder);
  }
}
