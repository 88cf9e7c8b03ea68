// Outbound listener plans as Envoy listeners, and the listener that captured connections reach first.
import { create } from '@bufbuild/protobuf';
import { TrafficDirection } from '@meltemi/envoy-api/envoy/config/core/v3/base';
import { type Listener, ListenerSchema } from '@meltemi/envoy-api/envoy/config/listener/v3/listener';
import {
  type Filter,
  type FilterChain,
  type FilterChainMatchSchema,
  FilterChainSchema,
} from '@meltemi/envoy-api/envoy/config/listener/v3/listener_components';
import type { Mesh } from '../../mesh/index.ts';
import { listenerAccessLogs } from '../features/access-log.ts';
import { dynamicDnsSniFilter } from '../features/dynamic-dns.ts';
import { blackHoleCluster, isSocket, passthroughCluster, socketPath } from '../names.ts';
import { madeOf } from '../origins.ts';
import type { UndeclaredPolicy } from '../routes/sidecar-routes.ts';
import { catchAllVirtualHost } from '../routes/virtual-host.ts';
import { duration, type Init, pipeAddress, socketAddress } from '../wire.ts';
import { outboundCapturePort } from './capture-ports.ts';
import { cidrRange } from './cidr-range.ts';
import { httpConnectionManager } from './http-connection-manager.ts';
import { httpInspector, tlsInspector } from './listener-filters.ts';
import type { HttpChain, OutboundListenerPlan, TcpChain } from './plan.ts';
import { tcpProxy, tcpTo } from './tcp-proxy.ts';

export interface OutboundOptions {
  readonly mesh: Mesh;
  /** What becomes of destinations that nobody declared. */
  readonly undeclared: UndeclaredPolicy;
  /** The cluster of the proxy through which they go, where one is named. */
  readonly egressProxy?: string;
}

const plainHttp: Init<typeof FilterChainMatchSchema> = {
  transportProtocol: 'raw_buffer',
  applicationProtocols: ['http/1.1', 'h2c'],
};

export function outboundListener(plan: OutboundListenerPlan, options: OutboundOptions): Listener {
  const rest = restChain(plan, options);
  const detected = plan.http && plan.rest !== 'http' ? [httpChain(plan, plan.http, options, plainHttp)] : [];
  const matched = [...detected, ...plan.chains.map((chain) => tcpChain(chain, options))];
  const usesSni = plan.chains.some((chain) => chain.sniHosts.length > 0);
  return create(ListenerSchema, {
    name: plan.name,
    address: isSocket(plan.address)
      ? pipeAddress(socketPath(plan.address))
      : socketAddress(plan.address, plan.port),
    filterChains: matched.length > 0 ? matched : [rest],
    defaultFilterChain: matched.length > 0 ? rest : undefined,
    listenerFilters: [
      ...(usesSni ? [tlsInspector()] : []),
      ...(detected.length > 0 ? [httpInspector()] : []),
    ],
    listenerFiltersTimeout: duration(options.mesh.settings.detectionTimeoutMs),
    continueOnListenerFiltersTimeout: true,
    trafficDirection: TrafficDirection.OUTBOUND,
    bindToPort: plan.bound,
    accessLog: listenerAccessLogs(options.mesh.settings.config),
  });
}

function httpChain(
  plan: OutboundListenerPlan,
  http: HttpChain,
  { mesh, undeclared }: OutboundOptions,
  filterChainMatch?: Init<typeof FilterChainMatchSchema>,
): FilterChain {
  return create(FilterChainSchema, {
    filterChainMatch,
    filters: [
      httpConnectionManager({
        side: 'outbound',
        statPrefix: `outbound_${plan.name};`,
        routes: { kind: 'rds', name: http.routeName },
        mesh: mesh.settings.config,
        grpcWeb: http.grpcWeb,
        dynamicDns: http.dynamicDns || undeclared === 'look-up',
      }),
    ],
    transportSocketConnectTimeout: duration(15_000),
  });
}

function tcpChain(chain: TcpChain, options: OutboundOptions): FilterChain {
  const made = create(FilterChainSchema, {
    filterChainMatch: { serverNames: [...chain.sniHosts], prefixRanges: chain.subnets.map(cidrRange) },
    filters: tcpFilters(chain, options),
  });
  return madeOf(made, ...chain.origins);
}

function restChain(plan: OutboundListenerPlan, options: OutboundOptions): FilterChain {
  if (plan.rest === 'http' && plan.http) return httpChain(plan, plan.http, options);
  if (typeof plan.rest === 'string') return undeclaredChain('PassthroughFilterChain', options);
  const made = create(FilterChainSchema, { filters: tcpFilters(plan.rest, options) });
  return madeOf(made, ...plan.rest.origins);
}

function tcpFilters(chain: TcpChain, { mesh }: OutboundOptions): Filter[] {
  const { config } = mesh.settings;
  return [
    ...(chain.lookUpPort ? [dynamicDnsSniFilter(config, chain.lookUpPort)] : []),
    tcpProxy({ ...chain, mesh: config }),
  ];
}

function undeclaredChain(
  name: string,
  { mesh, undeclared, egressProxy = passthroughCluster }: OutboundOptions,
): FilterChain {
  const cluster = undeclared === 'block' ? blackHoleCluster : egressProxy;
  return create(FilterChainSchema, { name, filters: [tcpTo(cluster, mesh.settings.config)] });
}

export function virtualOutbound(options: OutboundOptions): Listener {
  const { config } = options.mesh.settings;
  const port = outboundCapturePort(config);
  const looksUp = options.undeclared === 'look-up';
  return create(ListenerSchema, {
    name: 'virtualOutbound',
    address: socketAddress('0.0.0.0', port),
    useOriginalDst: true,
    trafficDirection: TrafficDirection.OUTBOUND,
    accessLog: listenerAccessLogs(config),
    listenerFilters: looksUp ? [httpInspector()] : [],
    filterChains: [
      // Dialling the capture port itself would loop.
      create(FilterChainSchema, {
        name: 'virtualOutbound-blackhole',
        filterChainMatch: { destinationPort: port },
        filters: [tcpTo(blackHoleCluster, config)],
      }),
      ...(looksUp ? [lookedUpChain(options)] : []),
      undeclaredChain('virtualOutbound-catchall-tcp', options),
    ],
  });
}

/** HTTP on ports that nobody declared: the Host says where to. */
function lookedUpChain({ mesh, undeclared }: OutboundOptions): FilterChain {
  const host = catchAllVirtualHost(mesh, undeclared);
  const manager = httpConnectionManager({
    side: 'outbound',
    statPrefix: `outbound_virtualOutbound_${host.name};`,
    routes: {
      kind: 'inline',
      config: { name: host.name, virtualHosts: [host], ignorePortInHostMatching: true },
    },
    mesh: mesh.settings.config,
    dynamicDns: true,
  });
  return create(FilterChainSchema, {
    name: 'virtualOutbound-catchall-tcp-http',
    filterChainMatch: { applicationProtocols: ['http/1.1', 'h2c'] },
    filters: [manager],
  });
}

/** The listener of an explicit HTTP proxy: what applications reach by `HTTP_PROXY`. */
export function httpProxyListener(
  address: string,
  port: number,
  routeName: string,
  { mesh, undeclared }: OutboundOptions,
): Listener {
  return create(ListenerSchema, {
    name: `${address}_${port}`,
    address: socketAddress(address, port),
    trafficDirection: TrafficDirection.OUTBOUND,
    accessLog: listenerAccessLogs(mesh.settings.config),
    filterChains: [
      create(FilterChainSchema, {
        filters: [
          httpConnectionManager({
            side: 'outbound',
            statPrefix: `outbound_${address}_${port};`,
            routes: { kind: 'rds', name: routeName },
            mesh: mesh.settings.config,
            dynamicDns: undeclared === 'look-up',
          }),
        ],
      }),
    ],
  });
}
