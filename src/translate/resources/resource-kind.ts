// What a kind of resource has to say of itself: what a view has of it, and how each is made.
import type { DescMessage, Message, MessageShape } from '@bufbuild/protobuf';
import { type Derived, deepEqual, type KeyPart, type MemoEngine } from '../../base/index.ts';
import type { Mesh } from '../../mesh/index.ts';
import { type EncodedResource, encodeResource, sameResource } from '../encoded-resource.ts';
import type { View } from '../view.ts';
import type { GatewayPorts } from './gateway-ports.ts';

export type ResourceType = 'cluster' | 'endpoint' | 'listener' | 'route' | 'secret' | 'nameTable';

/** A change of one of these may change what a subscriber gets. Holds undefined while there is no such resource. */
export type ResourceCell = Derived<EncodedResource | undefined>;

export interface ResourceKind<V = View> {
  readonly type: ResourceType;
  /** All names in a view, of kinds that may be subscribed to as a whole; others are asked for by name. */
  readonly names?: (view: V) => Derived<readonly string[]>;
  /** The same cell for every view that shares the resource. */
  readonly resource: (view: V, name: string) => ResourceCell;
  /** The resource made once more, not encoded: its parts know their origins (../origins.ts). */
  readonly message: (view: V, name: string) => Message | undefined;
}

/** What all kinds are derived from. */
export interface Derivations {
  readonly engine: MemoEngine;
  readonly mesh: Mesh;
  readonly gatewayPorts: GatewayPorts;
}

/** Resources by name and by the parts of a view that they depend on. */
export interface Made<K extends readonly KeyPart[]> {
  readonly at: (name: string, ...key: K) => ResourceCell;
  readonly message: (name: string, ...key: K) => Message | undefined;
}

/** `family` is what statistics call them; `build` returns undefined where there is no such resource. */
export function made<K extends readonly KeyPart[], D extends DescMessage>(
  engine: MemoEngine,
  { family, schema }: { readonly family: string; readonly schema: D },
  build: (name: string, ...key: K) => MessageShape<D> | undefined,
): Made<K> {
  const cells = engine.family(
    family,
    (name: string, ...key: K) => {
      const message = build(name, ...key);
      return message && encodeResource(schema, name, message);
    },
    sameResource,
  );
  return {
    at: (name, ...key) => cells.at(name, ...key),
    message: (name, ...key) => engine.untracked(() => build(name, ...key)),
  };
}

/** Resources of one kind that depend on the same parts of a view: what it lists, it can make. */
export interface ResourceGroup {
  readonly names: (view: View) => readonly string[];
  /** Whether a resource of that name would be the group's; by the name's form, whatever there is. */
  readonly owns: (name: string, view: View) => boolean;
  readonly resource: (view: View, name: string) => ResourceCell;
  readonly message: (view: View, name: string) => Message | undefined;
}

export function group<K extends readonly KeyPart[]>(
  resources: Made<K>,
  {
    keyOf,
    ...names
  }: Pick<ResourceGroup, 'names' | 'owns'> & {
    /** The parts of a view that the group depends on. */
    readonly keyOf: (view: View) => [...K];
  },
): ResourceGroup {
  return {
    ...names,
    resource: (view, name) => resources.at(name, ...keyOf(view)),
    message: (view, name) => resources.message(name, ...keyOf(view)),
  };
}

/** Names are listed in the order of the groups; a name that several groups would own is the last one's. */
export function groupedKind(
  { engine }: Derivations,
  type: ResourceType,
  groups: readonly [ResourceGroup, ...ResourceGroup[]],
): ResourceKind {
  const names = engine.family(
    `${type}Names`,
    (view: View): readonly string[] => groups.flatMap((one) => one.names(view)),
    deepEqual,
  );
  const owner = (view: View, name: string): ResourceGroup =>
    groups.findLast((one) => one.owns(name, view)) ?? groups[0];
  return {
    type,
    names: (view) => names.at(view),
    resource: (view, name) => owner(view, name).resource(view, name),
    message: (view, name) => owner(view, name).message(view, name),
  };
}
