// Configuration from files and folders, followed as they change: only what changed is read. What disappears is
// given up only when it stays away: editors, git and `kubectl cp` all take files away for a moment.
import { hasErrors, type Issue } from '../base/index.ts';
import { type ParsedFile, parseFile, parseSteps, type SourceText, withPosition } from '../config/index.ts';
import type { ConfigUpdate, ResourceId } from './config-update.ts';
import { FileTree, isBelow, noChanges, type TreeChanges } from './file-tree.ts';
import { readText } from './read-text.ts';
import { ResourceClaims } from './resource-claims.ts';
import { runInSlices, runToEnd } from './slices.ts';

export interface FileSourceOptions {
  /** Files and folders; folders are read with everything below them. */
  readonly paths: readonly string[];
  /** Texts that come from elsewhere, such as standard input. */
  readonly texts?: readonly SourceText[];
  /**
   * How long files are left alone between two looks, in milliseconds: editors write in several steps. The
   * first change after a calm moment does not wait.
   */
  readonly quietMs?: number;
  /** How long a resource must be missing before it counts as removed, in milliseconds. */
  readonly graceMs?: number;
}

const defaultQuietMs = 30;
const defaultGraceMs = 800;
/** While a file stands emptied, which is how most writes begin: what is written comes a moment later. */
const hurryMs = 2;
/** More files than an editor writes at once; those of a checkout or a copy are better taken together. */
const manyFiles = 8;
/** So long at most does a look wait for files that never come to rest, in quiet times. */
const mostQuietTimes = 10;
/** The kernel forgets events when so many wait, without a word of that to Node. */
const eventsToDistrust = 4000;

export class FileSource {
  readonly #roots: readonly string[];
  readonly #texts: readonly SourceText[];
  readonly #quietMs: number;
  readonly #graceMs: number;
  readonly #tree: FileTree;
  readonly #claims = new ResourceClaims();
  /** Files with errors that were seen once: half of a file that is being written looks the same. */
  readonly #doubted = new Map<string, string>();
  /** Files that hold less than before, and until when that is forgiven. */
  readonly #leftovers = new Map<string, number>();
  #pending = new Set<string>();
  #issues: readonly Issue[] = [];
  #onUpdate: ((update: ConfigUpdate) => void) | undefined;
  /** Files that held something and now hold nothing. */
  readonly #emptied = new Set<string>();
  #isLooking = false;
  #looksAtOnce = false;
  #sawNews = false;
  #lookedAt = Number.NEGATIVE_INFINITY;
  #pendingSince = 0;
  #lookTimer: NodeJS.Timeout | undefined;
  #graceTimer: NodeJS.Timeout | undefined;

  constructor({ paths, texts = [], quietMs = defaultQuietMs, graceMs = defaultGraceMs }: FileSourceOptions) {
    this.#roots = paths;
    this.#texts = texts;
    this.#quietMs = quietMs;
    this.#graceMs = graceMs;
    this.#tree = new FileTree(paths, (path) => this.#touch(path));
  }

  /**
   * Looks at everything and believes it at once; returns what differs from the last time. Never throws: what
   * cannot be read is an issue.
   */
  load(): ConfigUpdate {
    for (const source of this.#texts) this.#put(parseFile(source));
    runToEnd(this.#look(this.#roots, true));
    for (const path of this.#leftovers.keys()) this.#claims.giveUp(path);
    this.#leftovers.clear();
    this.#emptied.clear();
    return this.#takeUpdate();
  }

  get issues(): readonly Issue[] {
    return this.#issues;
  }

  /**
   * The issue with file, line and column of its field as they are now, when its resource is one of the
   * source's.
   */
  place(issue: Issue): Issue {
    const { kind, namespace, name } = issue.origin;
    const { file, line } = this.#claims.originOf(`${kind}/${namespace}/${name}`) ?? issue.origin;
    const parsed = file === undefined ? undefined : this.#claims.fileOf(file);
    if (!parsed || line === undefined) return issue;
    return withPosition({ ...issue, origin: { ...issue.origin, file: parsed.file, line } }, parsed);
  }

  /** Resources that the files hold, right or wrong. */
  get found(): number {
    return this.#claims.found;
  }

  /** What the file holds, or held before it was damaged. */
  idsOf(file: string): readonly ResourceId[] {
    return this.#claims.idsOf(file);
  }

  /** Calls back after each change of the files, with what it changed. */
  watch(onUpdate: (update: ConfigUpdate) => void): void {
    this.#onUpdate = onUpdate;
    this.#tree.hold();
    if (this.#pending.size > 0) this.#schedule();
  }

  close(): void {
    this.#onUpdate = undefined;
    clearTimeout(this.#lookTimer);
    clearTimeout(this.#graceTimer);
    this.#tree.close();
  }

  #touch(path: string): void {
    if (this.#pending.size === 0) this.#pendingSince = performance.now();
    this.#pending.add(path);
    this.#schedule();
  }

  #schedule(): void {
    if (!this.#onUpdate || this.#isLooking || this.#looksAtOnce) return;
    const now = performance.now();
    const latest = this.#pendingSince + mostQuietTimes * this.#quietMs;
    this.#looksAtOnce = this.#lookTimer === undefined && now - this.#lookedAt > this.#quietMs;
    clearTimeout(this.#lookTimer);
    const quietMs = this.#emptied.size > 0 && this.#emptied.size < manyFiles ? hurryMs : this.#quietMs;
    const delay = this.#looksAtOnce ? 0 : Math.max(0, Math.min(quietMs, latest - now));
    this.#lookTimer = setTimeout(() => void this.#lookAtPending(), delay);
  }

  async #lookAtPending(): Promise<void> {
    this.#lookTimer = undefined;
    this.#looksAtOnce = false;
    this.#isLooking = true;
    this.#sawNews = false;
    const paths =
      this.#pending.size > eventsToDistrust ? [...this.#pending, ...this.#roots] : [...this.#pending];
    this.#pending = new Set();
    await runInSlices(this.#look(paths, false));
    this.#isLooking = false;
    // The last of the events of a write is looked after as well, and finds nothing more.
    if (this.#sawNews) this.#lookedAt = performance.now();
    this.#emit();
    for (const path of this.#doubted.keys()) this.#pending.add(path);
    if (this.#pending.size > 0) {
      this.#pendingSince = performance.now();
      this.#schedule();
    }
  }

  /** `isFinal`: what stands in the files now is believed, complete or not. */
  *#look(paths: readonly string[], isFinal: boolean): Generator<void, void> {
    const changes: TreeChanges = noChanges();
    for (const path of paths) yield* this.#tree.look(path, changes);
    for (const path of this.#doubted.keys()) if (!changes.gone.has(path)) changes.files.add(path);
    for (const path of changes.gone) this.#put(emptyFile(path));
    for (const root of changes.lostRoots)
      this.#eachBelow(root, (path) => this.#put({ ...emptyFile(path), isDamaged: true }));
    for (const root of changes.foundRoots)
      this.#eachBelow(root, (path) => this.#tree.has(path) || this.#put(emptyFile(path)));
    for (const path of changes.files) {
      const before = this.#claims.fileOf(path);
      const read = readText(path);
      const text = 'source' in read ? read.source.text : '';
      if ('source' in read && before?.text === text && !before.isDamaged && !this.#doubted.has(path))
        continue;
      const parsed =
        'source' in read
          ? yield* parseSteps(read.source, before)
          : { ...read.problem, text: before?.text ?? '' };
      if (!isFinal && hasErrors(parsed.issues) && this.#doubted.get(path) !== text)
        this.#doubted.set(path, text);
      else this.#put(parsed);
    }
  }

  #put(file: ParsedFile): void {
    this.#sawNews = true;
    this.#doubted.delete(file.file);
    this.#claims.put(file, this.#orderOf(file.file));
    if (!this.#claims.hasLeftovers(file.file)) this.#leftovers.delete(file.file);
    else if (!this.#leftovers.has(file.file))
      this.#leftovers.set(file.file, performance.now() + this.#graceMs);
    if (file.text === '' && this.#leftovers.has(file.file)) this.#emptied.add(file.file);
    else this.#emptied.delete(file.file);
  }

  #eachBelow(root: string, act: (path: string) => void): void {
    for (const path of this.#claims.paths()) if (isBelow(path, root)) act(path);
  }

  /** As the roots were given, then by name, each folder where its name stands. */
  #orderOf(path: string): string {
    const root = this.#roots.findIndex((candidate) => isBelow(path, candidate));
    return `${String(root).padStart(6, '0')}/${path}`.replaceAll('/', '\0');
  }

  #emit(): void {
    clearTimeout(this.#graceTimer);
    const now = performance.now();
    let next = Number.POSITIVE_INFINITY;
    for (const [path, deadline] of this.#leftovers) {
      if (deadline > now) next = Math.min(next, deadline);
      else {
        this.#claims.giveUp(path);
        this.#leftovers.delete(path);
        this.#emptied.delete(path);
      }
    }
    if (next < Number.POSITIVE_INFINITY) this.#graceTimer = setTimeout(() => this.#emit(), next - now);
    const before = this.#issues;
    const update = this.#takeUpdate();
    if (!isEmpty(update) || !sameIssues(before, update.issues)) this.#onUpdate?.(update);
  }

  #takeUpdate(): ConfigUpdate {
    const changes = this.#claims.takeChanges();
    this.#issues = [
      ...[...this.#tree.problems.values()].flatMap(({ issues }) => issues),
      ...this.#claims.issues(),
    ];
    return { ...changes, issues: this.#issues };
  }
}

function isEmpty({ changed, removed, broken = [] }: ConfigUpdate): boolean {
  return changed.length + removed.length + broken.length === 0;
}

function emptyFile(file: string): ParsedFile {
  return { file, text: '', chunks: [], objects: [], issues: [], isDamaged: false };
}

function sameIssues(before: readonly Issue[], after: readonly Issue[]): boolean {
  const text = ({ code, message, origin }: Issue): string =>
    `${code} ${message} ${origin.file} ${origin.line} ${origin.column}`;
  return (
    before.length === after.length &&
    before.every((issue, index) => text(issue) === text(after[index] ?? issue))
  );
}
