// The VirtualService that routes a service's requests for a client, and what that means for the names that
// stand for the service.
import type { Route } from '@meltemi/envoy-api/envoy/config/route/v3/route_components';
import {
  type Audience,
  type EgressScope,
  egressFor,
  firstTriedFirst,
  type Mesh,
  meshGateway,
  type VirtualServiceModel,
} from '../../mesh/index.ts';
import type { Service } from '../../registry/index.ts';
import { virtualServiceRoutes } from './http-route.ts';
import { type RouteContext, type RoutePort, routeContext } from './route-context.ts';

export interface ServiceRules {
  readonly model: VirtualServiceModel;
  readonly routes: readonly Route[];
}

/** The first VirtualService that has a rule for this client, with its routes. */
export function serviceRules(
  mesh: Mesh,
  audience: Audience,
  service: Service,
  at: RoutePort,
): ServiceRules | undefined {
  const egress = egressAt(mesh, audience, at);
  return (
    egress &&
    firstWithRoutes(mesh, audience, mesh.virtualServicesOf(audience.namespace, egress, service.hostname), at)
  );
}

function egressAt(
  mesh: Mesh,
  audience: Audience,
  { port, proxyPort = port }: RoutePort,
): EgressScope | undefined {
  return egressFor(mesh.scope(audience), proxyPort);
}

/** The same for a host that is no service. */
export function hostRules(
  mesh: Mesh,
  audience: Audience,
  host: string,
  at: RoutePort,
): ServiceRules | undefined {
  const egress = egressAt(mesh, audience, at);
  return (
    egress &&
    firstWithRoutes(mesh, audience, mesh.virtualServicesNaming(audience.namespace, egress, host), at)
  );
}

/** The ExternalName services whose requests go the way of the service's own. */
export function aliasesServedWith(
  mesh: Mesh,
  audience: Audience,
  service: Service,
  at: RoutePort,
): readonly Service[] {
  const egress = egressAt(mesh, audience, at);
  const aliases = egress ? mesh.aliasesOf(audience.namespace, egress, service) : [];
  return aliases.filter((alias) => !aliasRules(mesh, audience, { alias, service, at }));
}

export interface Alias {
  readonly alias: Service;
  /** What it stands for. */
  readonly service: Service;
  readonly at: RoutePort;
}

/**
 * Rules of an ExternalName service's own on a port that it declares, if they go before those of the service
 * behind it.
 */
export function aliasRules(
  mesh: Mesh,
  audience: Audience,
  { alias, service, at }: Alias,
): ServiceRules | undefined {
  if (!alias.ports.some(({ number }) => number === at.port)) return undefined;
  const own = serviceRules(mesh, audience, alias, at);
  const behind = own && serviceRules(mesh, audience, service, at);
  return behind && firstTriedFirst(audience.namespace)(behind.model, own.model) <= 0 ? undefined : own;
}

function firstWithRoutes(
  mesh: Mesh,
  audience: Audience,
  models: readonly VirtualServiceModel[],
  at: RoutePort,
): ServiceRules | undefined {
  const context = contextAt(mesh, audience, at);
  const client = {
    labels: audience.labels,
    namespace: audience.namespace,
    gateways: [meshGateway],
    port: context.listenerPort,
  };
  for (const model of models) {
    const routes = virtualServiceRoutes(model, client, context);
    if (routes.length > 0) return { model, routes };
  }
  return undefined;
}

/** Rules are tried as if the application had not said a port where it talks to an HTTP proxy. */
export function contextAt(mesh: Mesh, audience: Audience, { port, proxyPort }: RoutePort): RouteContext {
  return routeContext({ mesh, audience, listenerPort: proxyPort === undefined ? port : 0, tls: false });
}
