// Which file says what of which resource, and what is in force by that. Kept by difference: a change of one
// file costs what that file holds.
import { deepEqual, type Issue, type Origin } from '../base/index.ts';
import { type AnyConfig, type ParsedFile, type ParsedObject, repeated } from '../config/index.ts';
import type { ResourceId, Standing } from './config-update.ts';

interface Claim {
  /**
   * Absent when the file does not hold it any more, for what a file once held is given up only after a while.
   */
  readonly object: ParsedObject | undefined;
  /** The last good version that this file gave. */
  readonly resource: AnyConfig | undefined;
}

interface Claimant {
  file: ParsedFile;
  readonly order: string;
  readonly claims: Map<string, Claim>;
}

/** Of one resource: who gives it a thousand times has seen it after ten. */
const mostRepetitions = 10;

export interface ResourceChanges {
  readonly changed: readonly AnyConfig[];
  readonly removed: readonly ResourceId[];
}

export class ResourceClaims {
  readonly #files = new Map<string, Claimant>();
  /** Of each resource, the files that claim it, in the order in which the first one counts. */
  readonly #claimants = new Map<string, Claimant[]>();
  readonly #inForce = new Map<string, AnyConfig>();
  readonly #touched = new Set<string>();
  readonly #withIssues = new Set<string>();
  readonly #repeated = new Set<string>();
  readonly #repetitionsKnown = new WeakMap<
    ParsedObject,
    { readonly first: ParsedObject; readonly issue: Issue }
  >();

  get size(): number {
    return this.#inForce.size;
  }

  get found(): number {
    return this.#claimants.size;
  }

  standing(id: string): Standing {
    if (!this.#inForce.has(id)) return 'absent';
    const objects = (this.#claimants.get(id) ?? []).flatMap(({ claims }) => claims.get(id)?.object ?? []);
    return objects[0]?.resource ? 'current' : 'previous';
  }

  isInForce(path: string): boolean {
    return [...(this.#files.get(path)?.claims.keys() ?? [])].some((id) => this.#inForce.has(id));
  }

  fileOf(path: string): ParsedFile | undefined {
    return this.#files.get(path)?.file;
  }

  paths(): readonly string[] {
    return [...this.#files.keys()];
  }

  /** Where a resource stands now. */
  originOf(id: string): Origin | undefined {
    const objects = (this.#claimants.get(id) ?? []).flatMap(({ claims }) => claims.get(id)?.object ?? []);
    return objects[0]?.origin ?? this.#inForce.get(id)?.origin;
  }

  /**
   * What the file says now. What it said before and says no more is kept until `giveUp`. `order`: where it
   * stands among the files.
   */
  put(file: ParsedFile, order: string): void {
    const claimant: Claimant = this.#files.get(file.file) ?? { file, order, claims: new Map() };
    this.#files.set(file.file, claimant);
    claimant.file = file;
    const found = new Map<string, ParsedObject>();
    for (const object of file.objects) {
      if (object.id === '') continue;
      if (found.has(object.id)) this.#repeated.add(object.id);
      else found.set(object.id, object);
    }
    for (const [id, claim] of claimant.claims)
      if (!found.has(id)) this.#claim(claimant, id, { ...claim, object: undefined });
    for (const [id, object] of found)
      this.#claim(claimant, id, { object, resource: object.resource ?? claimant.claims.get(id)?.resource });
    if (file.issues.length > 0) this.#withIssues.add(file.file);
    else this.#withIssues.delete(file.file);
  }

  /** Whether the file once held something that it does not hold now, and is not merely unreadable. */
  hasLeftovers(path: string): boolean {
    const claimant = this.#files.get(path);
    return (
      claimant !== undefined &&
      !claimant.file.isDamaged &&
      [...claimant.claims.values()].some(({ object }) => !object)
    );
  }

  /** What the file does not hold any more is no longer in force. */
  giveUp(path: string): void {
    const claimant = this.#files.get(path);
    if (!claimant || claimant.file.isDamaged) return;
    for (const [id, { object }] of claimant.claims) if (!object) this.#withdraw(claimant, id);
    if (claimant.claims.size === 0 && claimant.file.text === '') this.#files.delete(path);
  }

  /** What differs from what the last call found in force. */
  takeChanges(): ResourceChanges {
    const changed: AnyConfig[] = [];
    const removed: ResourceId[] = [];
    for (const id of this.#touched) {
      const before = this.#inForce.get(id);
      const claimants = this.#claimants.get(id) ?? [];
      const resource = this.#winner(claimants, id) ?? (claimants.length > 0 ? before : undefined);
      if (resource) this.#inForce.set(id, resource);
      else this.#inForce.delete(id);
      if (resource && !same(before, resource)) changed.push(resource);
      else if (!resource && before)
        removed.push({ kind: before.kind, namespace: before.metadata.namespace, name: before.metadata.name });
    }
    this.#touched.clear();
    return { changed, removed };
  }

  /** Everything there is to say of the files as they stand. */
  issues(): readonly Issue[] {
    const own = [...this.#withIssues].flatMap((path) => this.#files.get(path)?.file.issues ?? []);
    return [...own, ...[...this.#repeated].flatMap((id) => this.#repetitions(id))];
  }

  /**
   * What the first file that holds it says; while that has an error and no good version of its own, what
   * another file held before.
   */
  #winner(claimants: readonly Claimant[], id: string): AnyConfig | undefined {
    const claims = claimants.flatMap(({ claims }) => claims.get(id) ?? []);
    const first = claims.find(({ object }) => object !== undefined);
    return first?.resource ?? claims.find(({ object, resource }) => !object && resource)?.resource;
  }

  #claim(claimant: Claimant, id: string, claim: Claim): void {
    if (!claimant.claims.has(id)) {
      const others = this.#claimants.get(id) ?? [];
      const place = others.findIndex(({ order }) => order > claimant.order);
      others.splice(place === -1 ? others.length : place, 0, claimant);
      this.#claimants.set(id, others);
      if (others.length > 1) this.#repeated.add(id);
    }
    claimant.claims.set(id, claim);
    this.#touched.add(id);
  }

  #withdraw(claimant: Claimant, id: string): void {
    claimant.claims.delete(id);
    const others = (this.#claimants.get(id) ?? []).filter((other) => other !== claimant);
    if (others.length > 0) this.#claimants.set(id, others);
    else this.#claimants.delete(id);
    this.#touched.add(id);
  }

  #repetitions(id: string): readonly Issue[] {
    const all = (this.#claimants.get(id) ?? []).flatMap(({ file, claims }) =>
      claims.get(id)?.object
        ? file.objects.filter((object) => object.id === id).map((object) => ({ object, file }))
        : [],
    );
    const [first, ...rest] = all;
    if (rest.length === 0) this.#repeated.delete(id);
    return first
      ? rest.slice(0, mostRepetitions).map(({ object, file }) => this.#repetition(object, first.object, file))
      : [];
  }

  /** To find its place the document is read once more, so it is remembered. */
  #repetition(object: ParsedObject, first: ParsedObject, file: ParsedFile): Issue {
    const known = this.#repetitionsKnown.get(object);
    if (known?.first === first) return known.issue;
    const issue = repeated(object, first, file);
    this.#repetitionsKnown.set(object, { first, issue });
    return issue;
  }
}

/** Line numbers are not compared: a resource that only moves in its file is the same. */
function same(before: AnyConfig | undefined, after: AnyConfig): boolean {
  return (
    before !== undefined &&
    (before === after || (deepEqual(before.spec, after.spec) && deepEqual(before.metadata, after.metadata)))
  );
}
