// The VirtualService that routes a service's requests for a client, and what that means for the names that stand for the service.
import type { Route } from '@meltemi/envoy-api/envoy/config/route/v3/route_components';
import { type Audience, egressFor, firstTriedFirst, type Mesh, meshGateway, type VirtualServiceModel } from '../../mesh/index.ts';
import type { Service } from '../../registry/index.ts';
import { virtualServiceRoutes } from './http-route.ts';
import { type RouteContext, routeContext } from './route-context.ts';

export interface ServiceRules {
  readonly model: VirtualServiceModel;
  readonly routes: readonly Route[];
}

/** The first VirtualService that has a rule for this client, with its routes. */
export function serviceRules(mesh: Mesh, audience: Audience, service: Service, port: number): ServiceRules | undefined {
  const egress = egressFor(mesh.scope(audience), port);
  return egress && firstWithRoutes(mesh, audience, mesh.virtualServicesOf(audience.namespace, egress, service.hostname), port);
}

/** The same for a host that is no service. */
export function hostRules(mesh: Mesh, audience: Audience, host: string, port: number): ServiceRules | undefined {
  const egress = egressFor(mesh.scope(audience), port);
  return egress && firstWithRoutes(mesh, audience, mesh.virtualServicesNaming(audience.namespace, egress, host), port);
}

/** The ExternalName services whose requests go the way of the service's own. */
export function aliasesServedWith(mesh: Mesh, audience: Audience, service: Service, port: number): readonly Service[] {
  const egress = egressFor(mesh.scope(audience), port);
  const aliases = egress ? mesh.aliasesOf(audience.namespace, egress, service) : [];
  return aliases.filter((alias) => !aliasRules(mesh, audience, { alias, service, port }));
}

export interface Alias {
  readonly alias: Service;
  /** What it stands for. */
  readonly service: Service;
  readonly port: number;
}

/** Rules of an ExternalName service's own on a port that it declares, if they go before those of the service behind it. */
export function aliasRules(mesh: Mesh, audience: Audience, { alias, service, port }: Alias): ServiceRules | undefined {
  if (!alias.ports.some(({ number }) => number === port)) return undefined;
  const own = serviceRules(mesh, audience, alias, port);
  const behind = own && serviceRules(mesh, audience, service, port);
  return behind && firstTriedFirst(audience.namespace)(behind.model, own.model) <= 0 ? undefined : own;
}

function firstWithRoutes(mesh: Mesh, audience: Audience, models: readonly VirtualServiceModel[], port: number): ServiceRules | undefined {
  const context: RouteContext = routeContext({ mesh, audience, listenerPort: port, tls: false });
  const client = { labels: audience.labels, namespace: audience.namespace, gateways: [meshGateway], port };
  for (const model of models) {
    const routes = virtualServiceRoutes(model, client, context);
    if (routes.length > 0) return { model, routes };
  }
  return undefined;
}
