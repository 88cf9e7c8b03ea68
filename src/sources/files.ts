// Configuration from files and folders, read again when they change. A resource with an error in it keeps its last good version.
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { extname, join } from 'node:path';
import { deepEqual, type Issue } from '../base/index.ts';
import { type AnyConfig, catalogue, parseFiles, type SourceText, withPosition } from '../config/index.ts';
import type { ConfigUpdate, ResourceId } from './config-update.ts';
import { watchPaths } from './watch-paths.ts';

export interface FileSourceOptions {
  /** Files and folders; folders are read with everything below them. */
  readonly paths: readonly string[];
  /** How long the files must be left alone before they are read again, in milliseconds: editors write in several steps. */
  readonly quietMs?: number;
}

const extensions: ReadonlySet<string> = new Set(['.yaml', '.yml', '.json']);
const defaultQuietMs = 30;

export class FileSource {
  readonly #options: FileSourceOptions;
  readonly #inForce = new Map<string, AnyConfig>();
  #issues: readonly Issue[] = [];
  #texts: readonly SourceText[] = [];
  #unwatch: () => void = () => {};
  #timer: NodeJS.Timeout | undefined;

  constructor(options: FileSourceOptions) {
    this.#options = options;
  }

  /** Reads everything and returns what differs from the last time. Never throws: what cannot be read is an issue. */
  load(): ConfigUpdate {
    const unreadable: Issue[] = [];
    const texts = this.#options.paths.flatMap((path) => readPath(path, unreadable));
    this.#texts = texts;
    const parsed = parseFiles(texts);
    const rejected = new Set(
      parsed.rejected.map((origin) => idText({ kind: origin.kind as AnyConfig['kind'], namespace: origin.namespace, name: origin.name })),
    );
    const damaged = new Set(
      [...parsed.issues, ...unreadable]
        .filter((issue) => issue.severity === 'error' && issue.origin.name === '')
        .map((issue) => issue.origin.file),
    );
    const found = new Map(parsed.resources.map((resource) => [textOf(resource), resource]));
    const changed = parsed.resources.filter((resource) => !same(this.#inForce.get(textOf(resource)), resource));
    const removed: ResourceId[] = [];
    for (const [id, resource] of this.#inForce) {
      // A file that cannot be read as YAML says nothing of the resources that it held: they stay.
      if (found.has(id) || rejected.has(id) || damaged.has(resource.origin.file)) continue;
      removed.push({ kind: resource.kind, namespace: resource.metadata.namespace, name: resource.metadata.name });
      this.#inForce.delete(id);
    }
    for (const resource of changed) this.#inForce.set(textOf(resource), resource);
    this.#issues = [...unreadable, ...parsed.issues];
    return { changed, removed, issues: this.#issues };
  }

  get issues(): readonly Issue[] {
    return this.#issues;
  }

  /** The issue with line and column of its field, when its file is one of the source's. */
  place(issue: Issue): Issue {
    const source = this.#texts.find(({ file }) => file === issue.origin.file);
    return source ? withPosition(issue, source.text) : issue;
  }

  get size(): number {
    return this.#inForce.size;
  }

  /** Calls back after each change of the files, with what it changed. */
  watch(onUpdate: (update: ConfigUpdate) => void): void {
    const again = (): void => {
      clearTimeout(this.#timer);
      this.#timer = setTimeout(() => onUpdate(this.load()), this.#options.quietMs ?? defaultQuietMs);
    };
    this.#unwatch = watchPaths(this.#options.paths, again);
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#unwatch();
  }
}

function same(before: AnyConfig | undefined, after: AnyConfig): boolean {
  return (
    before !== undefined &&
    deepEqual(before.spec, after.spec) &&
    deepEqual(before.metadata, after.metadata) &&
    before.origin.line === after.origin.line
  );
}

function textOf(resource: AnyConfig): string {
  return idText({ kind: resource.kind, namespace: resource.metadata.namespace, name: resource.metadata.name });
}

function idText({ kind, namespace, name }: ResourceId): string {
  return `${kind}/${namespace}/${name}`;
}

function readPath(path: string, issues: Issue[]): readonly SourceText[] {
  try {
    if (statSync(path).isDirectory()) return readFolder(path, issues);
    return [{ file: path, text: readFileSync(path, 'utf8') }];
  } catch (error) {
    issues.push(unreadable(path, error));
    return [];
  }
}

function readFolder(folder: string, issues: Issue[]): readonly SourceText[] {
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => !entry.name.startsWith('.') && entry.name !== 'node_modules')
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => {
      const path = join(folder, entry.name);
      return entry.isDirectory() || extensions.has(extname(entry.name)) ? readPath(path, issues) : [];
    });
}

function unreadable(file: string, error: unknown): Issue {
  const reason = error instanceof Error ? error.message : String(error);
  return {
    code: 'MT0010',
    severity: catalogue.MT0010.severity,
    origin: { kind: '', namespace: '', name: '', file, path: '' },
    message: `cannot be read: ${reason}`,
  };
}
