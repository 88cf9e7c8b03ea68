// Proxies that join a WorkloadGroup by connecting: each has a WorkloadEntry for as long as it is there.
// https://istio.io/latest/docs/reference/config/networking/workload-group/ and the node metadata
// AUTO_REGISTER_GROUP of istio's proxies
import { deepEqual, type MemoEngine } from '../base/index.ts';
import type { AnyConfig, WorkloadEntry } from '../config/index.ts';
import type { ProxyNode } from '../mesh/index.ts';
import type { ConfigStore, ObjectOf } from '../registry/index.ts';
import type { ResourceId } from '../sources/index.ts';
import type { Clock } from './clock.ts';
import type { Layers } from './layers/index.ts';

type Entry = ObjectOf<'WorkloadEntry'>;
type Group = ObjectOf<'WorkloadGroup'>;

interface Member {
  readonly node: ProxyNode;
  readonly groupKey: string;
  readonly key: string;
  connections: number;
  /** What is derived of it, for as long as it is a member. */
  readonly registration: Registration;
  callOff: (() => void) | undefined;
}

interface Registration {
  /** Undefined while there is no such group. */
  entry(): Entry | undefined;
  end(): void;
}

/**
 * A proxy that only reconnects stays registered meanwhile; as long as Istio's
 * PILOT_WORKLOAD_ENTRY_GRACE_PERIOD.
 */
export const graceMs = 10_000;
const groupAnnotation = 'istio.io/autoRegistrationGroup';
/** Of names of Kubernetes objects. */
const maxNameLength = 253;

export interface RegistrationsOptions {
  readonly engine: MemoEngine;
  readonly store: ConfigStore;
  readonly layers: Pick<Layers, 'generated' | 'isGenerated'>;
  readonly after: Clock['after'];
  /** Called when an entry has gone after its proxy. */
  readonly onLeft: () => void;
}

export class Registrations {
  readonly #options: RegistrationsOptions;
  readonly #members = new Map<string, Member>();

  constructor(options: RegistrationsOptions) {
    this.#options = options;
  }

  /** The proxy as its group makes it, and the way to leave. */
  join(node: ProxyNode, group: string): { readonly node: ProxyNode; readonly leave: () => void } {
    const key = `${node.namespace}/${nameOf(group, node)}`;
    const member = this.#members.get(key) ?? this.#enter(node, group, key);
    member.callOff?.();
    member.callOff = undefined;
    member.connections++;
    const entry = member.registration.entry();
    // Under its name somebody may have written another one.
    const isInForce = entry !== undefined && this.#options.layers.isGenerated(idOfEntry(entry));
    const labels = isInForce ? entry.spec.labels : {};
    return { node: { ...node, labels: { ...labels, ...node.labels } }, leave: () => this.#leave(member) };
  }

  get size(): number {
    return this.#members.size;
  }

  #enter(node: ProxyNode, group: string, key: string): Member {
    const groupKey = `${node.namespace}/${group}`;
    const member: Member = {
      node,
      groupKey,
      key,
      connections: 0,
      registration: this.#register({ node, groupKey, key }),
      callOff: undefined,
    };
    this.#members.set(key, member);
    return member;
  }

  #register(member: Pick<Member, 'node' | 'groupKey' | 'key'>): Registration {
    const { engine, store, layers } = this.#options;
    const cell = engine.derive<readonly AnyConfig[]>(
      'registration',
      () => {
        const group = store.table('WorkloadGroup').get(member.groupKey);
        return group ? [entryOf(group, member)] : [];
      },
      deepEqual,
    );
    const end = layers.generated.add('registrations', [cell]);
    return { entry: () => cell.get().find((object) => object.kind === 'WorkloadEntry'), end };
  }

  #leave(member: Member): void {
    member.connections--;
    if (member.connections > 0 || member.callOff) return;
    member.callOff = this.#options.after(graceMs, () => {
      this.#members.delete(member.key);
      member.registration.end();
      this.#options.onLeft();
    });
  }
}

function idOfEntry({ kind, metadata: { namespace, name } }: Entry): ResourceId {
  return { kind, namespace, name };
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
function entryOf(group: Group, { node, key }: Pick<Member, 'node' | 'key'>): Entry {
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
