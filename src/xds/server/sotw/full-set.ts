// Comparing full sets, of which a client of the state-of-the-world protocol is always sent all. Comparisons
// are kept: clients that see the same make the same ones.
import type { ServedResource } from '../feed.ts';
import { versionsOf } from '../sent-versions.ts';

type Resources = readonly ServedResource[];

export interface SetChange {
  readonly isSame: boolean;
  readonly added: Resources;
  readonly changed: Resources;
  /** What there was and is no longer. */
  readonly leaving: Resources;
  /** The new set together with what leaves. */
  readonly union: Resources;
}

export const emptySet: Resources = [];

export class FullSets {
  readonly #known = new WeakMap<Resources, WeakMap<Resources, SetChange>>();

  compare(before: Resources, now: Resources): SetChange {
    const known = this.#known.get(before) ?? new WeakMap<Resources, SetChange>();
    this.#known.set(before, known);
    const change = known.get(now) ?? changeOf(before, now);
    known.set(now, change);
    return change;
  }
}

function changeOf(before: Resources, now: Resources): SetChange {
  const old = versionsOf(before);
  const names = versionsOf(now);
  const added = now.filter((resource) => !old.has(resource.name));
  const changed = now.filter(
    (resource) => old.has(resource.name) && old.get(resource.name) !== resource.version,
  );
  const leaving = before.filter((resource) => !names.has(resource.name));
  const isSame = added.length === 0 && changed.length === 0 && leaving.length === 0;
  return { isSame, added, changed, leaving, union: leaving.length === 0 ? now : [...now, ...leaving] };
}
