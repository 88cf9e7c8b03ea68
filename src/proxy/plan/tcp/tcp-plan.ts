// The TCP proxy as a plan: the clusters that connections are shared out to, its limits, its tunnel.
import { fromBinary } from '@bufbuild/protobuf';
import {
  type TcpProxy,
  type TcpProxy_TunnelingConfig,
  TcpProxySchema,
} from '@meltemi/envoy-api/envoy/extensions/filters/network/tcp_proxy/v3/tcp_proxy';
import { millis } from '../../codec/duration.ts';
import { type FormatPlan, planFormat } from '../../format/format-plan.ts';
import { type AccessLogPlan, planAccessLogs } from '../access-log/access-log-plan.ts';
import { type HeaderMutations, planHeaderMutations } from '../route/header-mutation.ts';

/** Bytes travel inside a CONNECT or POST request. */
export interface TunnelPlan {
  /** The authority asked for; operators tell of the connection. */
  readonly hostname: FormatPlan;
  readonly method: 'CONNECT' | 'POST';
  readonly path: string;
  readonly headers: HeaderMutations;
}

export interface TcpTarget {
  readonly name: string;
  readonly weight: number;
  readonly metadataMatch: Readonly<Record<string, unknown>> | undefined;
}

export interface TcpProxyPlan {
  readonly statPrefix: string;
  readonly clusters: readonly TcpTarget[];
  readonly totalWeight: number;
  readonly idleTimeout: number;
  readonly maxDuration: number;
  readonly maxConnectAttempts: number;
  readonly hashSourceIp: boolean;
  readonly tunnel: TunnelPlan | undefined;
  /** With names looked up from the handshake: the port to go to. */
  readonly dynamicPort: number | undefined;
  readonly accessLogs: readonly AccessLogPlan[];
}

export function planTcpProxy(
  bytes: Uint8Array,
  dynamicPort: number | undefined,
  problems: string[],
): TcpProxyPlan {
  const source = fromBinary(TcpProxySchema, bytes);
  const clusters = clustersOf(source, problems);
  return {
    statPrefix: source.statPrefix,
    clusters,
    totalWeight: clusters.reduce((sum, one) => sum + one.weight, 0),
    idleTimeout: millis(source.idleTimeout) ?? 3_600_000,
    maxDuration: millis(source.maxDownstreamConnectionDuration) ?? 0,
    maxConnectAttempts: source.maxConnectAttempts ?? 1,
    hashSourceIp: source.hashPolicy.some((policy) => policy.policySpecifier.case === 'sourceIp'),
    tunnel: source.tunnelingConfig && planTunnel(source.tunnelingConfig, problems),
    dynamicPort,
    accessLogs: planAccessLogs(source.accessLog, problems),
  };
}

function clustersOf(source: TcpProxy, problems: string[]): TcpProxyPlan['clusters'] {
  const specifier = source.clusterSpecifier;
  const common = source.metadataMatch?.filterMetadata['envoy.lb'];
  if (specifier.case === 'cluster') return [{ name: specifier.value, weight: 1, metadataMatch: common }];
  if (specifier.case === 'weightedClusters')
    return specifier.value.clusters.map(({ name, weight, metadataMatch }) => {
      const own = metadataMatch?.filterMetadata['envoy.lb'];
      return { name, weight, metadataMatch: common || own ? { ...common, ...own } : undefined };
    });
  problems.push('tcp_proxy without a cluster');
  return [];
}

/** https://www.envoyproxy.io/docs/envoy/latest/intro/arch_overview/http/upgrades#tunneling-tcp-over-http */
function planTunnel(source: TcpProxy_TunnelingConfig, problems: string[]): TunnelPlan {
  if (source.hostname === '') problems.push('tunneling_config without a hostname');
  if (source.postPath !== '' && !source.usePost)
    problems.push("Can't set a post path when POST method isn't used");
  return {
    hostname: planFormat(source.hostname, problems),
    method: source.usePost ? 'POST' : 'CONNECT',
    path: source.postPath || '/',
    headers: planHeaderMutations(source.headersToAdd, [], problems),
  };
}
