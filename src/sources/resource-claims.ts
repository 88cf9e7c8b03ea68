// Which file says what of which resource. Kept by difference: a change of one file costs what that file holds.
import { deepEqual, type Issue, type Origin } from '../base/index.ts';
import { type AnyConfig, type ParsedFile, type ParsedObject, repeated } from '../config/index.ts';
import type { ConfigUpdate, ResourceId } from './config-update.ts';

/**
 * Undefined when the file does not hold it any more, for what a file once held is given up only after a while.
 */
type Claim = ParsedObject | undefined;

/** What was told of a resource: the version that counts, or that there is none that can be used. */
type Told = { readonly resource: AnyConfig } | { readonly brokenId: ResourceId };

interface Claimant {
  file: ParsedFile;
  readonly order: string;
  readonly claims: Map<string, Claim>;
}

/** Of one resource: who gives it a thousand times has seen it after ten. */
const mostRepetitions = 10;

export type ResourceChanges = Required<Pick<ConfigUpdate, 'changed' | 'removed' | 'broken'>>;

export class ResourceClaims {
  readonly #files = new Map<string, Claimant>();
  /** Of each resource, the files that claim it, in the order in which the first one counts. */
  readonly #claimants = new Map<string, Claimant[]>();
  readonly #told = new Map<string, Told>();
  readonly #touched = new Set<string>();
  readonly #withIssues = new Set<string>();
  readonly #repeated = new Set<string>();
  readonly #repetitionsKnown = new WeakMap<
    ParsedObject,
    { readonly first: ParsedObject; readonly issue: Issue }
  >();

  get found(): number {
    return this.#claimants.size;
  }

  /** What a file holds, or held before it was damaged. */
  idsOf(path: string): readonly ResourceId[] {
    return [...(this.#files.get(path)?.claims.keys() ?? [])].flatMap((id) => {
      const told = this.#told.get(id);
      return told ? idOfTold(told) : [];
    });
  }

  fileOf(path: string): ParsedFile | undefined {
    return this.#files.get(path)?.file;
  }

  paths(): readonly string[] {
    return [...this.#files.keys()];
  }

  /** Where a resource stands now. */
  originOf(id: string): Origin | undefined {
    const told = this.#told.get(id);
    return this.#first(id)?.origin ?? (told && 'resource' in told ? told.resource.origin : undefined);
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
      if (claim && !found.has(id)) this.#claim(claimant, id, undefined);
    for (const [id, object] of found) this.#claim(claimant, id, object);
    if (file.issues.length > 0) this.#withIssues.add(file.file);
    else this.#withIssues.delete(file.file);
  }

  /** Whether the file once held something that it does not hold now, and is not merely unreadable. */
  hasLeftovers(path: string): boolean {
    const claimant = this.#files.get(path);
    return (
      claimant !== undefined && !claimant.file.isDamaged && [...claimant.claims.values()].includes(undefined)
    );
  }

  /** What the file does not hold any more is no longer in force. */
  giveUp(path: string): void {
    const claimant = this.#files.get(path);
    if (!claimant || claimant.file.isDamaged) return;
    for (const [id, claim] of claimant.claims) if (!claim) this.#withdraw(claimant, id);
    if (claimant.claims.size === 0 && claimant.file.text === '') this.#files.delete(path);
  }

  /** What differs from what the last call told. */
  takeChanges(): ResourceChanges {
    const changed: AnyConfig[] = [];
    const removed: ResourceId[] = [];
    const broken: ResourceId[] = [];
    for (const id of this.#touched) {
      const before = this.#told.get(id);
      const object = this.#first(id);
      if (object?.resource) {
        this.#told.set(id, { resource: object.resource });
        if (!same(before, object.resource)) changed.push(object.resource);
      } else if (object) {
        const brokenId = idOfObject(object);
        this.#told.set(id, { brokenId });
        if (!before || 'resource' in before) broken.push(brokenId);
      } else if (before && !this.#claimants.has(id)) {
        this.#told.delete(id);
        removed.push(idOfTold(before));
      }
    }
    this.#touched.clear();
    return { changed, removed, broken };
  }

  /** Everything there is to say of the files as they stand. */
  issues(): readonly Issue[] {
    const own = [...this.#withIssues].flatMap((path) => this.#files.get(path)?.file.issues ?? []);
    return [...own, ...[...this.#repeated].flatMap((id) => this.#repetitions(id))];
  }

  /** What the first file that holds it says. */
  #first(id: string): ParsedObject | undefined {
    for (const { claims } of this.#claimants.get(id) ?? []) {
      const object = claims.get(id);
      if (object) return object;
    }
    return undefined;
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
      claims.get(id)
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

function idOfTold(told: Told): ResourceId {
  if ('brokenId' in told) return told.brokenId;
  const { kind, metadata } = told.resource;
  return { kind, namespace: metadata.namespace, name: metadata.name };
}

/** It has an id, so it is of a kind that is read. */
function idOfObject({ origin }: ParsedObject): ResourceId {
  return { kind: origin.kind as AnyConfig['kind'], namespace: origin.namespace, name: origin.name };
}

/** Line numbers are not compared: a resource that only moves in its file is the same. */
function same(told: Told | undefined, after: AnyConfig): boolean {
  if (!told || !('resource' in told)) return false;
  const { resource: before } = told;
  return (
    before === after || (deepEqual(before.spec, after.spec) && deepEqual(before.metadata, after.metadata))
  );
}
