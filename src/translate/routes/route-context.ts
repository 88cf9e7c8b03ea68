import type { HTTPRetry, LoadBalancerSettings } from '../../config/index.ts';
import { type Audience, effectivePolicy, type Mesh } from '../../mesh/index.ts';

/** What building a route needs to know of the mesh around it. */
export interface RouteContext {
  readonly listenerPort: number;
  /** Whether requests arrive over TLS that the proxy ended. */
  readonly tls: boolean;
  readonly meshRetries?: HTTPRetry;
  /** The port that a destination without one means. */
  destinationPort(host: string): number;
  loadBalancer(host: string, port: number, subset: string | undefined): LoadBalancerSettings | undefined;
}

export interface RouteContextOptions {
  readonly mesh: Mesh;
  readonly audience: Audience;
  readonly listenerPort: number;
  readonly tls: boolean;
}

export function routeContext({ mesh, audience, listenerPort, tls }: RouteContextOptions): RouteContext {
  return {
    listenerPort,
    tls,
    meshRetries: mesh.settings.config.defaultHttpRetryPolicy,
    // A sidecar dials the port that the application dialled; a gateway's port says nothing of the service's.
    destinationPort: (host) => (audience.type === 'sidecar' ? listenerPort : (onlyPort(mesh, audience, host) ?? listenerPort)),
    loadBalancer: (host, port, subset) => loadBalancerOf(mesh, audience, host, port, subset),
  };
}

function onlyPort(mesh: Mesh, audience: Audience, host: string): number | undefined {
  const ports = mesh.serviceFor(audience.namespace, host)?.ports ?? [];
  return ports.length === 1 ? ports[0]?.number : undefined;
}

function loadBalancerOf(
  mesh: Mesh,
  audience: Audience,
  host: string,
  port: number,
  subset: string | undefined,
): LoadBalancerSettings | undefined {
  const service = mesh.serviceFor(audience.namespace, host);
  if (!service) return undefined;
  const rule = mesh.destinationRule(audience, service);
  return effectivePolicy(rule, port, subset ? rule?.subsets.find((candidate) => candidate.name === subset) : undefined).loadBalancer;
}
