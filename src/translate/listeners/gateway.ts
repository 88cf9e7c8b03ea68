// Listeners of a gateway: one an address and port, with a filter chain for each server or route that SNI
// tells apart.
import { create } from '@bufbuild/protobuf';
import { TrafficDirection } from '@meltemi/envoy-api/envoy/config/core/v3/base';
import { type Listener, ListenerSchema } from '@meltemi/envoy-api/envoy/config/listener/v3/listener';
import {
  type Filter,
  type FilterChain,
  FilterChainSchema,
} from '@meltemi/envoy-api/envoy/config/listener/v3/listener_components';
import type { RouteDestination } from '../../config/index.ts';
import {
  type Audience,
  type GatewayPort,
  type GatewayServer,
  isPassthrough,
  isTlsServer,
  type Mesh,
  passesAutomatically,
  type TlsRule,
  terminatesHttps,
  type VirtualServiceModel,
} from '../../mesh/index.ts';
import { covers, overlaps, parseProtocol } from '../../registry/index.ts';
import { listenerAccessLogs } from '../features/access-log.ts';
import { serverTls } from '../features/downstream-tls.ts';
import { dynamicDnsSniFilter } from '../features/dynamic-dns.ts';
import { concernsClient } from '../features/route-match.ts';
import { listenerName } from '../names.ts';
import { madeOf } from '../origins.ts';
import { gatewayRouteName, sharedHosts } from '../routes/gateway-routes.ts';
import { duration, pipeAddress, socketAddress } from '../wire.ts';
import { autoPassthroughChains } from './auto-passthrough.ts';
import { cidrRange } from './cidr-range.ts';
import { Claims } from './claims.ts';
import { httpConnectionManager } from './http-connection-manager.ts';
import { proxyProtocol, tlsInspector } from './listener-filters.ts';
import { routed } from './tcp-chains.ts';
import { tcpProxy } from './tcp-proxy.ts';

const unixPrefix = 'unix://';

/** Undefined when nothing is routed there: a port that only resets connections is better closed. */
export function gatewayListener(mesh: Mesh, audience: Audience, port: GatewayPort): Listener | undefined {
  const claims = new Claims();
  const chains =
    port.kind === 'http'
      ? httpChains(mesh, audience, port)
      : port.servers.flatMap((server) => serverChains({ mesh, audience, port, server, claims }));
  if (chains.length === 0) return undefined;
  return create(ListenerSchema, {
    name: listenerName(port.bind, port.port),
    address: port.bind.startsWith(unixPrefix)
      ? pipeAddress(port.bind.slice(unixPrefix.length))
      : socketAddress(port.bind, port.port),
    filterChains: chains,
    listenerFilters: [
      ...(mesh.settings.config.defaultConfig?.gatewayTopology?.proxyProtocol ? [proxyProtocol()] : []),
      ...(port.servers.some((server) => isTlsServer(server.server)) ? [tlsInspector()] : []),
    ],
    trafficDirection: TrafficDirection.OUTBOUND,
    accessLog: listenerAccessLogs(mesh.settings.config),
  });
}

function httpChains(mesh: Mesh, audience: Audience, port: GatewayPort): FilterChain[] {
  const first = port.servers[0];
  const name = first && gatewayRouteName(port, first);
  return name
    ? [
        madeOf(
          create(FilterChainSchema, {
            filters: [manager({ mesh, audience, port }, name, port.servers)],
            transportSocketConnectTimeout: duration(15_000),
          }),
          ...port.servers.map(({ origin }) => origin),
        ),
      ]
    : [];
}

function manager(
  { mesh, audience, port }: Pick<ServerInput, 'mesh' | 'audience' | 'port'>,
  routes: string,
  servers: readonly GatewayServer[],
): ReturnType<typeof httpConnectionManager> {
  return httpConnectionManager({
    side: 'gateway',
    statPrefix: `outbound_${listenerName(port.bind, port.port)};`,
    routes: { kind: 'rds', name: routes },
    mesh: mesh.settings.config,
    dynamicDns: reachesLookedUpHosts(mesh, audience, servers),
    grpcWeb: servers.some((server) => parseProtocol(server.server.port?.protocol) === 'grpc-web'),
  });
}

interface ServerInput {
  readonly mesh: Mesh;
  readonly audience: Audience;
  readonly port: GatewayPort;
  readonly server: GatewayServer;
  readonly claims: Claims;
}

function serverChains(input: ServerInput): readonly FilterChain[] {
  const { server } = input.server;
  if (terminatesHttps(server)) return httpsChain(input);
  if (passesAutomatically(server))
    return autoPassthroughChains(input.mesh, input.audience, input.server, input.claims);
  if (isTlsServer(server) && isPassthrough(server)) return tlsRouteChains(input);
  return tcpRouteChains(input);
}

// Two servers for one host would make the listener invalid, so the younger one is left out whole.
function claim({ claims, server }: ServerInput): readonly string[] | undefined {
  const names = [...new Set(server.hosts.map((entry) => entry.host))];
  if (!claims.takeWhole(names)) return undefined;
  return names.includes('*') ? [] : names;
}

function httpsChain(input: ServerInput): readonly FilterChain[] {
  const routes = gatewayRouteName(input.port, input.server);
  const names = claim(input);
  if (!routes || !names) return [];
  const chain = create(FilterChainSchema, {
    filterChainMatch: { serverNames: [...names] },
    filters: [manager(input, routes, [input.server])],
    transportSocket: serverTls(input.server.server.tls ?? {}, true, input.mesh.settings.config.tlsDefaults),
    transportSocketConnectTimeout: duration(15_000),
  });
  return [madeOf(chain, input.server.origin)];
}

function tlsRouteChains({ mesh, audience, port, server, claims }: ServerInput): readonly FilterChain[] {
  return mesh.virtualServicesOfGateway(server.gateway, audience.namespace).flatMap((model) => {
    const hosts = sharedHosts(server, model);
    if (hosts.length === 0) return [];
    return model.tls.flatMap((route) =>
      (route.match ?? [])
        .filter((match) => concernsClient(match, clientOf(audience, server, port)))
        .flatMap((match) => {
          const wanted = (match.sniHosts ?? []).filter((sni) => hosts.some((host) => covers(host, sni)));
          if (wanted.length === 0) return [];
          return claims
            .take({ sniHosts: wanted, subnets: match.destinationSubnets ?? [] })
            .map(({ sniHosts, subnets }) => {
              const chain = create(FilterChainSchema, {
                filterChainMatch: { serverNames: [...sniHosts], prefixRanges: subnets.map(cidrRange) },
                filters: proxyTo({ mesh, audience, port }, route.route ?? [], model),
              });
              return madeOf(chain, ...match.origins, ...route.origins, server.origin);
            });
        }),
    );
  });
}

/** Plain TCP, and TLS that the gateway ends: routed by the first rule for it. */
function tcpRouteChains(input: ServerInput): readonly FilterChain[] {
  const { mesh, audience, port, server } = input;
  const ends = isTlsServer(server.server);
  for (const model of mesh.virtualServicesOfGateway(server.gateway, audience.namespace)) {
    const hosts = sharedHosts(server, model);
    if (hosts.length === 0) continue;
    const route =
      model.tcp.find((rule) => isFor(rule.match, input)) ??
      (ends ? endedTlsRoute(model, hosts, input) : undefined);
    if (!route) continue;
    const names = claim(input);
    if (!names) return [];
    const chain = create(FilterChainSchema, {
      filterChainMatch: ends ? { serverNames: [...names] } : undefined,
      filters: proxyTo({ mesh, audience, port }, route.route ?? [], model),
      transportSocket: ends
        ? serverTls(server.server.tls ?? {}, false, mesh.settings.config.tlsDefaults)
        : undefined,
    });
    return [madeOf(chain, ...route.origins, server.origin)];
  }
  return [];
}

type ClientMatch = Parameters<typeof concernsClient>[0];

function isFor(
  matches: readonly ClientMatch[] | undefined,
  { audience, server, port }: ServerInput,
): boolean {
  return !matches?.length || matches.some((match) => concernsClient(match, clientOf(audience, server, port)));
}

/**
 * A TLSRoute may be attached to a listener that ends TLS; `tls` rules of a user's VirtualService are for
 * passthrough only.
 */
function endedTlsRoute(
  model: VirtualServiceModel,
  hosts: readonly string[],
  input: ServerInput,
): TlsRule | undefined {
  if (model.semantics !== 'gateway') return undefined;
  return model.tls.find(
    ({ match }) =>
      isFor(match, input) &&
      match?.some(({ sniHosts = [] }) => sniHosts.some((sni) => hosts.some((host) => overlaps(host, sni)))),
  );
}

function clientOf(
  audience: Audience,
  server: GatewayServer,
  port: GatewayPort,
): Parameters<typeof concernsClient>[1] {
  return {
    labels: audience.labels,
    namespace: audience.namespace,
    gateways: [server.gateway],
    port: port.portNumber,
  };
}

function proxyTo(
  { mesh, audience, port }: Pick<ServerInput, 'mesh' | 'audience' | 'port'>,
  route: readonly RouteDestination[],
  { name, namespace }: VirtualServiceModel,
): Filter[] {
  const { config } = mesh.settings;
  const to = routed({ mesh, audience, port: { number: port.portNumber } }, route, name, namespace);
  return [
    ...(to.lookUpPort ? [dynamicDnsSniFilter(config, to.lookUpPort)] : []),
    tcpProxy({ ...to, mesh: config }),
  ];
}

/** Whether a rule of the servers names a host that is looked up by the Host of each request. */
function reachesLookedUpHosts(mesh: Mesh, audience: Audience, servers: readonly GatewayServer[]): boolean {
  return servers.some(({ gateway }) =>
    mesh
      .virtualServicesOfGateway(gateway, audience.namespace)
      .flatMap((model) => model.http.flatMap((rule) => rule.route ?? []))
      .some(({ destination }) => mesh.serviceFor(audience, destination.host)?.resolution === 'dynamic-dns'),
  );
}
