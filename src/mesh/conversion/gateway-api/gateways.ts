// The Gateways that are served, listener by listener, with what is wrong with each.
// https://gateway-api.sigs.k8s.io/reference/spec/#gateway.networking.k8s.io/v1.Gateway
import type { GatewayListener, ServerTLSSettings } from '../../../config/index.ts';
import { type ConfigStore, kubernetesHost } from '../../../registry/index.ts';
import { allowedNamespaces, mayAddListeners } from './allowed-namespaces.ts';
import { type ListenerHome, listenerTls } from './listener-tls.ts';
import {
  defaultController,
  gatewayGroup,
  type KubeGatewayObject,
  type ListenerSetObject,
  olderObject,
  type RouteKind,
} from './objects.ts';
import type { Problem } from './problem.ts';

export interface ServedGateway {
  readonly object: KubeGatewayObject;
  /** Host names of the services whose pods listen. */
  readonly services: readonly string[];
  /** Whether the services are named by the Gateway; else its pods are those that bear its name. */
  readonly namesServices: boolean;
  readonly problem?: Problem;
  readonly listeners: readonly ServedListener[];
  /** Listeners that others add to it, oldest set first. */
  readonly sets: readonly ServedListenerSet[];
}

export interface ServedListenerSet {
  readonly object: ListenerSetObject;
  /** Why the Gateway does not have it. */
  readonly refused?: Problem;
  readonly listeners: readonly ServedListener[];
}

export interface ServedListener extends ListenerHome {
  readonly listener: GatewayListener;
  /** `namespace/name` of the Istio Gateway that it becomes. */
  readonly internalName: string;
  /** Lower-case, or `*`. */
  readonly hostname: string;
  /** Whose routes it takes; names, or `*`. */
  readonly namespaces: readonly string[];
  /** The kinds of routes that it takes. */
  readonly kinds: readonly RouteKind[];
  /** Whether it asks for kinds that cannot be taken. */
  readonly asksForOtherKinds: boolean;
  readonly tls?: ServerTLSSettings;
  readonly tlsProblem?: Problem;
  readonly protocolProblem?: Problem;
  /** That another listener is there already. */
  readonly conflict?: Problem;
}

export const isUsable = (listener: ServedListener): boolean =>
  !listener.tlsProblem && !listener.protocolProblem && !listener.conflict;

/** Its own and those of its sets. */
export function allListeners({ listeners, sets }: ServedGateway): readonly ServedListener[] {
  return [...listeners, ...sets.flatMap((set) => set.listeners)];
}

const controllers: ReadonlySet<string> = new Set([defaultController, 'meltemi.dev/gateway-controller']);
const nameOverride = 'gateway.istio.io/name-override';

/** The controller that answers for a class; undefined when it is somebody else. */
export function controllerOf(store: ConfigStore, className: string): string | undefined {
  const described = store.table('GatewayClass').get(`/${className}`)?.spec.controllerName;
  if (described === undefined) return className === 'istio' ? defaultController : undefined;
  return controllers.has(described) ? described : undefined;
}

export function servedGateways(store: ConfigStore): readonly ServedGateway[] {
  return store
    .table('gateway.networking.k8s.io/Gateway')
    .values()
    .filter(({ spec }) => controllerOf(store, spec.gatewayClassName) !== undefined)
    .map((object) => servedGateway(store, object));
}

function servedGateway(store: ConfigStore, object: KubeGatewayObject): ServedGateway {
  const { services, namesServices, problem } = servicesOf(store, object);
  // Without a place to listen there is nothing to say of its listeners.
  const declared = services.length === 0 ? [] : (object.spec.listeners ?? []);
  const listeners = declared.map((listener) =>
    servedListener(store, { gateway: object, owner: object }, listener),
  );
  const sets = listenerSetsOf(store, object).map((set) =>
    servedSet(store, object, set, services.length === 0 ? problem : undefined),
  );
  return {
    object,
    services,
    namesServices,
    problem: problem ?? parametersProblem(store, object),
    listeners,
    sets: withoutConflicts(listeners, sets),
  };
}

function listenerSetsOf(store: ConfigStore, { metadata }: KubeGatewayObject): readonly ListenerSetObject[] {
  return store
    .table('ListenerSet')
    .values()
    .filter(({ metadata: own, spec: { parentRef } }) => {
      const isGateway =
        (parentRef.group ?? gatewayGroup) === gatewayGroup && (parentRef.kind ?? 'Gateway') === 'Gateway';
      return (
        isGateway &&
        parentRef.name === metadata.name &&
        (parentRef.namespace ?? own.namespace) === metadata.namespace
      );
    })
    .sort(olderObject);
}

/** https://gateway-api.sigs.k8s.io/geps/gep-1713/ */
function servedSet(
  store: ConfigStore,
  gateway: KubeGatewayObject,
  object: ListenerSetObject,
  problem: Problem | undefined,
): ServedListenerSet {
  if (!mayAddListeners(store, gateway, object.metadata.namespace))
    return {
      object,
      refused: { reason: 'NotAllowed', message: 'the Gateway takes no listeners from the namespace' },
      listeners: [],
    };
  if (problem) return { object, refused: problem, listeners: [] };
  const listeners = (object.spec.listeners ?? []).map((listener) =>
    servedListener(store, { gateway, owner: object }, listener),
  );
  return { object, listeners };
}

/** Of listeners that claim the same the Gateway's own comes first, then that of the oldest set. */
function withoutConflicts(
  own: readonly ServedListener[],
  sets: readonly ServedListenerSet[],
): readonly ServedListenerSet[] {
  const taken = [...own];
  return sets.map((set) => ({
    ...set,
    listeners: set.listeners.map((listener) => {
      const conflict = conflictOf(listener, taken);
      if (!conflict) taken.push(listener);
      return { ...listener, conflict };
    }),
  }));
}

function conflictOf(
  { listener, hostname }: ServedListener,
  taken: readonly ServedListener[],
): Problem | undefined {
  const onPort = taken.filter((other) => other.listener.port === listener.port);
  const other = onPort.find((one) => layerOf(one.listener.protocol) !== layerOf(listener.protocol));
  if (other)
    return {
      reason: 'ProtocolConflict',
      message: `${other.internalName} has another protocol on the port ${listener.port}`,
    };
  const same = onPort.find((one) => one.hostname === hostname);
  return (
    same && {
      reason: 'HostnameConflict',
      message: `${same.internalName} has the host name ${hostname} already`,
    }
  );
}

/** Protocols that SNI tells apart share a port. */
function layerOf(protocol: string): string {
  return protocol === 'HTTPS' ? 'TLS' : protocol;
}

/** https://istio.io/latest/docs/tasks/traffic-management/ingress/gateway-api/#manual-deployment */
function servicesOf(
  store: ConfigStore,
  { metadata, spec }: KubeGatewayObject,
): Pick<ServedGateway, 'services' | 'namesServices' | 'problem'> {
  const addresses = spec.addresses ?? [];
  const [first] = addresses;
  if (!first || (addresses.length === 1 && (first.type ?? 'IPAddress') === 'IPAddress')) {
    const name = metadata.annotations[nameOverride] ?? `${metadata.name}-${spec.gatewayClassName}`;
    return { services: [kubernetesHost(name, metadata.namespace, store.domain)], namesServices: false };
  }
  const isHost = ({ type = 'Hostname' }: { readonly type?: string }): boolean => type === 'Hostname';
  const services = addresses.filter(isHost).map(({ value = '' }) => {
    const host = value.toLowerCase();
    return host.includes('.') ? host : kubernetesHost(host, metadata.namespace, store.domain);
  });
  const others = addresses.filter((address) => !isHost(address));
  if (others.length === 0) return { services, namesServices: true };
  const message = `only addresses of type Hostname are possible, not ${others.map(({ value }) => value).join(', ')}`;
  return { services, namesServices: true, problem: { reason: 'UnsupportedAddress', message } };
}

function parametersProblem(store: ConfigStore, { metadata, spec }: KubeGatewayObject): Problem | undefined {
  const ref = spec.infrastructure?.parametersRef;
  if (!ref) return undefined;
  const isConfigMap = (ref.group ?? '') === '' && (ref.kind ?? 'ConfigMap') === 'ConfigMap';
  if (isConfigMap && store.table('ConfigMap').get(`${metadata.namespace}/${ref.name}`)) return undefined;
  const message = isConfigMap
    ? `there is no ConfigMap ${metadata.namespace}/${ref.name}`
    : `parameters are in a ConfigMap, not in a ${ref.kind}`;
  return { reason: 'InvalidParameters', message };
}

function servedListener(store: ConfigStore, home: ListenerHome, listener: GatewayListener): ServedListener {
  const tls = listenerTls(store, home, listener);
  const kinds = kindsOf(listener);
  const { namespace, name } = home.owner.metadata;
  return {
    ...home,
    listener,
    internalName: `${namespace}/${name}~istio-autogenerated-k8s-gateway~${listener.name}`,
    hostname: listener.hostname?.toLowerCase() || '*',
    namespaces: allowedNamespaces(store, namespace, listener),
    kinds,
    asksForOtherKinds: kinds.length < (listener.allowedRoutes?.kinds?.length ?? 0),
    tls: tls.value,
    tlsProblem: tls.problem,
    protocolProblem: lacksTls(listener) ? withoutTls : protocolProblem(listener.protocol),
  };
}

export function lacksTls({ protocol, tls }: GatewayListener): boolean {
  return protocol === 'HTTPS' && tls === undefined;
}

const withoutTls: Problem = { reason: 'UnsupportedProtocol', message: 'HTTPS needs tls, with a certificate' };
const protocols = ['HTTP', 'HTTPS', 'TLS', 'TCP'];

function protocolProblem(protocol: string): Problem | undefined {
  if (protocols.includes(protocol)) return undefined;
  const hint = protocols.includes(protocol.toUpperCase()) ? `; write ${protocol.toUpperCase()}` : '';
  return { reason: 'UnsupportedProtocol', message: `the protocol ${protocol} is not supported${hint}` };
}

function kindsOf({ protocol, tls, allowedRoutes }: GatewayListener): readonly RouteKind[] {
  const possible = possibleKinds(protocol, tls?.mode === 'Passthrough');
  const asked = allowedRoutes?.kinds ?? [];
  if (asked.length === 0) return possible;
  return possible.filter((kind) =>
    asked.some((one) => one.kind === kind && (one.group ?? gatewayGroup) === gatewayGroup),
  );
}

function possibleKinds(protocol: string, passthrough: boolean): readonly RouteKind[] {
  switch (protocol) {
    case 'HTTP':
    case 'HTTPS':
      return ['HTTPRoute', 'GRPCRoute'];
    case 'TLS':
      return passthrough ? ['TLSRoute'] : ['TLSRoute', 'TCPRoute'];
    case 'TCP':
      return ['TCPRoute'];
    default:
      return [];
  }
}
