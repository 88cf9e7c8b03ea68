// The kinds of Gateway API that are converted, and what is asked of all of them.
import { compareText } from '../../../base/index.ts';
import { type ConfigStore, keyOf, type ObjectOf } from '../../../registry/index.ts';

export type KubeGatewayObject = ObjectOf<'gateway.networking.k8s.io/Gateway'>;
export type ListenerSetObject = ObjectOf<'ListenerSet'>;
export type RouteKind = 'HTTPRoute' | 'GRPCRoute' | 'TLSRoute' | 'TCPRoute';
export type HttpRouteObject = ObjectOf<'HTTPRoute'> | ObjectOf<'GRPCRoute'>;
export type RouteObject = HttpRouteObject | ObjectOf<'TLSRoute'> | ObjectOf<'TCPRoute'>;

export const gatewayGroup = 'gateway.networking.k8s.io';
export const istioGroup = 'networking.istio.io';
export const defaultController = 'istio.io/gateway-controller';

const converted = [
  'Ingress',
  'gateway.networking.k8s.io/Gateway',
  'HTTPRoute',
  'GRPCRoute',
  'TLSRoute',
  'TCPRoute',
  'BackendTLSPolicy',
] as const;

/** Whether there is any object to convert. */
export function hasConversions(store: ConfigStore): boolean {
  return converted.some((kind) => store.table(kind).size > 0);
}

/** HTTP and gRPC routes share hosts, and are ordered together. */
export function httpRoutes(store: ConfigStore): readonly HttpRouteObject[] {
  return [...store.table('HTTPRoute').values(), ...store.table('GRPCRoute').values()];
}

export function allRoutes(store: ConfigStore): readonly RouteObject[] {
  return [...httpRoutes(store), ...store.table('TLSRoute').values(), ...store.table('TCPRoute').values()];
}

export function hostnamesOf(route: RouteObject): readonly string[] {
  return (
    (route.kind === 'TCPRoute' ? undefined : route.spec.hostnames)?.map((host) => host.toLowerCase()) ?? []
  );
}

/** Age, then namespace and name. https://gateway-api.sigs.k8s.io/guides/api-design/#conflicts */
export function olderObject(a: Pick<RouteObject, 'metadata'>, b: Pick<RouteObject, 'metadata'>): number {
  const age = (a.metadata.creationTimestamp ?? 0) - (b.metadata.creationTimestamp ?? 0);
  if (age !== 0) return age;
  return compareText(keyOf(a), keyOf(b));
}
