// Which parents a route is attached to, and why not to others: the one place where this is decided.
// https://gateway-api.sigs.k8s.io/concepts/api-overview/#attaching-routes-to-gateways
import type { ParentReference } from '../../../config/index.ts';
import {
  type ConfigStore,
  covers,
  isWildcard,
  keyOf,
  kubernetesHost,
  narrower,
  overlaps,
} from '../../../registry/index.ts';
import {
  allListeners,
  isUsable,
  type ServedGateway,
  type ServedListener,
  servedGateways,
} from './gateways.ts';
import { gatewayGroup, hostnamesOf, istioGroup, type RouteObject } from './objects.ts';
import type { Problem } from './problem.ts';

export type Parent =
  | {
      readonly kind: 'listener';
      readonly listener: ServedListener;
      readonly siblings: readonly ServedListener[];
    }
  /** The clients of a service or of a service entry. */
  | {
      readonly kind: 'mesh';
      readonly namespace: string;
      readonly hosts: readonly string[];
      readonly port?: number;
    };

export interface Attachment {
  /** As the route has it. */
  readonly reference: ParentReference;
  readonly parent: Parent;
  /** Why the route is not attached. */
  readonly denied?: Problem;
}

/** By `namespace/name`. */
export interface GatewayIndex {
  readonly gateways: ReadonlyMap<string, ServedGateway>;
  readonly sets: ReadonlyMap<
    string,
    { readonly gateway: ServedGateway; readonly listeners: readonly ServedListener[] }
  >;
}

export function gatewayIndex(store: ConfigStore): GatewayIndex {
  const all = servedGateways(store);
  return {
    gateways: new Map(all.map((gateway) => [keyOf(gateway.object), gateway])),
    sets: new Map(
      all.flatMap((gateway) =>
        gateway.sets.map(({ object, listeners }) => [keyOf(object), { gateway, listeners }]),
      ),
    ),
  };
}

/** Nothing for parents of somebody else. */
export function attachmentsOf(
  store: ConfigStore,
  index: GatewayIndex,
  route: RouteObject,
): readonly Attachment[] {
  return (route.spec.parentRefs ?? []).flatMap((reference) => {
    const { group = gatewayGroup, kind = 'Gateway', name } = reference;
    const key = `${reference.namespace ?? route.metadata.namespace}/${name}`;
    const gateway = index.gateways.get(key);
    if (group === gatewayGroup && kind === 'Gateway')
      return toListeners(reference, gateway, gateway?.listeners ?? [], route);
    const set = index.sets.get(key);
    if (group === gatewayGroup && kind === 'ListenerSet')
      return toListeners(reference, set?.gateway, set?.listeners ?? [], route);
    if (group === '' && kind === 'Service') return [toService(store, reference, key)];
    if (group === istioGroup && kind === 'ServiceEntry') return [toServiceEntry(store, reference, key)];
    return [];
  });
}

/**
 * Where the rules of a route take effect: what it is attached to, less the listeners that cannot be served.
 */
export function effectiveAttachments(
  store: ConfigStore,
  index: GatewayIndex,
  route: RouteObject,
): readonly Attachment[] {
  return attachmentsOf(store, index, route).filter(
    ({ denied, parent }) => !denied && (parent.kind === 'mesh' || isUsable(parent.listener)),
  );
}

function toListeners(
  reference: ParentReference,
  gateway: ServedGateway | undefined,
  listeners: readonly ServedListener[],
  route: RouteObject,
): readonly Attachment[] {
  const siblings = gateway ? allListeners(gateway) : [];
  return listeners.map((listener) => ({
    reference,
    parent: { kind: 'listener', listener, siblings },
    denied: denial(reference, listener, route),
  }));
}

/** Port and section first: of a listener that is not meant nothing else is of interest. */
function denial(
  reference: ParentReference,
  { listener, ...served }: ServedListener,
  route: RouteObject,
): Problem | undefined {
  if (reference.port !== undefined && reference.port !== listener.port)
    return { reason: 'NoMatchingParent', message: `no listener has the port ${reference.port}` };
  if (reference.sectionName !== undefined && reference.sectionName !== listener.name)
    return { reason: 'NoMatchingParent', message: `no listener is named ${reference.sectionName}` };
  const hosts = hostnamesOf(route);
  if (hosts.length > 0 && !hosts.some((host) => overlaps(host, served.hostname)))
    return {
      reason: 'NoMatchingListenerHostname',
      message: `none of the hostnames is one of the listener's ${served.hostname}`,
    };
  const { namespace } = route.metadata;
  if (!served.namespaces.includes('*') && !served.namespaces.includes(namespace))
    return {
      reason: 'NotAllowedByListeners',
      message: `the listener ${listener.name} takes no routes of the namespace ${namespace}`,
    };
  if (!served.kinds.includes(route.kind))
    return {
      reason: 'NotAllowedByListeners',
      message: `the listener ${listener.name} takes no ${route.kind}`,
    };
  return undefined;
}

function toService(store: ConfigStore, reference: ParentReference, key: string): Attachment {
  const service = store.table('Service').get(key);
  const [namespace = '', name = ''] = key.split('/');
  return {
    reference,
    parent: {
      kind: 'mesh',
      namespace,
      hosts: [kubernetesHost(name, namespace, store.domain)],
      port: reference.port,
    },
    denied: service ? undefined : { reason: 'NoMatchingParent', message: `there is no Service ${key}` },
  };
}

function toServiceEntry(store: ConfigStore, reference: ParentReference, key: string): Attachment {
  const entry = store.table('ServiceEntry').get(key);
  const [namespace = ''] = key.split('/');
  return {
    reference,
    parent: {
      kind: 'mesh',
      namespace,
      hosts: (entry?.spec.hosts ?? []).map((host) => host.toLowerCase()),
      port: reference.port,
    },
    denied: entry ? undefined : { reason: 'NoMatchingParent', message: `there is no ServiceEntry ${key}` },
  };
}

/**
 * The hosts that a route has at a listener: where both are wildcards or one is, the narrower. A host that
 * another listener of the same port and protocol stands for more precisely is that listener's alone.
 * https://gateway-api.sigs.k8s.io/reference/spec/#gateway.networking.k8s.io/v1.Listener (listener isolation)
 */
export function hostsAt(
  { listener, siblings }: Extract<Parent, { kind: 'listener' }>,
  route: RouteObject,
): readonly string[] {
  const own = listener.hostname;
  const wanted = hostnamesOf(route);
  const hosts = wanted.length === 0 ? [own] : wanted.filter((host) => !isTaken(host, listener, siblings));
  return [...new Set(hosts.flatMap((host) => narrower(own, host)))];
}

function isTaken(host: string, own: ServedListener, siblings: readonly ServedListener[]): boolean {
  if (!isWildcard(own.hostname)) return false;
  return siblings.some(
    (other) =>
      other !== own &&
      other.listener.port === own.listener.port &&
      other.listener.protocol === own.listener.protocol &&
      other.hostname !== own.hostname &&
      other.hostname.length >= own.hostname.length &&
      covers(other.hostname, host),
  );
}
