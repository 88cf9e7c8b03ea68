// Outbound listener plans as Envoy listeners, and the listener that captured connections reach first.
import { create } from '@bufbuild/protobuf';
import { TrafficDirection } from '@meltemi/envoy-api/envoy/config/core/v3/base';
import { type Listener, ListenerSchema } from '@meltemi/envoy-api/envoy/config/listener/v3/listener';
import {
  type FilterChain,
  type FilterChainMatchSchema,
  FilterChainSchema,
} from '@meltemi/envoy-api/envoy/config/listener/v3/listener_components';
import type { Mesh } from '../../mesh/index.ts';
import { blackHoleCluster, passthroughCluster } from '../names.ts';
import { duration, type Init, pipeAddress, socketAddress } from '../wire.ts';
import { cidrRange } from './cidr-range.ts';
import { httpConnectionManager } from './http-connection-manager.ts';
import { httpInspector, tlsInspector } from './listener-filters.ts';
import type { HttpChain, OutboundListenerPlan, TcpChain } from './plan.ts';
import { tcpProxy, tcpTo } from './tcp-proxy.ts';

/** Ports of the capturing listeners: https://istio.io/latest/docs/ops/deployment/application-requirements/#ports-used-by-istio */
export const outboundCapturePort = 15_001;

export interface OutboundOptions {
  readonly mesh: Mesh;
  /** Whether destinations that nobody declared may be reached. */
  readonly allowAny: boolean;
}

const plainHttp: Init<typeof FilterChainMatchSchema> = { transportProtocol: 'raw_buffer', applicationProtocols: ['http/1.1', 'h2c'] };

export function outboundListener(plan: OutboundListenerPlan, options: OutboundOptions): Listener {
  const rest = restChain(plan, options);
  const matched = [...(plan.http ? [httpChain(plan, plan.http, options)] : []), ...plan.chains.map(tcpChain)];
  const usesSni = plan.chains.some((chain) => chain.sniHosts.length > 0);
  return create(ListenerSchema, {
    name: plan.name,
    address: plan.port === 0 ? pipeAddress(plan.address) : socketAddress(plan.address, plan.port),
    filterChains: matched.length > 0 || !rest ? matched : [rest],
    defaultFilterChain: matched.length > 0 ? rest : undefined,
    listenerFilters: [...(usesSni ? [tlsInspector()] : []), ...(plan.http ? [httpInspector()] : [])],
    listenerFiltersTimeout: duration(options.mesh.settings.detectionTimeoutMs),
    continueOnListenerFiltersTimeout: true,
    trafficDirection: TrafficDirection.OUTBOUND,
    bindToPort: plan.bound,
  });
}

function httpChain(plan: OutboundListenerPlan, http: HttpChain, { mesh }: OutboundOptions): FilterChain {
  return create(FilterChainSchema, {
    filterChainMatch: plainHttp,
    filters: [
      httpConnectionManager({
        side: 'outbound',
        statPrefix: `outbound_${plan.name};`,
        routes: { kind: 'rds', name: http.routeName },
        mesh: mesh.settings.config,
        grpcWeb: http.grpcWeb,
      }),
    ],
    transportSocketConnectTimeout: duration(15_000),
  });
}

function tcpChain(chain: TcpChain): FilterChain {
  return create(FilterChainSchema, {
    filterChainMatch: { serverNames: [...chain.sniHosts], prefixRanges: chain.subnets.map(cidrRange) },
    filters: [tcpProxy(chain)],
  });
}

function restChain(plan: OutboundListenerPlan, options: OutboundOptions): FilterChain | undefined {
  if (plan.rest === 'closed') return undefined;
  if (plan.rest === 'undeclared') return undeclaredChain('PassthroughFilterChain', options);
  return create(FilterChainSchema, { filters: [tcpProxy(plan.rest)] });
}

function undeclaredChain(name: string, { allowAny }: OutboundOptions): FilterChain {
  return create(FilterChainSchema, { name, filters: [tcpTo(allowAny ? passthroughCluster : blackHoleCluster)] });
}

export function virtualOutbound(options: OutboundOptions): Listener {
  return create(ListenerSchema, {
    name: 'virtualOutbound',
    address: socketAddress('0.0.0.0', outboundCapturePort),
    useOriginalDst: true,
    trafficDirection: TrafficDirection.OUTBOUND,
    filterChains: [
      // Dialling the capture port itself would loop.
      create(FilterChainSchema, {
        name: 'virtualOutbound-blackhole',
        filterChainMatch: { destinationPort: outboundCapturePort },
        filters: [tcpTo(blackHoleCluster)],
      }),
      undeclaredChain('virtualOutbound-catchall-tcp', options),
    ],
  });
}

/** The listener of an explicit HTTP proxy: what applications reach by `HTTP_PROXY`. */
export function httpProxyListener(address: string, port: number, routeName: string, { mesh }: OutboundOptions): Listener {
  return create(ListenerSchema, {
    name: `${address}_${port}`,
    address: socketAddress(address, port),
    trafficDirection: TrafficDirection.OUTBOUND,
    filterChains: [
      create(FilterChainSchema, {
        filters: [
          httpConnectionManager({
            side: 'outbound',
            statPrefix: `outbound_${address}_${port};`,
            routes: { kind: 'rds', name: routeName },
            mesh: mesh.settings.config,
          }),
        ],
      }),
    ],
  });
}
