// VirtualServices with every name resolved: hosts, destinations, gateways, delegates.
import { deepEqual, type Origin, within } from '../base/index.ts';
import type {
  Destination,
  HTTPMatchRequest,
  HTTPRoute,
  HTTPRouteDestination,
  L4MatchAttributes,
  RouteDestination,
  TCPRoute,
  TLSMatchAttributes,
  TLSRoute,
  VirtualService,
} from '../config/index.ts';
import { byAge, keyOf, type ObjectOf, resolveHost } from '../registry/index.ts';
import { type RouteSemantics, routeSemanticsAnnotation } from './conversion/generated.ts';
import { nearness, type Visibility, visibilityOf } from './visibility.ts';

export const meshGateway = 'mesh';

/** A part of a rule with where it was written; of a merged one, what a delegate says first. */
export type Placed<T> = T & { readonly origins: readonly Origin[] };

export type HttpMatch = Placed<HTTPMatchRequest>;
export type HttpTarget = Placed<HTTPRouteDestination>;

export interface HttpRule extends Placed<HTTPRoute> {
  readonly match?: readonly HttpMatch[];
  readonly route?: readonly HttpTarget[];
}

export interface TlsRule extends Placed<TLSRoute> {
  readonly match?: readonly Placed<TLSMatchAttributes>[];
  readonly route?: readonly Placed<RouteDestination>[];
}

export interface TcpRule extends Placed<TCPRoute> {
  readonly match?: readonly Placed<L4MatchAttributes>[];
  readonly route?: readonly Placed<RouteDestination>[];
}

export interface VirtualServiceModel {
  /** `namespace/name`. */
  readonly key: string;
  readonly name: string;
  readonly namespace: string;
  readonly createdAt: number;
  readonly hosts: readonly string[];
  /** `mesh` or `namespace/name` of a Gateway. */
  readonly gateways: readonly string[];
  readonly visibility: Visibility;
  readonly http: readonly HttpRule[];
  readonly tls: readonly TlsRule[];
  readonly tcp: readonly TcpRule[];
  /**
   * Of Ingress and Gateway API, path prefixes end at a slash; of the latter, a missing cluster answers 500.
   */
  readonly semantics: RouteSemantics;
  readonly origin: Origin;
}

export interface VirtualServiceContext {
  readonly domain: string;
  readonly defaultExportTo: readonly string[] | undefined;
}

export function resolveVirtualService(
  object: ObjectOf<'VirtualService'>,
  context: VirtualServiceContext,
): VirtualServiceModel {
  const { metadata, spec } = object;
  const names: Names = { namespace: metadata.namespace, domain: context.domain, origin: object.origin };
  return {
    key: keyOf(object),
    name: metadata.name,
    namespace: metadata.namespace,
    createdAt: metadata.creationTimestamp ?? 0,
    hosts: virtualServiceHosts(object, context.domain),
    gateways: resolveGateways(spec.gateways, metadata.namespace) ?? [meshGateway],
    visibility: visibilityOf(spec.exportTo, metadata.namespace, context.defaultExportTo),
    http: (spec.http ?? []).map((route, i) => resolveHttpRoute(route, names, `spec.http[${i}]`)),
    tls: (spec.tls ?? []).map((route, i) => resolveRule(route, names, `spec.tls[${i}]`)),
    tcp: (spec.tcp ?? []).map((route, i) => resolveRule(route, names, `spec.tcp[${i}]`)),
    semantics: semanticsOf(metadata.annotations[routeSemanticsAnnotation]),
    origin: object.origin,
  };
}

function semanticsOf(text: string | undefined): RouteSemantics {
  return text === 'gateway' || text === 'ingress' ? text : 'istio';
}

/** Lower-case FQDNs, in the order of the resource. */
export function virtualServiceHosts(object: ObjectOf<'VirtualService'>, domain: string): readonly string[] {
  return (object.spec.hosts ?? []).map((host) =>
    resolveHost(host, object.metadata.namespace, domain).toLowerCase(),
  );
}

/** `reviews` of namespace shop means `shop/reviews`; `mesh` stays. */
export function resolveGateways(
  gateways: readonly string[] | undefined,
  namespace: string,
): readonly string[] | undefined {
  if (!gateways?.length) return undefined;
  return gateways.map((gateway) => (gateway === meshGateway ? gateway : gatewayOfName(gateway, namespace)));
}

/**
 * A short name is of the namespace itself, as is `./name`; Istio of 2018 wrote `name.namespace`, with or
 * without the domain.
 */
function gatewayOfName(gateway: string, namespace: string): string {
  if (gateway.includes('/')) return gateway.startsWith('./') ? `${namespace}${gateway.slice(1)}` : gateway;
  const [name = '', space] = gateway.split('.');
  return `${space ?? namespace}/${name}`;
}

/** What the names in a resource are resolved by, and where the resource is from. */
interface Names {
  readonly namespace: string;
  readonly domain: string;
  readonly origin: Origin;
}

interface Rule<M, T> {
  readonly match?: readonly M[];
  readonly route?: readonly T[];
}

function resolveRule<
  M extends { readonly gateways?: readonly string[] },
  T extends { readonly destination?: Destination },
  R extends Rule<M, T>,
>(route: R & Rule<M, T>, names: Names, path: string): Placed<R> & Rule<Placed<M>, Placed<T>> {
  return {
    ...route,
    match: resolveMatches(route.match, names, path),
    route: resolveTargets(route.route, names, path),
    origins: [within(names.origin, path)],
  };
}

function resolveHttpRoute(route: HTTPRoute, names: Names, path: string): HttpRule {
  return {
    ...route,
    match: resolveMatches(route.match, names, path),
    route: resolveTargets(route.route, names, path),
    origins: [within(names.origin, path)],
    mirror: route.mirror && resolveDestination(route.mirror, names),
    mirrors: route.mirrors?.map((mirror) => ({
      ...mirror,
      destination: mirror.destination && resolveDestination(mirror.destination, names),
    })),
    delegate: route.delegate && { ...route.delegate, namespace: route.delegate.namespace || names.namespace },
  };
}

function resolveTargets<T extends { readonly destination?: Destination }>(
  targets: readonly T[] | undefined,
  names: Names,
  path: string,
): readonly Placed<T>[] | undefined {
  return targets?.map((target, i) => ({
    ...target,
    ...(target.destination ? { destination: resolveDestination(target.destination, names) } : {}),
    origins: [within(names.origin, `${path}.route[${i}]`)],
  }));
}

function resolveDestination(destination: Destination, names: Names): Destination {
  return { ...destination, host: resolveHost(destination.host ?? '', names.namespace, names.domain) };
}

function resolveMatches<T extends { readonly gateways?: readonly string[] }>(
  matches: readonly T[] | undefined,
  names: Names,
  path: string,
): readonly Placed<T>[] | undefined {
  return matches?.map((match, i) => ({
    ...match,
    ...(match.gateways?.length ? { gateways: resolveGateways(match.gateways, names.namespace) } : {}),
    origins: [within(names.origin, `${path}.match[${i}]`)],
  }));
}

/** Where the rules lead to, as far as they are for clients of a namespace. */
export function destinationsOf(
  { http, tls, tcp }: Pick<VirtualServiceModel, 'http' | 'tls' | 'tcp'>,
  client?: string,
): readonly Destination[] {
  const ofHttp = http
    .filter((rule) => client === undefined || concernsNamespace(rule, client))
    .flatMap(({ route, mirror, mirrors }) => [
      ...targetsOf(route),
      ...(mirror ? [mirror] : []),
      ...targetsOf(mirrors),
    ]);
  return [...ofHttp, ...[...tls, ...tcp].flatMap(({ route }) => targetsOf(route))];
}

function concernsNamespace({ match = [] }: HTTPRoute, client: string): boolean {
  const sources = match.flatMap(({ sourceNamespace }) => sourceNamespace || []);
  return sources.length === 0 || sources.includes(client);
}

function targetsOf(
  targets: readonly { readonly destination?: Destination }[] | undefined,
): readonly Destination[] {
  return (targets ?? []).flatMap(({ destination }) => destination ?? []);
}

/** The hosts that the rules of an object lead to, of its delegates apart. */
export function destinationHosts(object: ObjectOf<'VirtualService'>, domain: string): readonly string[] {
  const model = resolveVirtualService(object, { domain, defaultExportTo: undefined });
  return [...new Set(destinationsOf(model).map(({ host = '' }) => host))];
}

/**
 * Private rules, those exported by name, public ones. Among these, routes of the Gateway API in the client's
 * own namespace, which it made for itself; then by age.
 */
export function firstTriedFirst(
  namespace: string,
): (a: VirtualServiceModel, b: VirtualServiceModel) => number {
  const isOwnRoute = ({ semantics, namespace: home }: VirtualServiceModel): boolean =>
    semantics === 'gateway' && home === namespace;
  const rank = (model: VirtualServiceModel): number =>
    2 * nearness(model.visibility, model.namespace, namespace) + (isOwnRoute(model) ? 0 : 1);
  return (a, b) => rank(a) - rank(b) || byAge(a, b);
}

export const sameModel = (a: VirtualServiceModel | undefined, b: VirtualServiceModel | undefined): boolean =>
  deepEqual(a, b);
export const isDelegate = (spec: VirtualService): boolean => (spec.hosts ?? []).length === 0;
