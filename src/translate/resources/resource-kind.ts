// What a kind of resource has to say of itself: what a view has of it, and how each is made.
import { type Derived, deepEqual, type MemoEngine } from '../../base/index.ts';
import type { Mesh } from '../../mesh/index.ts';
import type { EncodedResource } from '../encoded-resource.ts';
import type { View } from '../view.ts';
import type { GatewayPorts } from './gateway-ports.ts';

export type ResourceType = 'cluster' | 'endpoint' | 'listener' | 'route' | 'secret';

/** A change of one of these may change what a subscriber gets. Holds undefined while there is no such resource. */
export type ResourceCell = Derived<EncodedResource | undefined>;

export interface ResourceKind<V = View> {
  readonly type: ResourceType;
  /** All names in a view, of kinds that may be subscribed to as a whole; others are asked for by name. */
  readonly names?: (view: V) => Derived<readonly string[]>;
  /** The same cell for every view that shares the resource. */
  readonly resource: (view: V, name: string) => ResourceCell;
}

/** What all kinds are derived from. */
export interface Derivations {
  readonly engine: MemoEngine;
  readonly mesh: Mesh;
  readonly gatewayPorts: GatewayPorts;
}

/** Resources of one kind that depend on the same parts of a view: what it lists, it can make. */
export interface ResourceGroup {
  readonly names: (view: View) => readonly string[];
  /** Whether a resource of that name would be the group's; by the name's form, whatever there is. */
  readonly owns: (name: string, view: View) => boolean;
  readonly resource: (view: View, name: string) => ResourceCell;
}

/** Names are listed in the order of the groups; a name that several groups would own is the last one's. */
export function groupedKind(
  { engine }: Derivations,
  type: ResourceType,
  groups: readonly [ResourceGroup, ...ResourceGroup[]],
): ResourceKind {
  const names = engine.family(
    `${type}Names`,
    (view: View): readonly string[] => groups.flatMap((group) => group.names(view)),
    deepEqual,
  );
  return {
    type,
    names: (view) => names.at(view),
    resource: (view, name) => {
      const owner = groups.findLast((group) => group.owns(name, view)) ?? groups[0];
      return owner.resource(view, name);
    },
  };
}
