// An Envoy Cluster, compiled: every default applied, nothing of protobuf left for the request path.
import { fromBinary } from '@bufbuild/protobuf';
import type { CircuitBreakers } from '@meltemi/envoy-api/envoy/config/cluster/v3/circuit_breaker';
import {
  type Cluster,
  Cluster_DiscoveryType,
  Cluster_DnsLookupFamily,
} from '@meltemi/envoy-api/envoy/config/cluster/v3/cluster';
import type { OutlierDetection } from '@meltemi/envoy-api/envoy/config/cluster/v3/outlier_detection';
import type {
  Http1ProtocolOptions,
  Http2ProtocolOptions,
} from '@meltemi/envoy-api/envoy/config/core/v3/protocol';
import type { ClusterLoadAssignment } from '@meltemi/envoy-api/envoy/config/endpoint/v3/endpoint';
import { ClusterConfigSchema as DynamicConfigSchema } from '@meltemi/envoy-api/envoy/extensions/clusters/dynamic_forward_proxy/v3/cluster';
import {
  type HttpProtocolOptions,
  HttpProtocolOptionsSchema,
} from '@meltemi/envoy-api/envoy/extensions/upstreams/http/v3/http_protocol_options';
import { millis } from '../../net/duration.ts';
import { compileSocketOptions, type SocketOptions } from '../../net/socket-options.ts';
import { compileTransport, type TransportContext } from '../../upstream/transport/compile-transport.ts';
import type { Transport } from '../../upstream/transport/transport.ts';
import { compileH2Options, type H2Options } from '../http/h2-options.ts';
import { compileDynamic, type DynamicPlan } from './dynamic-plan.ts';
import { compileErrorMatcher, type ErrorMatcher } from './error-matcher.ts';

export type Discovery = 'static' | 'eds' | 'strictDns' | 'logicalDns' | 'originalDst' | 'dynamic';
export type HttpMode = 'h1' | 'h2' | 'downstream' | 'auto';

export interface Thresholds {
  readonly maxConnections: number;
  readonly maxPending: number;
  readonly maxRequests: number;
  readonly maxRetries: number;
  readonly retryBudgetPercent: number | undefined;
  readonly minRetryConcurrency: number;
}

export interface TransportMatch {
  readonly match: Readonly<Record<string, unknown>>;
  readonly transport: Transport;
}

export interface ClusterConfig {
  readonly name: string;
  readonly source: Cluster;
  readonly discovery: Discovery;
  readonly edsName: string;
  readonly assignment: ClusterLoadAssignment | undefined;
  readonly connectTimeout: number;
  readonly transport: Transport;
  readonly transportMatches: readonly TransportMatch[];
  readonly http: {
    readonly mode: HttpMode;
    readonly idleTimeout: number;
    readonly maxRequestsPerConnection: number;
    readonly maxHeaders: number;
    readonly maxStreamDuration: number;
    readonly maxConnectionDuration: number;
    readonly h2: H2Options;
    /** Trailers of HTTP/1.1 messages are passed on rather than dropped. */
    readonly trailers: boolean;
    readonly autoSni: boolean;
    readonly autoSniHeader: string;
    readonly autoSanValidation: boolean;
  };
  readonly thresholds: Readonly<Record<'default' | 'high', Thresholds>>;
  readonly outlier: OutlierDetection | undefined;
  /** Stands in for "status 5xx" in outlier detection. */
  readonly isError: ErrorMatcher | undefined;
  readonly bindAddress: string | undefined;
  readonly socketOptions: SocketOptions | undefined;
  readonly dns: {
    readonly refreshMs: number;
    readonly respectTtl: boolean;
    readonly family: 'v4' | 'v6' | 'auto' | 'all' | 'v4Preferred';
  };
  /** With discovery `dynamic`. */
  readonly dynamic: DynamicPlan | undefined;
  readonly originalDst: { readonly header: string | undefined; readonly portOverride: number | undefined };
}

const optionsName = 'envoy.extensions.upstreams.http.v3.HttpProtocolOptions';

export function compileCluster(
  source: Cluster,
  context: TransportContext,
  problems: string[],
): ClusterConfig {
  const any = source.typedExtensionProtocolOptions[optionsName];
  const options = any ? fromBinary(HttpProtocolOptionsSchema, any.value) : undefined;
  const common = options?.commonHttpProtocolOptions ?? source.commonHttpProtocolOptions;
  const upstream = options?.upstreamHttpProtocolOptions ?? source.upstreamHttpProtocolOptions;
  const original = source.lbConfig.case === 'originalDstLbConfig' ? source.lbConfig.value : undefined;
  return {
    name: source.name,
    source,
    discovery: discoveryOf(source, problems),
    edsName: source.edsClusterConfig?.serviceName || source.name,
    assignment: source.loadAssignment,
    connectTimeout: millis(source.connectTimeout) ?? 5000,
    transport: compileTransport(source.transportSocket, context, problems),
    transportMatches: source.transportSocketMatches.map((one) => ({
      match: one.match ?? {},
      transport: compileTransport(one.transportSocket, context, problems),
    })),
    http: {
      mode: modeOf(options),
      idleTimeout: millis(common?.idleTimeout) ?? 3_600_000,
      maxRequestsPerConnection: common?.maxRequestsPerConnection ?? source.maxRequestsPerConnection ?? 0,
      maxHeaders: common?.maxHeadersCount ?? 100,
      maxStreamDuration: millis(common?.maxStreamDuration) ?? 0,
      maxConnectionDuration: millis(common?.maxConnectionDuration) ?? 0,
      h2: compileH2Options(http2OptionsOf(options, source)),
      trailers: http1OptionsOf(options, source)?.enableTrailers ?? false,
      autoSni: upstream?.autoSni ?? false,
      autoSniHeader: upstream?.overrideAutoSniHeader ?? '',
      autoSanValidation: upstream?.autoSanValidation ?? false,
    },
    thresholds: {
      default: thresholdsOf(source.circuitBreakers, 0),
      high: thresholdsOf(source.circuitBreakers, 1),
    },
    outlier: source.outlierDetection,
    isError: compileErrorMatcher(options?.$unknown, problems),
    bindAddress: source.upstreamBindConfig?.sourceAddress?.address || undefined,
    socketOptions: compileSocketOptions(
      source.upstreamConnectionOptions?.tcpKeepalive,
      source.upstreamBindConfig?.socketOptions ?? [],
      problems,
    ),
    dns: {
      refreshMs: millis(source.dnsRefreshRate) ?? 5000,
      respectTtl: source.respectDnsTtl,
      family: familyOf(source.dnsLookupFamily),
    },
    dynamic: dynamicOf(source, problems),
    originalDst: {
      header: original?.useHttpHeader ? original.httpHeaderName || 'x-envoy-original-dst-host' : undefined,
      portOverride: original?.upstreamPortOverride,
    },
  };
}

function discoveryOf(source: Cluster, problems: string[]): Discovery {
  const type = source.clusterDiscoveryType;
  if (type.case === 'clusterType') {
    if (type.value.typedConfig?.typeUrl.endsWith(dynamicType)) return 'dynamic';
    problems.push(`cluster type ${type.value.name} is not supported`);
    return 'static';
  }
  switch (type.value) {
    case Cluster_DiscoveryType.EDS:
      return 'eds';
    case Cluster_DiscoveryType.STRICT_DNS:
      return 'strictDns';
    case Cluster_DiscoveryType.LOGICAL_DNS:
      return 'logicalDns';
    case Cluster_DiscoveryType.ORIGINAL_DST:
      return 'originalDst';
    default:
      return 'static';
  }
}

const dynamicType = '.clusters.dynamic_forward_proxy.v3.ClusterConfig';

function dynamicOf(source: Cluster, problems: string[]): DynamicPlan | undefined {
  const type = source.clusterDiscoveryType;
  const any = type.case === 'clusterType' ? type.value.typedConfig : undefined;
  if (!any?.typeUrl.endsWith(dynamicType)) return undefined;
  const { clusterImplementationSpecifier: kind } = fromBinary(DynamicConfigSchema, any.value);
  if (kind.case !== 'dnsCacheConfig')
    problems.push('dynamic_forward_proxy: sub_clusters_config is not supported');
  return compileDynamic(kind.case === 'dnsCacheConfig' ? kind.value : undefined);
}

function modeOf(options: HttpProtocolOptions | undefined): HttpMode {
  const protocol = options?.upstreamProtocolOptions;
  switch (protocol?.case) {
    case 'explicitHttpConfig':
      return protocol.value.protocolConfig.case === 'http2ProtocolOptions' ? 'h2' : 'h1';
    case 'useDownstreamProtocolConfig':
      return 'downstream';
    case 'autoConfig':
      return 'auto';
    default:
      return 'h1';
  }
}

function http1OptionsOf(
  options: HttpProtocolOptions | undefined,
  source: Cluster,
): Http1ProtocolOptions | undefined {
  const protocol = options?.upstreamProtocolOptions;
  switch (protocol?.case) {
    case 'explicitHttpConfig': {
      const { protocolConfig } = protocol.value;
      return protocolConfig.case === 'httpProtocolOptions' ? protocolConfig.value : undefined;
    }
    case 'useDownstreamProtocolConfig':
    case 'autoConfig':
      return protocol.value.httpProtocolOptions;
    default:
      return source.httpProtocolOptions;
  }
}

function http2OptionsOf(
  options: HttpProtocolOptions | undefined,
  source: Cluster,
): Http2ProtocolOptions | undefined {
  const protocol = options?.upstreamProtocolOptions;
  switch (protocol?.case) {
    case 'explicitHttpConfig': {
      const { protocolConfig } = protocol.value;
      return protocolConfig.case === 'http2ProtocolOptions' ? protocolConfig.value : undefined;
    }
    case 'useDownstreamProtocolConfig':
    case 'autoConfig':
      return protocol.value.http2ProtocolOptions;
    default:
      return source.http2ProtocolOptions;
  }
}

/** Envoy's defaults: 1024 of each, 3 retries. */
function thresholdsOf(breakers: CircuitBreakers | undefined, priority: number): Thresholds {
  const found = breakers?.thresholds.find((one) => one.priority === priority);
  const budget = found?.retryBudget;
  return {
    maxConnections: found?.maxConnections ?? 1024,
    maxPending: found?.maxPendingRequests ?? 1024,
    maxRequests: found?.maxRequests ?? 1024,
    maxRetries: found?.maxRetries ?? 3,
    retryBudgetPercent: budget ? (budget.budgetPercent?.value ?? 20) : undefined,
    minRetryConcurrency: budget?.minRetryConcurrency ?? 3,
  };
}

function familyOf(family: Cluster_DnsLookupFamily): ClusterConfig['dns']['family'] {
  switch (family) {
    case Cluster_DnsLookupFamily.V4_ONLY:
      return 'v4';
    case Cluster_DnsLookupFamily.V6_ONLY:
      return 'v6';
    case Cluster_DnsLookupFamily.V4_PREFERRED:
      return 'v4Preferred';
    case Cluster_DnsLookupFamily.ALL:
      return 'all';
    default:
      return 'auto';
  }
}
