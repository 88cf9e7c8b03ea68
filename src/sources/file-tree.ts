// What stands at some paths: which files there are, which of them changed, which went. Looks again only where
// it is told to.
import { type BigIntStats, lstatSync, readdirSync, realpathSync, statSync } from 'node:fs';
import { basename, dirname, extname, join } from 'node:path';
import type { ParsedFile } from '../config/index.ts';
import { unreadableFile } from '../config/index.ts';
import { FolderWatch } from './folder-watch.ts';
import { readProblem } from './read-text.ts';

/** What a look found out, by path. */
export interface TreeChanges {
  /** To be read. */
  readonly files: Set<string>;
  /** No longer there. */
  readonly gone: Set<string>;
  /** Roots that went, so that nothing is known of what is below them. */
  readonly lostRoots: Set<string>;
  /** Roots that are there again. */
  readonly foundRoots: Set<string>;
}

export function noChanges(): TreeChanges {
  return { files: new Set(), gone: new Set(), lostRoots: new Set(), foundRoots: new Set() };
}

const extensions: ReadonlySet<string> = new Set(['.yaml', '.yml', '.json']);

export class FileTree {
  readonly #roots: readonly string[];
  readonly #watch: FolderWatch;
  readonly #links: FolderWatch;
  /** Folders by path, with what stands in them and which folder of the file system it is. */
  readonly #folders = new Map<string, { key: string; readonly children: Set<string> }>();
  readonly #folderOfKey = new Map<string, string>();
  readonly #signatures = new Map<string, string>();
  /** Symbolic links by the folder that their target is in. */
  readonly #linksTo = new Map<string, Set<string>>();
  readonly #linksIn = new Map<string, Set<string>>();
  readonly #problems = new Map<string, ParsedFile>();
  readonly #rootStates = new Map<string, 'there' | 'lost'>();

  /** `onTouched` is told which path to look at again; nothing is watched before the first look. */
  constructor(roots: readonly string[], onTouched: (path: string) => void) {
    this.#roots = roots;
    this.#watch = new FolderWatch((folder, name) => {
      for (const path of this.#touchedBy(folder, name)) onTouched(path);
    });
    this.#links = new FolderWatch((folder) => {
      for (const path of this.#linksTo.get(folder) ?? []) onTouched(path);
    });
  }

  /** Of files and folders that cannot be read, by path. */
  get problems(): ReadonlyMap<string, ParsedFile> {
    return this.#problems;
  }

  has(file: string): boolean {
    return this.#signatures.has(file);
  }

  /** Looks at a path and everything below it, a step each. */
  *look(path: string, changes: TreeChanges): Generator<void> {
    yield;
    this.#problems.delete(path);
    if (this.#roots.includes(path)) this.#watchAbove(path);
    const stats = this.#stat(path, changes);
    if (!stats) return;
    if (this.#roots.includes(path)) this.#noticeRoot(path, changes);
    this.#followLink(path);
    if (stats.isDirectory()) yield* this.#lookAtFolder(path, stats, changes);
    else this.#lookAtFile(path, stats, changes);
  }

  /** The process goes on for as long as something is watched. */
  hold(): void {
    this.#watch.hold();
  }

  close(): void {
    this.#watch.close();
    this.#links.close();
  }

  #stat(path: string, changes: TreeChanges): BigIntStats | undefined {
    try {
      return statSync(path, { bigint: true });
    } catch (error) {
      const isThere = isPresent(path);
      if (isThere) this.#problems.set(path, readProblem(path, error));
      else if (this.#roots.includes(path)) this.#lose(path, changes);
      else this.#vanish(path, changes);
      return undefined;
    }
  }

  #lookAtFile(path: string, stats: BigIntStats, changes: TreeChanges): void {
    if (this.#folders.has(path)) this.#vanish(path, changes);
    if (!extensions.has(extname(path)) && !this.#roots.includes(path)) return;
    this.#folders.get(dirname(path))?.children.add(path);
    const signature = [stats.dev, stats.ino, stats.size, stats.mtimeNs, stats.ctimeNs].join();
    const before = this.#signatures.get(path);
    this.#signatures.set(path, signature);
    changes.gone.delete(path);
    if (before !== signature) changes.files.add(path);
  }

  *#lookAtFolder(path: string, stats: BigIntStats, changes: TreeChanges): Generator<void> {
    const key = `${stats.dev}:${stats.ino}`;
    const twin = this.#folderOfKey.get(key);
    if (twin !== undefined && twin !== path && keyOf(twin) === key) {
      this.#problems.set(
        path,
        unreadableFile(
          path,
          'MT0010',
          `is the same folder as ${twin}, which is read already: a symbolic link leads there`,
        ),
      );
      return;
    }
    if (this.#signatures.has(path)) this.#vanish(path, changes);
    const folder = this.#folders.get(path) ?? { key, children: new Set<string>() };
    this.#folderOfKey.delete(folder.key);
    folder.key = key;
    this.#folders.set(path, folder);
    this.#folderOfKey.set(key, path);
    this.#folders.get(dirname(path))?.children.add(path);
    // Watched before it is read, so that nothing comes in between.
    this.#watch.add(path, key);
    const names = this.#namesIn(path);
    if (!names) return;
    const present = new Set(names.map((name) => join(path, name)));
    for (const child of present) yield* this.look(child, changes);
    for (const child of folder.children) if (!present.has(child)) this.#vanish(child, changes);
  }

  /**
   * In the order in which they count; undefined when the folder cannot be read, so that nothing is known of
   * them.
   */
  #namesIn(folder: string): readonly string[] | undefined {
    try {
      const entries = readdirSync(folder, { withFileTypes: true }).filter(({ name }) => !isPassedOver(name));
      const isCandidate = (entry: (typeof entries)[number]): boolean =>
        entry.isDirectory() || entry.isSymbolicLink() || extensions.has(extname(entry.name));
      return entries
        .filter(isCandidate)
        .map(({ name }) => name)
        .sort();
    } catch (error) {
      this.#problems.set(folder, readProblem(folder, error));
      return undefined;
    }
  }

  #vanish(path: string, changes: TreeChanges): void {
    for (const file of this.#forget(path)) {
      changes.gone.add(file);
      changes.files.delete(file);
    }
  }

  #lose(root: string, changes: TreeChanges): void {
    const wasThere = this.#rootStates.has(root);
    this.#forget(root);
    this.#rootStates.set(root, 'lost');
    this.#problems.set(root, missingRoot(root, wasThere));
    changes.lostRoots.add(root);
  }

  #noticeRoot(root: string, changes: TreeChanges): void {
    if (this.#rootStates.get(root) === 'lost') changes.foundRoots.add(root);
    this.#rootStates.set(root, 'there');
  }

  /** Everything known at and below a path; returns its files. */
  #forget(path: string): readonly string[] {
    this.#problems.delete(path);
    this.#folders.get(dirname(path))?.children.delete(path);
    const folder = this.#folders.get(path);
    if (!folder) return this.#signatures.delete(path) ? [path] : [];
    this.#folders.delete(path);
    if (this.#folderOfKey.get(folder.key) === path) this.#folderOfKey.delete(folder.key);
    this.#watch.remove(path);
    return [...folder.children].flatMap((child) => this.#forget(child));
  }

  /** A root that goes is noticed by the nearest folder above it that is there, and so is its return. */
  #watchAbove(root: string): void {
    for (let folder = dirname(root); ; folder = dirname(folder)) {
      const key = keyOf(folder);
      if (key !== undefined && !this.#folders.has(folder)) this.#watch.add(folder, key);
      if (key !== undefined || folder === dirname(folder)) return;
    }
  }

  #followLink(path: string): void {
    const target = targetOf(path);
    if (target === undefined) return;
    addTo(this.#linksIn, dirname(path), path);
    addTo(this.#linksTo, dirname(target), path);
    const key = keyOf(dirname(target));
    if (key !== undefined) this.#links.add(dirname(target), key);
  }

  #touchedBy(folder: string, name: string | undefined): readonly string[] {
    const roots = this.#roots.filter((root) => isBelow(root, folder) || dirname(root) === folder);
    const above = this.#folders.has(folder) ? [] : roots;
    const links = [...(this.#linksIn.get(folder) ?? [])];
    if (name === undefined) return [...above, ...links, ...(this.#folders.has(folder) ? [folder] : [])];
    // The data behind a mounted ConfigMap is exchanged by a hidden link:
    // https://kubernetes.io/docs/concepts/configuration/configmap/
    if (isPassedOver(name)) return [...above, ...links];
    const self = name === basename(folder) ? [folder] : [];
    return this.#folders.has(folder) ? [join(folder, name), ...self] : above;
  }
}

function isPassedOver(name: string): boolean {
  return name.startsWith('.') || name === 'node_modules';
}

function isPresent(path: string): boolean {
  try {
    lstatSync(path);
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return code !== 'ENOENT' && code !== 'ENOTDIR';
  }
}

function keyOf(folder: string): string | undefined {
  try {
    const { dev, ino } = statSync(folder, { bigint: true });
    return `${dev}:${ino}`;
  } catch {
    return undefined;
  }
}

function targetOf(path: string): string | undefined {
  try {
    return lstatSync(path).isSymbolicLink() ? realpathSync(path) : undefined;
  } catch {
    return undefined;
  }
}

/** Whether a path is the root or below it. */
export function isBelow(path: string, root: string): boolean {
  return path === root || path.startsWith(root.endsWith('/') ? root : `${root}/`);
}

function missingRoot(path: string, wasThere: boolean): ParsedFile {
  const what = wasThere
    ? 'is gone: what it held stays in force until it is back'
    : 'cannot be read: there is no such file or folder';
  return unreadableFile(path, 'MT0010', what);
}

function addTo(map: Map<string, Set<string>>, key: string, value: string): void {
  const values = map.get(key);
  if (values) values.add(value);
  else map.set(key, new Set([value]));
}
