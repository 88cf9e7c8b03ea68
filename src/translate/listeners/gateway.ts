// Listeners of a gateway: one an address and port, with a filter chain for each server or route that SNI tells apart.
import { create } from '@bufbuild/protobuf';
import { TrafficDirection } from '@meltemi/envoy-api/envoy/config/core/v3/base';
import { type Listener, ListenerSchema } from '@meltemi/envoy-api/envoy/config/listener/v3/listener';
import { type FilterChain, FilterChainSchema } from '@meltemi/envoy-api/envoy/config/listener/v3/listener_components';
import {
  type Audience,
  type GatewayPort,
  type GatewayServer,
  isPassthrough,
  isTlsServer,
  type Mesh,
  terminatesHttps,
} from '../../mesh/index.ts';
import { covers, parseProtocol } from '../../registry/index.ts';
import { serverTls } from '../features/downstream-tls.ts';
import { concernsClient } from '../features/route-match.ts';
import { listenerName } from '../names.ts';
import { gatewayRouteName, sharedHosts } from '../routes/gateway-routes.ts';
import { duration, socketAddress } from '../wire.ts';
import { cidrRange } from './cidr-range.ts';
import { httpConnectionManager } from './http-connection-manager.ts';
import { tlsInspector } from './listener-filters.ts';
import { tcpTargets } from './tcp-chains.ts';
import { tcpProxy } from './tcp-proxy.ts';

/** Undefined when nothing is routed there: a port that only resets connections is better closed. */
export function gatewayListener(mesh: Mesh, audience: Audience, port: GatewayPort): Listener | undefined {
  const claimed = new Set<string>();
  const chains =
    port.kind === 'http'
      ? httpChains(mesh, port)
      : port.servers.flatMap((server) => serverChains({ mesh, audience, port, server, claimed }));
  if (chains.length === 0) return undefined;
  return create(ListenerSchema, {
    name: listenerName(port.bind, port.port),
    address: socketAddress(port.bind, port.port),
    filterChains: chains,
    listenerFilters: port.servers.some((server) => isTlsServer(server.server)) ? [tlsInspector()] : [],
    trafficDirection: TrafficDirection.OUTBOUND,
  });
}

function httpChains(mesh: Mesh, port: GatewayPort): FilterChain[] {
  const first = port.servers[0];
  const name = first && gatewayRouteName(port, first);
  return name
    ? [create(FilterChainSchema, { filters: [manager(mesh, port, name, port.servers)], transportSocketConnectTimeout: duration(15_000) })]
    : [];
}

function manager(
  mesh: Mesh,
  port: GatewayPort,
  routes: string,
  servers: readonly GatewayServer[],
): ReturnType<typeof httpConnectionManager> {
  return httpConnectionManager({
    side: 'gateway',
    statPrefix: `outbound_${listenerName(port.bind, port.port)};`,
    routes: { kind: 'rds', name: routes },
    mesh: mesh.settings.config,
    grpcWeb: servers.some((server) => parseProtocol(server.server.port?.protocol) === 'grpc-web'),
  });
}

interface ServerInput {
  readonly mesh: Mesh;
  readonly audience: Audience;
  readonly port: GatewayPort;
  readonly server: GatewayServer;
  /** Server names that earlier servers of the port have taken. */
  readonly claimed: Set<string>;
}

function serverChains(input: ServerInput): readonly FilterChain[] {
  const { server } = input.server;
  if (terminatesHttps(server)) return httpsChain(input);
  if (isTlsServer(server) && isPassthrough(server)) return tlsRouteChains(input);
  return tcpRouteChains(input);
}

// Two servers for one host would make the listener invalid, so the younger one is left out whole.
function claim({ claimed, server }: ServerInput): readonly string[] | undefined {
  const names = server.hosts.map((entry) => entry.host);
  if (names.some((name) => claimed.has(name))) return undefined;
  for (const name of names) claimed.add(name);
  return names.includes('*') ? [] : names;
}

function httpsChain(input: ServerInput): readonly FilterChain[] {
  const routes = gatewayRouteName(input.port, input.server);
  const names = claim(input);
  if (!routes || !names) return [];
  return [
    create(FilterChainSchema, {
      filterChainMatch: { serverNames: [...names] },
      filters: [manager(input.mesh, input.port, routes, [input.server])],
      transportSocket: serverTls(input.server.server.tls ?? {}, true),
      transportSocketConnectTimeout: duration(15_000),
    }),
  ];
}

function tlsRouteChains({ mesh, audience, port, server, claimed }: ServerInput): readonly FilterChain[] {
  return mesh.virtualServicesOfGateway(server.gateway, audience.namespace).flatMap((model) => {
    const hosts = sharedHosts(server, model);
    if (hosts.length === 0) return [];
    return model.tls.flatMap((route) =>
      (route.match ?? [])
        .filter((match) => concernsClient(match, clientOf(audience, server, port)))
        .flatMap((match) => {
          const wanted = (match.sniHosts ?? []).filter(
            (sni) => hosts.some((host) => covers(host, sni)) && !claimed.has(`${sni} ${match.destinationSubnets ?? ''}`),
          );
          if (wanted.length === 0) return [];
          for (const sni of wanted) claimed.add(`${sni} ${match.destinationSubnets ?? ''}`);
          return [
            create(FilterChainSchema, {
              filterChainMatch: {
                serverNames: wanted.includes('*') ? [] : wanted,
                prefixRanges: (match.destinationSubnets ?? []).map(cidrRange),
              },
              filters: [proxyTo(mesh, audience, port, route.route ?? [], `${model.name}.${model.namespace}`)],
            }),
          ];
        }),
    );
  });
}

/** Plain TCP, and TLS that the gateway ends: routed by the first `tcp` rule for it. */
function tcpRouteChains(input: ServerInput): readonly FilterChain[] {
  const { mesh, audience, port, server } = input;
  const ends = isTlsServer(server.server);
  for (const model of mesh.virtualServicesOfGateway(server.gateway, audience.namespace)) {
    if (sharedHosts(server, model).length === 0) continue;
    const route = model.tcp.find(
      (rule) => !rule.match?.length || rule.match.some((match) => concernsClient(match, clientOf(audience, server, port))),
    );
    if (!route) continue;
    const names = claim(input);
    if (!names) return [];
    return [
      create(FilterChainSchema, {
        filterChainMatch: ends ? { serverNames: [...names] } : undefined,
        filters: [proxyTo(mesh, audience, port, route.route ?? [], `${model.name}.${model.namespace}`)],
        transportSocket: ends ? serverTls(server.server.tls ?? {}, false) : undefined,
      }),
    ];
  }
  return [];
}

function clientOf(audience: Audience, server: GatewayServer, port: GatewayPort): Parameters<typeof concernsClient>[1] {
  return { labels: audience.labels, namespace: audience.namespace, gateways: [server.gateway], port: port.portNumber };
}

function proxyTo(
  mesh: Mesh,
  audience: Audience,
  port: GatewayPort,
  route: Parameters<typeof tcpTargets>[2],
  name: string,
): ReturnType<typeof tcpProxy> {
  const targets = tcpTargets(mesh, audience.namespace, route, port.portNumber);
  return tcpProxy({ statPrefix: targets.length === 1 ? (targets[0]?.cluster ?? '') : name, targets });
}
