import type { Issue } from '../base/index.ts';
import type { AnyConfig } from '../config/index.ts';

export interface ResourceId {
  readonly kind: AnyConfig['kind'];
  readonly namespace: string;
  readonly name: string;
}

/** What is in force of a resource: the version that its user wrote last, one before that, or none. */
export type Standing = 'current' | 'previous' | 'absent';

/** What changed in a source since its last update. */
export interface ConfigUpdate {
  readonly changed: readonly AnyConfig[];
  readonly removed: readonly ResourceId[];
  /** Everything there is to say about the source as it stands now. */
  readonly issues: readonly Issue[];
}

export function isEmpty(update: ConfigUpdate): boolean {
  return update.changed.length === 0 && update.removed.length === 0;
}
