// The TCP proxy's configuration, compiled.

import { fromBinary } from '@bufbuild/protobuf';
import {
  type TcpProxy,
  type TcpProxy_TunnelingConfig,
  TcpProxySchema,
} from '@meltemi/envoy-api/envoy/extensions/filters/network/tcp_proxy/v3/tcp_proxy';
import {
  compileFormat,
  compileHeaderMutations,
  type Formatter,
  type HeaderMutations,
} from '../../decide/route/index.ts';
import { millis } from '../../net/duration.ts';
import type { Stat, Stats } from '../../observe/stats.ts';

/** Bytes travel inside a CONNECT or POST request. */
export interface TunnelPlan {
  /** The authority asked for. */
  readonly target: Formatter;
  readonly method: 'CONNECT' | 'POST';
  readonly path: string;
  readonly headers: HeaderMutations;
}

export interface TcpTarget {
  readonly name: string;
  readonly weight: number;
  readonly metadataMatch: Readonly<Record<string, unknown>> | undefined;
}

export interface TcpConfig {
  readonly clusters: readonly TcpTarget[];
  readonly totalWeight: number;
  readonly idleTimeout: number;
  readonly maxDuration: number;
  readonly maxConnectAttempts: number;
  readonly hashSourceIp: boolean;
  readonly tunnel: TunnelPlan | undefined;
  /** With names looked up from the handshake: the port to go to. */
  readonly dynamicPort: number | undefined;
  readonly connections: Stat;
  readonly noRoute: Stat;
}

export interface TcpContext {
  readonly stats: Stats;
  readonly dynamicPort: number | undefined;
}

export function readTcpProxy(bytes: Uint8Array, context: TcpContext, problems: string[]): TcpConfig {
  const source = fromBinary(TcpProxySchema, bytes);
  const clusters = clustersOf(source, problems);
  const { stats } = context;
  return {
    clusters,
    totalWeight: clusters.reduce((sum, one) => sum + one.weight, 0),
    idleTimeout: millis(source.idleTimeout) ?? 3_600_000,
    maxDuration: millis(source.maxDownstreamConnectionDuration) ?? 0,
    maxConnectAttempts: source.maxConnectAttempts ?? 1,
    hashSourceIp: source.hashPolicy.some((policy) => policy.policySpecifier.case === 'sourceIp'),
    tunnel: source.tunnelingConfig && compileTunnel(source.tunnelingConfig, problems),
    dynamicPort: context.dynamicPort,
    connections: stats.counter(`tcp.${source.statPrefix}.downstream_cx_total`),
    noRoute: stats.counter(`tcp.${source.statPrefix}.downstream_cx_no_route`),
  };
}

function clustersOf(source: TcpProxy, problems: string[]): TcpConfig['clusters'] {
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
function compileTunnel(source: TcpProxy_TunnelingConfig, problems: string[]): TunnelPlan {
  if (source.hostname === '') problems.push('tunneling_config without a hostname');
  if (source.postPath !== '' && !source.usePost)
    problems.push("Can't set a post path when POST method isn't used");
  return {
    target: compileFormat(source.hostname, problems, '-'),
    method: source.usePost ? 'POST' : 'CONNECT',
    path: source.postPath || '/',
    headers: compileHeaderMutations(source.headersToAdd, [], problems),
  };
}
