// Which version of each resource a client was sent last. Clients that were sent the same long list share its
// map.
import type { ServedResource } from './feed.ts';

/** Above this many resources at once, a client's record is worth sharing. */
const manyResources = 64;

export class SentVersions {
  #base: ReadonlyMap<string, string> | undefined;
  /** What differs from the base; undefined for what is no longer there. */
  readonly #own = new Map<string, string | undefined>();

  get(name: string): string | undefined {
    return this.#own.has(name) ? this.#own.get(name) : this.#base?.get(name);
  }

  has(name: string): boolean {
    return this.get(name) !== undefined;
  }

  set(name: string, version: string): void {
    this.#own.set(name, version);
  }

  delete(name: string): void {
    if (this.#base?.has(name)) this.#own.set(name, undefined);
    else this.#own.delete(name);
  }

  clear(): void {
    this.#base = undefined;
    this.#own.clear();
  }

  /**
   * Takes down what a response tells; of a long first one, the list's own map, which all who are sent the
   * same list share.
   */
  record(resources: readonly ServedResource[]): void {
    if (this.isEmpty && resources.length >= manyResources) this.#base = versionsOf(resources);
    else for (const { name, version } of resources) this.set(name, version);
  }

  get isEmpty(): boolean {
    return this.#base === undefined && this.#own.size === 0;
  }

  *names(): Generator<string> {
    for (const [name, version] of this.#own) if (version !== undefined) yield name;
    for (const name of this.#base?.keys() ?? []) if (!this.#own.has(name)) yield name;
  }
}

const versionMaps = new WeakMap<readonly ServedResource[], ReadonlyMap<string, string>>();

/** The versions of a list by name; one map for everyone who was sent the list. */
export function versionsOf(resources: readonly ServedResource[]): ReadonlyMap<string, string> {
  let versions = versionMaps.get(resources);
  if (!versions) {
    versions = new Map(resources.map((resource) => [resource.name, resource.version]));
    versionMaps.set(resources, versions);
  }
  return versions;
}
