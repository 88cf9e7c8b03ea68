// An Envoy Cluster as a plan: every default applied, nothing of protobuf left for the request path.
import { fromBinary } from '@bufbuild/protobuf';
import type { CircuitBreakers } from '@meltemi/envoy-api/envoy/config/cluster/v3/circuit_breaker';
import { type Cluster, Cluster_DiscoveryType } from '@meltemi/envoy-api/envoy/config/cluster/v3/cluster';
import { RoutingPriority } from '@meltemi/envoy-api/envoy/config/core/v3/base';
import { ClusterConfigSchema as DynamicConfigSchema } from '@meltemi/envoy-api/envoy/extensions/clusters/dynamic_forward_proxy/v3/cluster';
import {
  type HttpProtocolOptions,
  HttpProtocolOptionsSchema,
} from '@meltemi/envoy-api/envoy/extensions/upstreams/http/v3/http_protocol_options';
import { millis } from '../../codec/duration.ts';
import type { Planned } from '../planned.ts';
import { planSocketOptions, type SocketOptionsPlan } from '../socket-options-plan.ts';
import { type DnsFamily, planDnsFamily } from './dns-family.ts';
import { type DynamicPlan, planDynamic } from './dynamic-plan.ts';
import { type LocalityPlan, planEndpoints } from './endpoints-plan.ts';
import { type ErrorMatchPlan, planErrorMatch } from './error-match-plan.ts';
import { type LbPlan, planLb } from './lb-plan.ts';
import { type OutlierPlan, planOutlier } from './outlier-plan.ts';
import { planTransport, type TransportPlan } from './transport-plan.ts';
import { planUpstreamHttp, type UpstreamHttpPlan } from './upstream-http-plan.ts';

export type Discovery = 'static' | 'eds' | 'strictDns' | 'logicalDns' | 'originalDst' | 'dynamic';

/** Circuit breakers of one priority of requests. */
export interface Thresholds {
  readonly maxConnections: number;
  readonly maxPending: number;
  readonly maxRequests: number;
  readonly maxRetries: number;
  readonly retryBudgetPercent: number | undefined;
  readonly minRetryConcurrency: number;
}

/** The transport of endpoints whose metadata holds all of `match`. */
export interface TransportMatchPlan {
  readonly match: Readonly<Record<string, unknown>>;
  readonly transport: TransportPlan;
}

export interface ClusterPlan {
  readonly name: string;
  /** Stands for the name in headers and counters of routes; empty for none. */
  readonly altStatName: string;
  readonly discovery: Discovery;
  readonly eds: {
    readonly name: string;
    /** How long the cluster waits for its first endpoints; 0 is for ever. */
    readonly waitMs: number;
  };
  /** Of the cluster's own message: the hosts themselves, or names to look up. */
  readonly localities: readonly LocalityPlan[];
  readonly connectTimeout: number;
  readonly transport: TransportPlan;
  readonly transportMatches: readonly TransportMatchPlan[];
  readonly http: UpstreamHttpPlan;
  readonly lb: LbPlan;
  readonly thresholds: Readonly<Record<'default' | 'high', Thresholds>>;
  readonly outlier: OutlierPlan | undefined;
  /** Stands in for "status 5xx" in outlier detection. */
  readonly errorMatch: ErrorMatchPlan | undefined;
  readonly bindAddress: string | undefined;
  readonly socketOptions: SocketOptionsPlan | undefined;
  readonly dns: {
    readonly refreshMs: number;
    readonly respectTtl: boolean;
    readonly family: DnsFamily;
  };
  /** With discovery `dynamic`. */
  readonly dynamic: DynamicPlan | undefined;
  readonly originalDst: { readonly header: string | undefined; readonly portOverride: number | undefined };
}

export function planCluster(source: Cluster): Planned<ClusterPlan> {
  const problems: string[] = [];
  const options = optionsOf(source);
  const lb = planLb(source, source.loadAssignment?.policy);
  const plan: ClusterPlan = {
    name: source.name,
    altStatName: source.altStatName,
    discovery: discoveryOf(source, problems),
    eds: {
      name: source.edsClusterConfig?.serviceName || source.name,
      waitMs: millis(source.edsClusterConfig?.edsConfig?.initialFetchTimeout) ?? initialFetchMs,
    },
    localities: planEndpoints(source.loadAssignment?.endpoints ?? []),
    connectTimeout: millis(source.connectTimeout) ?? 5000,
    transport: planTransport(source.transportSocket, problems),
    transportMatches: source.transportSocketMatches.map((one) => ({
      match: one.match ?? {},
      transport: planTransport(one.transportSocket, problems),
    })),
    http: planUpstreamHttp(source, options),
    lb: lb.plan,
    thresholds: {
      default: thresholdsOf(source.circuitBreakers, RoutingPriority.DEFAULT),
      high: thresholdsOf(source.circuitBreakers, RoutingPriority.HIGH),
    },
    outlier: source.outlierDetection && planOutlier(source.outlierDetection),
    errorMatch: planErrorMatch(options?.$unknown, problems),
    bindAddress: source.upstreamBindConfig?.sourceAddress?.address || undefined,
    socketOptions: planSocketOptions(
      source.upstreamConnectionOptions?.tcpKeepalive,
      source.upstreamBindConfig?.socketOptions ?? [],
      problems,
    ),
    dns: {
      refreshMs: millis(source.dnsRefreshRate) ?? 5000,
      respectTtl: source.respectDnsTtl,
      family: planDnsFamily(source.dnsLookupFamily),
    },
    dynamic: dynamicOf(source, problems),
    originalDst: originalDstOf(source),
  };
  return { plan, problems: [...problems, ...lb.problems] };
}

const initialFetchMs = 15_000;
const optionsName = 'envoy.extensions.upstreams.http.v3.HttpProtocolOptions';

function optionsOf(source: Cluster): HttpProtocolOptions | undefined {
  const any = source.typedExtensionProtocolOptions[optionsName];
  return any && fromBinary(HttpProtocolOptionsSchema, any.value);
}

function originalDstOf({ lbConfig }: Cluster): ClusterPlan['originalDst'] {
  const original = lbConfig.case === 'originalDstLbConfig' ? lbConfig.value : undefined;
  return {
    header: original?.useHttpHeader ? original.httpHeaderName || 'x-envoy-original-dst-host' : undefined,
    portOverride: original?.upstreamPortOverride,
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
  return planDynamic(kind.case === 'dnsCacheConfig' ? kind.value : undefined);
}

/** Envoy's defaults: 1024 of each, 3 retries. */
function thresholdsOf(breakers: CircuitBreakers | undefined, priority: RoutingPriority): Thresholds {
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
