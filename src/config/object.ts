// A resource as the rest of the program sees it: decoded, with its place in the user's files.
import type { Millis, Origin } from '../base/index.ts';

export interface Metadata {
  readonly name: string;
  /** `default` when the user wrote none, empty for kinds that belong to no namespace. */
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly creationTimestamp?: Millis;
  readonly deletionTimestamp?: Millis;
  readonly generation?: number;
  readonly resourceVersion?: string;
  readonly uid?: string;
  readonly ownerReferences?: readonly OwnerReference[];
}

export interface OwnerReference {
  readonly kind: string;
  readonly name: string;
  readonly apiVersion?: string;
  readonly uid?: string;
  readonly controller?: boolean;
}

export interface ConfigObject<Kind extends string, Spec> {
  readonly kind: Kind;
  readonly apiVersion: string;
  readonly metadata: Metadata;
  readonly spec: Spec;
  readonly origin: Origin;
}
