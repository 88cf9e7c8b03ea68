// VirtualServices with every name resolved: hosts, destinations, gateways, delegates.
import { deepEqual, type Origin } from '../base/index.ts';
import type { Destination, HTTPRoute, TCPRoute, TLSRoute, VirtualService } from '../config/index.ts';
import { byAge, type ObjectOf, resolveHost } from '../registry/index.ts';
import { type RouteSemantics, routeSemanticsAnnotation } from './conversion/generated.ts';
import { nearness, type Visibility, visibilityOf } from './visibility.ts';

export const meshGateway = 'mesh';

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
  readonly http: readonly HTTPRoute[];
  readonly tls: readonly TLSRoute[];
  readonly tcp: readonly TCPRoute[];
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
  const names: Names = { namespace: metadata.namespace, domain: context.domain };
  return {
    key: `${metadata.namespace}/${metadata.name}`,
    name: metadata.name,
    namespace: metadata.namespace,
    createdAt: metadata.creationTimestamp ?? 0,
    hosts: virtualServiceHosts(object, context.domain),
    gateways: resolveGateways(spec.gateways, metadata.namespace) ?? [meshGateway],
    visibility: visibilityOf(spec.exportTo, metadata.namespace, context.defaultExportTo),
    http: (spec.http ?? []).map((route) => resolveHttpRoute(route, names)),
    tls: (spec.tls ?? []).map((route) => ({
      ...route,
      match: resolveMatches(route.match, names),
      route: resolveTargets(route.route, names),
    })),
    tcp: (spec.tcp ?? []).map((route) => ({
      ...route,
      match: resolveMatches(route.match, names),
      route: resolveTargets(route.route, names),
    })),
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

interface Names {
  readonly namespace: string;
  readonly domain: string;
}

function resolveHttpRoute(route: HTTPRoute, names: Names): HTTPRoute {
  return {
    ...route,
    match: resolveMatches(route.match, names),
    route: resolveTargets(route.route, names),
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
): readonly T[] | undefined {
  return targets?.map((target) =>
    target.destination ? { ...target, destination: resolveDestination(target.destination, names) } : target,
  );
}

function resolveDestination(destination: Destination, names: Names): Destination {
  return { ...destination, host: resolveHost(destination.host ?? '', names.namespace, names.domain) };
}

function resolveMatches<T extends { readonly gateways?: readonly string[] }>(
  matches: readonly T[] | undefined,
  names: Names,
): readonly T[] | undefined {
  return matches?.map((match) =>
    match.gateways?.length ? { ...match, gateways: resolveGateways(match.gateways, names.namespace) } : match,
  );
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
