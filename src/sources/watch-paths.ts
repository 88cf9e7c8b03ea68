// Tells when anything changes at some paths. Folders are watched one by one: on Linux, Node's recursive watch follows the files themselves and
// loses one that an editor replaces by a rename.
import { type FSWatcher, readdirSync, statSync, watch } from 'node:fs';
import { dirname, join } from 'node:path';

/** Returns the way to stop. */
export function watchPaths(paths: readonly string[], onEvent: () => void): () => void {
  const watchers = new Map<string, FSWatcher>();
  const follow = (): void => {
    const wanted = new Set(paths.flatMap(foldersAt));
    for (const [folder, watcher] of watchers) {
      if (wanted.has(folder)) continue;
      watcher.close();
      watchers.delete(folder);
    }
    for (const folder of wanted) if (!watchers.has(folder)) add(folder);
  };
  const changed = (): void => {
    follow();
    onEvent();
  };
  const add = (folder: string): void => {
    try {
      const watcher = watch(folder, changed);
      watcher.on('error', () => {
        watcher.close();
        if (watchers.get(folder) === watcher) watchers.delete(folder);
        changed();
      });
      watchers.set(folder, watcher);
    } catch {
      // It went away in between, which its parent reports.
    }
  };
  follow();
  return () => {
    for (const watcher of watchers.values()) watcher.close();
    watchers.clear();
  };
}

/** The folder itself and those below it; of a file, the folder that it is in, for a replaced file is another file. */
function foldersAt(path: string): readonly string[] {
  try {
    return statSync(path).isDirectory() ? [path, ...foldersBelow(path)] : [dirname(path)];
  } catch {
    return [];
  }
}

function foldersBelow(folder: string): readonly string[] {
  try {
    return readdirSync(folder, { withFileTypes: true })
      .filter((entry) => entry.isDirectory() && !entry.name.startsWith('.') && entry.name !== 'node_modules')
      .flatMap((entry) => [join(folder, entry.name), ...foldersBelow(join(folder, entry.name))]);
  } catch {
    return [];
  }
}
