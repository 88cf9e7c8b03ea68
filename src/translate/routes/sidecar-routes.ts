// Which virtual hosts make up a route table of a sidecar. The tables are put together from already encoded
// virtual hosts.
import { type Audience, type EgressScope, egressFor, type Mesh } from '../../mesh/index.ts';
import {
  isHttp,
  isWildcard,
  overlaps,
  parseProtocol,
  resolveHost,
  type Service,
} from '../../registry/index.ts';
import { httpProxyRouteName, isSocket, outboundCluster, parseSidecarRouteName } from '../names.ts';
import type { RoutePort } from './route-context.ts';

/** The port on which hosts that are no service are routed by VirtualServices alone. */
const foreignPort = 80;

export type VirtualHostRef =
  | (RoutePort & { readonly kind: 'service'; readonly key: string })
  /** One service behind a listener of its own, whatever the Host. */
  | (RoutePort & { readonly kind: 'detected'; readonly key: string })
  /** An ExternalName service, if it has rules of its own. */
  | (RoutePort & { readonly kind: 'alias'; readonly key: string; readonly of: string })
  | (RoutePort & { readonly kind: 'foreign'; readonly host: string })
  | { readonly kind: 'catch-all'; readonly policy: UndeclaredPolicy; readonly proxy?: string };

/**
 * What becomes of destinations that nobody declared: dialled as the client did, looked up by name, or
 * nothing.
 */
export type UndeclaredPolicy = 'allow' | 'look-up' | 'block';

/** Undefined when the name is of no route table that this audience has. */
export function sidecarRouteTable(
  mesh: Mesh,
  audience: Audience,
  name: string,
): readonly VirtualHostRef[] | undefined {
  const scope = mesh.scope(audience);
  if (name === httpProxyRouteName && !audience.captured)
    return everyPortTable(mesh, audience, egressFor(scope, 0));
  if (name === httpProxyRouteName || isSocket(name))
    return portTable(mesh, audience, egressFor(scope, name), proxiedPort(name));
  const parsed = parseSidecarRouteName(name);
  if (!parsed) return undefined;
  if (parsed.host !== undefined) return detectedTable(mesh, audience, parsed.host, parsed.port);
  const egress = egressFor(scope, parsed.port);
  if (!egress) return undefined;
  const isProxy = parseProtocol(egress.port?.protocol) === 'http_proxy';
  return portTable(
    mesh,
    audience,
    egress,
    isProxy
      ? proxiedPort(parsed.port)
      : { at: { port: parsed.port }, needsService: parsed.port !== foreignPort },
  );
}

interface TablePort {
  readonly at: RoutePort;
  /** Whether a VirtualService counts only if one of its hosts is a service of the port. */
  readonly needsService: boolean;
}

/**
 * An explicit HTTP proxy (MeshConfig `proxyHttpPort`, or a Sidecar's listener with the protocol HTTP_PROXY)
 * has the virtual hosts of port 80: those of other ports would go by HOST:PORT, and the port of an authority
 * is not looked at.
 */
function proxiedPort(listener: number | string): TablePort {
  return { at: { port: 80, proxyPort: listener }, needsService: true };
}

function portTable(
  mesh: Mesh,
  audience: Audience,
  egress: EgressScope | undefined,
  port: TablePort,
): readonly VirtualHostRef[] {
  if (!egress) return [catchAll(mesh, audience)];
  const { at } = port;
  const place = { namespace: audience.namespace, egress };
  const onPort = mesh.servicesReachedBy(audience, egress).filter((service) => servesOn(service, at.port));
  const services = onPort.filter((service) => servesHttp(service, at.port));
  const hosts = services.map((service) => ({ kind: 'service', key: service.key, ...at }) as const);
  const aliases = services.flatMap((service) => aliasesWithRules(mesh, place, service, at.port));
  const foreign = foreignHosts(mesh, place, port, {
    known: [...onPort, ...aliases],
    served: [...services, ...aliases],
  });
  const refs = aliases.map(({ key, of }) => ({ kind: 'alias', key, of, ...at }) as const);
  return [...hosts, ...refs, ...foreign, catchAll(mesh, audience)];
}

interface Place {
  readonly namespace: string;
  readonly egress: EgressScope;
}

/** ExternalName services that stand for a service on a port, and that some VirtualService names. */
function aliasesWithRules(
  mesh: Mesh,
  { namespace, egress }: Place,
  service: Service,
  port: number,
): readonly { readonly key: string; readonly hostname: string; readonly of: string }[] {
  return mesh
    .aliasesOf(namespace, egress, service)
    .filter(({ ports }) =>
      ports.some(({ number, protocol }) => number === port && (isHttp(protocol) || protocol === 'auto')),
    )
    .filter(({ hostname }) => mesh.virtualServicesOf(namespace, egress, hostname).length > 0)
    .map(({ key, hostname }) => ({ key, hostname, of: service.key }));
}

export function undeclaredPolicy(mesh: Mesh, audience: Audience): UndeclaredPolicy {
  const own = mesh.scope(audience).outboundTrafficPolicy;
  if (own) return own.mode === 'ALLOW_ANY' ? 'allow' : 'block';
  switch (mesh.settings.outboundPolicy) {
    case 'ALLOW_ANY':
      return 'allow';
    case 'ALLOW_ANY_DYNAMIC_DNS':
      return 'look-up';
    case 'REGISTRY_ONLY':
      return 'block';
  }
}

/** The cluster of the proxy that a Sidecar names for destinations that nobody declared. */
export function egressProxyCluster(mesh: Mesh, audience: Audience): string | undefined {
  const { sidecar, outboundTrafficPolicy } = mesh.scope(audience);
  const { host, port, subset } = outboundTrafficPolicy?.egressProxy ?? {};
  if (!sidecar || !host || outboundTrafficPolicy?.mode !== 'ALLOW_ANY') return undefined;
  return outboundCluster(
    port?.number ?? 0,
    subset,
    resolveHost(host, sidecar.metadata.namespace, mesh.settings.domain),
  );
}

function catchAll(mesh: Mesh, audience: Audience): VirtualHostRef {
  return {
    kind: 'catch-all',
    policy: undeclaredPolicy(mesh, audience),
    proxy: egressProxyCluster(mesh, audience),
  };
}

function servesOn({ resolution, ports }: Service, port: number): boolean {
  return (
    resolution !== 'alias' && ports.some(({ number, protocol }) => number === port && protocol !== 'udp')
  );
}

function servesHttp({ ports }: Service, port: number): boolean {
  return ports.some(({ number, protocol }) => number === port && (isHttp(protocol) || protocol === 'auto'));
}

/**
 * Where nothing is captured, an application reaches the mesh by its HTTP proxy alone: each service is a
 * virtual host on the first of its HTTP ports, whatever port a client names.
 */
function everyPortTable(
  mesh: Mesh,
  audience: Audience,
  egress: EgressScope | undefined,
): readonly VirtualHostRef[] {
  if (!egress) return [catchAll(mesh, audience)];
  const hosts = mesh.servicesReachedBy(audience, egress).flatMap((service) => {
    const port = service.ports.find(({ number }) => servesHttp(service, number));
    return port ? [{ service, ref: { kind: 'service', key: service.key, port: port.number } as const }] : [];
  });
  const bearing = hosts.map(({ service }) => service);
  const foreign = foreignHosts(
    mesh,
    { namespace: audience.namespace, egress },
    { at: { port: foreignPort }, needsService: false },
    { known: bearing, served: bearing },
  );
  return [...hosts.map(({ ref }) => ref), ...foreign, catchAll(mesh, audience)];
}

function detectedTable(
  mesh: Mesh,
  audience: Audience,
  host: string,
  port: number,
): readonly VirtualHostRef[] | undefined {
  const service = mesh.serviceFor(audience, host);
  if (!service) return undefined;
  return service.ports.some((candidate) => candidate.number === port)
    ? [{ kind: 'detected', key: service.key, port }]
    : [];
}

interface ServicesOfPort {
  /** Of any protocol. */
  readonly known: readonly Pick<Service, 'hostname'>[];
  readonly served: readonly Pick<Service, 'hostname'>[];
}

/**
 * Hosts that VirtualServices name and no service of the port bears. They are served on port 80, and on the
 * ports of the services that the same VirtualService names.
 */
function foreignHosts(
  mesh: Mesh,
  place: Place,
  { at, needsService }: TablePort,
  { known, served }: ServicesOfPort,
): readonly VirtualHostRef[] {
  const names = new Set(known.map((service) => service.hostname));
  const isForeign = (host: string): boolean =>
    host !== '' &&
    host !== '*' &&
    !names.has(host) &&
    !(isWildcard(host) && known.some((service) => overlaps(host, service.hostname)));
  const beside = needsService ? new Set(served.map((service) => service.hostname)) : undefined;
  return mesh
    .virtualServiceHostPatterns()
    .filter(isForeign)
    .filter((host) => mesh.isServedElsewhere(place, host, beside))
    .map((host) => ({ kind: 'foreign', host, ...at }) as const);
}
