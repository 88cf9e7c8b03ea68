// The TCP proxy filter.
import { create } from '@bufbuild/protobuf';
import { type Filter, FilterSchema } from '@meltemi/envoy-api/envoy/config/listener/v3/listener_components';
import { TcpProxySchema } from '@meltemi/envoy-api/envoy/extensions/filters/network/tcp_proxy/v3/tcp_proxy';
import type { MeshConfig, TrafficPolicy } from '../../config/index.ts';
import { accessLogs } from '../features/access-log.ts';
import { tunnelingConfig } from '../features/tunnel.ts';
import { any, duration } from '../wire.ts';

export interface TcpTarget {
  readonly cluster: string;
  readonly weight: number;
}

export interface TcpProxyOptions {
  readonly statPrefix: string;
  readonly targets: readonly TcpTarget[];
  readonly mesh: MeshConfig;
  /** Of the first target: what the listener itself enforces. */
  readonly policy?: TrafficPolicy;
}

export function tcpProxy({ statPrefix, targets, mesh, policy }: TcpProxyOptions): Filter {
  const tcp = policy?.connectionPool?.tcp;
  const sourceHash = policy?.loadBalancer?.consistentHash?.useSourceIp ?? false;
  const config = any(TcpProxySchema, {
    statPrefix,
    clusterSpecifier:
      targets.length === 1
        ? { case: 'cluster', value: targets[0]?.cluster ?? '' }
        : {
            case: 'weightedClusters',
            value: { clusters: targets.map(({ cluster, weight }) => ({ name: cluster, weight })) },
          },
    ...(tcp?.idleTimeout === undefined ? {} : { idleTimeout: duration(tcp.idleTimeout) }),
    ...(tcp?.maxConnectionDuration === undefined
      ? {}
      : { maxDownstreamConnectionDuration: duration(tcp.maxConnectionDuration) }),
    // One tunnel leads to one place: shares of several destinations are not tunnelled.
    tunnelingConfig: targets.length === 1 ? tunnelingConfig(policy?.tunnel) : undefined,
    accessLog: accessLogs(mesh),
    ...(sourceHash ? { hashPolicy: [{ policySpecifier: { case: 'sourceIp', value: {} } }] } : {}),
  });
  return create(FilterSchema, {
    name: 'envoy.filters.network.tcp_proxy',
    configType: { case: 'typedConfig', value: config },
  });
}

/** All bytes to one cluster, named after it in the statistics. */
export function tcpTo(cluster: string, mesh: MeshConfig): Filter {
  return tcpProxy({ statPrefix: cluster, targets: [{ cluster, weight: 1 }], mesh });
}
