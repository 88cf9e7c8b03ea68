// What a source says: resources that came, changed and went.
import type { Issue } from '../base/index.ts';
import type { AnyConfig } from '../config/index.ts';

export interface ResourceId {
  readonly kind: AnyConfig['kind'];
  readonly namespace: string;
  readonly name: string;
}

/** Whose objects they are: `files`, `kubernetes`. A source changes and removes its own alone. */
export type SourceId = string;

/** What is in force of a resource: the version that its user wrote last, one before that, or none. */
export type Standing = 'current' | 'previous' | 'absent';

/** What changed in a source since its last update. */
export interface ConfigUpdate {
  readonly changed: readonly AnyConfig[];
  readonly removed: readonly ResourceId[];
  /** What the source holds and no version of which can be used: what was in force of it stays. */
  readonly broken?: readonly ResourceId[];
  /** Everything there is to say about the source as it stands now. */
  readonly issues: readonly Issue[];
}
