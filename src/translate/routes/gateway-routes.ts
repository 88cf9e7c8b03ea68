// Route tables of a gateway: the VirtualServices bound to the servers of a port, merged host by host.
import { create } from '@bufbuild/protobuf';
import {
  type Route,
  type VirtualHost,
  VirtualHost_TlsRequirementType,
  VirtualHostSchema,
} from '@meltemi/envoy-api/envoy/config/route/v3/route_components';
import type { Origin } from '../../base/index.ts';
import {
  type Audience,
  type GatewayPort,
  type GatewayServer,
  type Mesh,
  terminatesHttps,
  type VirtualServiceModel,
} from '../../mesh/index.ts';
import { covers, narrower } from '../../registry/index.ts';
import { isCatchAll } from '../features/route-match.ts';
import { gatewayHttpRouteName, gatewayHttpsRouteName, virtualHostName } from '../names.ts';
import { madeOf } from '../origins.ts';
import { virtualServiceRoutes } from './http-route.ts';
import { routeContext } from './route-context.ts';
import { countsAttempts, hostOrigin } from './virtual-host.ts';

/** The route table that serves a server, by name; undefined when the server does not speak HTTP. */
export function gatewayRouteName(port: GatewayPort, server: GatewayServer): string | undefined {
  if (port.kind === 'http')
    return port.bind === '0.0.0.0'
      ? gatewayHttpRouteName(port.port)
      : `${gatewayHttpRouteName(port.port)}.${port.bind}`;
  if (!terminatesHttps(server.server)) return undefined;
  return gatewayHttpsRouteName({
    port: port.portNumber,
    portName: server.server.port?.name ?? '',
    gateway: server.gatewayName,
    namespace: server.gatewayNamespace,
  });
}

/** The virtual hosts of a route table, or undefined when no port has it. */
export function gatewayVirtualHosts(
  mesh: Mesh,
  audience: Audience,
  ports: readonly GatewayPort[],
  name: string,
): readonly VirtualHost[] | undefined {
  for (const port of ports) {
    const servers = port.servers.filter((server) => gatewayRouteName(port, server) === name);
    if (servers.length > 0) return mergeServers(mesh, audience, port, servers);
  }
  return undefined;
}

interface HostDraft {
  readonly name: string;
  readonly routes: Route[];
  /** Of the VirtualServices that name the host. */
  readonly origins: Origin[];
  readonly server: Origin;
  requireTls: boolean;
}

function mergeServers(
  mesh: Mesh,
  audience: Audience,
  port: GatewayPort,
  servers: readonly GatewayServer[],
): readonly VirtualHost[] {
  const hosts = new Map<string, HostDraft>();
  for (const server of servers) {
    addRoutes(mesh, audience, port, server, hosts);
    if (server.server.tls?.httpsRedirect)
      for (const { host } of server.hosts) draftOf(hosts, host, server).requireTls = true;
  }
  if (hosts.size === 0)
    return [create(VirtualHostSchema, { name: `blackhole:${port.portNumber}`, domains: ['*'] })];
  return [...hosts.entries()]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([host, { name, routes, origins, server, requireTls }]) => {
      const made = create(VirtualHostSchema, {
        name,
        domains: [host],
        routes: catchAllsLast(routes),
        includeRequestAttemptCount: countsAttempts(mesh),
        requireTls: requireTls ? VirtualHost_TlsRequirementType.ALL : VirtualHost_TlsRequirementType.NONE,
      });
      return madeOf(made, ...origins, server);
    });
}

function addRoutes(
  mesh: Mesh,
  audience: Audience,
  port: GatewayPort,
  server: GatewayServer,
  hosts: Map<string, HostDraft>,
): void {
  const context = routeContext({ mesh, audience, listenerPort: server.portNumber, tls: port.kind === 'tls' });
  const client = {
    labels: audience.labels,
    namespace: audience.namespace,
    gateways: [server.gateway],
    port: server.portNumber,
  };
  for (const model of mesh.virtualServicesOfGateway(server.gateway, audience.namespace)) {
    if (!model.gateways.includes(server.gateway) && !namesInMatch(model, server.gateway)) continue;
    const shared = sharedHosts(server, model);
    if (shared.length === 0) continue;
    const routes = virtualServiceRoutes(model, client, context);
    if (routes.length === 0) continue;
    for (const host of shared) {
      const draft = draftOf(hosts, host, server);
      draft.routes.push(...routes);
      draft.origins.push(narrowestOrigin(model, host));
      draft.requireTls ||= server.server.tls?.httpsRedirect ?? false;
    }
  }
}

function namesInMatch(model: VirtualServiceModel, gateway: string): boolean {
  return model.http.some((rule) => rule.match?.some((match) => match.gateways?.includes(gateway)));
}

/** Of a server's host and a VirtualService's that overlap, the narrower one. */
export function sharedHosts(server: GatewayServer, model: VirtualServiceModel): readonly string[] {
  const shared = model.hosts.flatMap((host) =>
    server.hosts
      .filter((entry) => entry.namespace === '*' || entry.namespace === model.namespace)
      .flatMap((entry) => narrower(entry.host, host)),
  );
  return [...new Set(shared)];
}

function draftOf(hosts: Map<string, HostDraft>, host: string, server: GatewayServer): HostDraft {
  let draft = hosts.get(host);
  if (!draft) {
    const name = virtualHostName(host, server.portNumber);
    draft = { name, routes: [], origins: [], server: server.origin, requireTls: false };
    hosts.set(host, draft);
  }
  return draft;
}

/** Where a VirtualService names a host of a gateway, or the wildcard over it. */
function narrowestOrigin(model: VirtualServiceModel, host: string): Origin {
  return hostOrigin(model, model.hosts.find((named) => covers(named, host) || covers(host, named)) ?? host);
}

/** One VirtualService's catch-all must not hide the rules of the next. */
function catchAllsLast(routes: readonly Route[]): Route[] {
  const all = (route: Route): boolean => route.match !== undefined && isCatchAll(route.match);
  return [...routes.filter((route) => !all(route)), ...routes.filter(all)];
}
