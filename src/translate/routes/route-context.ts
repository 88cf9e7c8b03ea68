import type { HTTPRetry } from '../../config/index.ts';
import { type Audience, consistentHash, type Mesh } from '../../mesh/index.ts';
import { proxyHeaders } from '../features/proxy-headers.ts';

type ConsistentHash = ReturnType<typeof consistentHash>;

/** Where a sidecar routes requests. */
export interface RoutePort {
  readonly port: number;
  /**
   * The port, or the socket, of a listener that is an HTTP proxy, whose requests go as those on `port` do.
   */
  readonly proxyPort?: number | string;
}

/** What building a route needs to know of the mesh around it. */
export interface RouteContext {
  /** The port that the application dialled; 0 when it talks to an HTTP proxy. */
  readonly listenerPort: number;
  /** Whether requests arrive over TLS that the proxy ended. */
  readonly tls: boolean;
  readonly meshRetries?: HTTPRetry;
  /** Whether a rewritten Host is passed on in `x-forwarded-host`. */
  readonly appendForwardedHost: boolean;
  /** The host that clusters for a destination are named after. */
  clusterHost(host: string): string;
  /** The port that a destination without one means. */
  destinationPort(host: string): number;
  hash(host: string, port: number, subset: string | undefined): ConsistentHash;
}

export interface RouteContextOptions {
  readonly mesh: Mesh;
  readonly audience: Audience;
  readonly listenerPort: number;
  readonly tls: boolean;
}

export function routeContext({ mesh, audience, listenerPort, tls }: RouteContextOptions): RouteContext {
  const knowsPort = audience.type === 'sidecar' && listenerPort !== 0;
  return {
    listenerPort,
    tls,
    meshRetries: mesh.settings.config.defaultHttpRetryPolicy,
    appendForwardedHost: proxyHeaders(mesh.settings.config).xForwardedHost?.enabled ?? false,
    clusterHost: (host) => mesh.clusterHost(audience, host),
    // A sidecar dials the port that the application dialled; the port of a gateway or an HTTP proxy says
    // nothing of the service's.
    destinationPort: (host) => (knowsPort ? listenerPort : (onlyPort(mesh, audience, host) ?? listenerPort)),
    hash: (host, port, subset) => hashOf(mesh, audience, host, port, subset),
  };
}

function onlyPort(mesh: Mesh, audience: Audience, host: string): number | undefined {
  const ports = mesh.serviceFor(audience, host)?.ports ?? [];
  return ports.length === 1 ? ports[0]?.number : undefined;
}

function hashOf(
  mesh: Mesh,
  audience: Audience,
  host: string,
  port: number,
  subset: string | undefined,
): ConsistentHash {
  const service = mesh.serviceFor(audience, host);
  const rule = service && mesh.destinationRule(audience, service);
  return consistentHash(
    rule,
    port,
    subset ? rule?.subsets.find((candidate) => candidate.name === subset) : undefined,
  );
}
