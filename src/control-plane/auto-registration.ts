// Proxies that join a WorkloadGroup by connecting: each has a WorkloadEntry for as long as it is there.
// https://istio.io/latest/docs/reference/config/networking/workload-group/ and the node metadata
// AUTO_REGISTER_GROUP of istio's proxies
import type { AnyConfig, WorkloadEntry } from '../config/index.ts';
import type { ProxyNode } from '../mesh/index.ts';
import type { ConfigStore, ObjectOf } from '../registry/index.ts';

type Entry = ObjectOf<'WorkloadEntry'>;
type Group = ObjectOf<'WorkloadGroup'>;

/** Calls back once after so many milliseconds; returns the way to call it off. */
export type After = (ms: number, run: () => void) => () => void;

interface Member {
  readonly node: ProxyNode;
  readonly groupKey: string;
  readonly key: string;
  connections: number;
  /** What stands in the store for it; undefined while there is no such group. */
  entry: Entry | undefined;
  callOff: (() => void) | undefined;
}

/**
 * A proxy that only reconnects stays registered meanwhile; as long as Istio's
 * PILOT_WORKLOAD_ENTRY_GRACE_PERIOD.
 */
export const graceMs = 10_000;
const groupAnnotation = 'istio.io/autoRegistrationGroup';
/** Of names of Kubernetes objects. */
const maxNameLength = 253;

export class AutoRegistration {
  readonly #store: ConfigStore;
  readonly #after: After;
  readonly #onLeft: () => void;
  readonly #members = new Map<string, Member>();

  /** `onLeft` is called when an entry has gone after its proxy. */
  constructor(store: ConfigStore, after: After, onLeft: () => void) {
    this.#store = store;
    this.#after = after;
    this.#onLeft = onLeft;
  }

  /** The proxy as its group makes it, and the way to leave. */
  join(node: ProxyNode, group: string): { readonly node: ProxyNode; readonly leave: () => void } {
    const key = `${node.namespace}/${nameOf(group, node)}`;
    const member = this.#members.get(key) ?? {
      node,
      groupKey: `${node.namespace}/${group}`,
      key,
      connections: 0,
      entry: undefined,
      callOff: undefined,
    };
    this.#members.set(key, member);
    member.callOff?.();
    member.callOff = undefined;
    member.connections++;
    this.#register(member);
    return {
      node: { ...node, labels: { ...member.entry?.spec.labels, ...node.labels } },
      leave: () => this.#leave(member),
    };
  }

  /** Brings the entries in step with groups that came, changed or went. */
  apply(changed: readonly AnyConfig[], removed: readonly { readonly kind: AnyConfig['kind'] }[]): void {
    if (this.#members.size === 0 || ![...changed, ...removed].some(({ kind }) => kind === 'WorkloadGroup'))
      return;
    for (const member of this.#members.values()) this.#register(member);
  }

  #register(member: Member): void {
    const group = this.#store.table('WorkloadGroup').get(member.groupKey);
    const present = this.#store.table('WorkloadEntry').get(member.key);
    // One that somebody wrote by hand stays as it is.
    if (present && present !== member.entry) return;
    if (!group) {
      this.#withdraw(member);
      return;
    }
    const entry = entryOf(group, member);
    if (this.#store.put(entry)) member.entry = entry;
  }

  #leave(member: Member): void {
    member.connections--;
    if (member.connections > 0 || member.callOff) return;
    member.callOff = this.#after(graceMs, () => {
      this.#members.delete(member.key);
      this.#withdraw(member);
      this.#onLeft();
    });
  }

  #withdraw(member: Member): void {
    const { namespace, name } = member.entry?.metadata ?? {};
    const isOwn = this.#store.table('WorkloadEntry').get(member.key) === member.entry;
    if (namespace !== undefined && name !== undefined && isOwn)
      this.#store.remove('WorkloadEntry', namespace, name);
    member.entry = undefined;
  }
}

/** The end of the name tells members apart, so that is what remains of one that is too long. */
function nameOf(group: string, { addresses, network }: ProxyNode): string {
  const address = (addresses[0] ?? '').replaceAll(':', '-');
  return [group, address, network]
    .filter((part) => part !== '')
    .join('-')
    .slice(-maxNameLength)
    .replace(/^[^a-z0-9]+/, '');
}

/**
 * What the proxy says of itself goes before what the group says of its members, and that before the group's
 * template.
 */
function entryOf(group: Group, { node, key }: Member): Entry {
  const { metadata, template } = group.spec;
  const labels = { ...template.labels, ...metadata?.labels, ...node.labels };
  const spec: WorkloadEntry = {
    ...template,
    address: node.addresses[0] ?? '',
    labels,
    ...(node.network === '' ? {} : { network: node.network }),
    ...(node.locality === '' ? {} : { locality: node.locality }),
  };
  return {
    kind: 'WorkloadEntry',
    apiVersion: group.apiVersion,
    metadata: {
      namespace: node.namespace,
      name: key.slice(key.indexOf('/') + 1),
      labels,
      annotations: { ...metadata?.annotations, [groupAnnotation]: group.metadata.name },
      ...(group.metadata.creationTimestamp === undefined
        ? {}
        : { creationTimestamp: group.metadata.creationTimestamp }),
    },
    spec,
    origin: group.origin,
  };
}
