// The Gateways that are served, listener by listener, with what is wrong with each.
// https://gateway-api.sigs.k8s.io/reference/spec/#gateway.networking.k8s.io/v1.Gateway
import type { GatewayListener, ServerTLSSettings } from '../../../config/index.ts';
import { type ConfigStore, kubernetesHost } from '../../../registry/index.ts';
import { allowedNamespaces } from './allowed-namespaces.ts';
import { listenerTls } from './listener-tls.ts';
import { defaultController, gatewayGroup, type KubeGatewayObject, type RouteKind } from './objects.ts';
import type { Problem } from './problem.ts';

export interface ServedGateway {
  readonly object: KubeGatewayObject;
  /** Host names of the services whose pods listen. */
  readonly services: readonly string[];
  /** Whether the services are named by the Gateway; else its pods are those that bear its name. */
  readonly namesServices: boolean;
  readonly problem?: Problem;
  readonly listeners: readonly ServedListener[];
}

export interface ServedListener {
  readonly gateway: KubeGatewayObject;
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
}

export const isUsable = (listener: ServedListener): boolean => !listener.tlsProblem && !listener.protocolProblem;

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
  const listeners = services.length === 0 ? [] : (object.spec.listeners ?? []);
  return {
    object,
    services,
    namesServices,
    problem: problem ?? parametersProblem(store, object),
    listeners: listeners.map((listener) => servedListener(store, object, listener)),
  };
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

function servedListener(store: ConfigStore, gateway: KubeGatewayObject, listener: GatewayListener): ServedListener {
  const tls = listenerTls(store, gateway, listener);
  const kinds = kindsOf(listener);
  const { namespace, name } = gateway.metadata;
  return {
    gateway,
    listener,
    internalName: `${namespace}/${name}~istio-autogenerated-k8s-gateway~${listener.name}`,
    hostname: listener.hostname?.toLowerCase() || '*',
    namespaces: allowedNamespaces(store, namespace, listener),
    kinds,
    asksForOtherKinds: kinds.length < (listener.allowedRoutes?.kinds?.length ?? 0),
    tls: tls.value,
    tlsProblem: tls.problem,
    protocolProblem: protocolProblem(listener.protocol),
  };
}

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
  return possible.filter((kind) => asked.some((one) => one.kind === kind && (one.group ?? gatewayGroup) === gatewayGroup));
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
