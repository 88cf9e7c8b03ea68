// The HTTP connection manager's configuration, compiled.
import { fromBinary } from '@bufbuild/protobuf';
import type { RouteConfiguration } from '@meltemi/envoy-api/envoy/config/route/v3/route';
import { HTTPFaultSchema } from '@meltemi/envoy-api/envoy/extensions/filters/http/fault/v3/fault';
import { RouterSchema } from '@meltemi/envoy-api/envoy/extensions/filters/http/router/v3/router';
import {
  HttpConnectionManager_ForwardClientCertDetails as Forward,
  type HttpConnectionManager,
  type HttpFilter,
  HttpConnectionManager_ServerHeaderTransformation as ServerHeader,
  HttpConnectionManager_PathWithEscapedSlashesAction as Slashes,
} from '@meltemi/envoy-api/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager';
import type { PathRules } from '../../decide/entry/normalize-path.ts';
import { compileFault, configuredText, type FaultPlan, type RouteTable } from '../../decide/route/index.ts';
import { type HealthCheckPlan, readHealthCheck } from '../../downstream/filters/health-check.ts';
import { compilePrefix, type Prefix } from '../../net/address.ts';
import { millis } from '../../net/duration.ts';
import type { Stat, Stats } from '../../observe/stats.ts';
import { type CodingPlan, readCompressor, readDecompressor } from './coding-plan.ts';
import { compileH2Options, type H2Options } from './h2-options.ts';

/** The routes in force under a name; undefined until they arrive. */
export interface RouteSlot {
  readonly table: RouteTable | undefined;
}

export type XfccMode = 'sanitize' | 'forward' | 'append' | 'sanitizeSet' | 'always';

export interface HcmConfig {
  readonly statPrefix: string;
  readonly codec: 'auto' | 'h1' | 'h2';
  readonly routes: RouteSlot;
  readonly rdsName: string | undefined;
  readonly filters: {
    readonly fault: FaultPlan | undefined;
    readonly hasFault: boolean;
    readonly cors: boolean;
    readonly grpcWeb: boolean;
    readonly suppressEnvoyHeaders: boolean;
    /** In their order. */
    readonly codings: readonly CodingPlan[];
    readonly healthChecks: readonly HealthCheckPlan[];
  };
  readonly serverName: string;
  readonly serverHeader: 'overwrite' | 'appendIfAbsent' | 'passThrough';
  readonly useRemoteAddress: boolean;
  readonly trustedHops: number;
  readonly skipXffAppend: boolean;
  readonly internal: readonly Prefix[];
  readonly via: string;
  readonly generateRequestId: boolean;
  readonly preserveExternalRequestId: boolean;
  readonly alwaysSetRequestId: boolean;
  readonly xfcc: {
    readonly mode: XfccMode;
    readonly subject: boolean;
    readonly cert: boolean;
    readonly chain: boolean;
    readonly dns: boolean;
    readonly uri: boolean;
  };
  readonly proxy100: boolean;
  /** Trailers of HTTP/1.1 messages are passed on rather than dropped. */
  readonly trailers: boolean;
  readonly upgrades: ReadonlyMap<string, boolean>;
  readonly path: PathRules;
  readonly stripPort: 'none' | 'matching' | 'any';
  readonly stripTrailingDot: boolean;
  readonly acceptHttp10: boolean;
  readonly defaultHost: string;
  readonly streamIdleTimeout: number;
  readonly requestTimeout: number;
  /** Until the head of a request is complete. */
  readonly headersTimeout: number;
  readonly maxHeaders: number;
  readonly maxHeadBytes: number;
  readonly idleTimeout: number;
  readonly maxConnectionDuration: number;
  readonly maxRequestsPerConnection: number;
  readonly maxStreamDuration: number;
  /**
   * What becomes of operation names: given to the upstream, given back to the caller, or nothing without
   * tracing.
   */
  readonly decorates: 'outbound' | 'inbound' | 'none';
  readonly h2: H2Options;
  readonly underscores: 'allow' | 'reject' | 'drop';
  readonly stats: HcmStats;
}

export interface HcmStats {
  readonly connections: Stat;
  readonly active: Stat;
  readonly requests: Stat;
  readonly requestsActive: Stat;
  readonly byClass: readonly Stat[];
  readonly codecError: Stat;
}

export interface HcmContext {
  readonly stats: Stats;
  /** Traffic that leaves the workload: operations are named on the request. */
  readonly outbound: boolean;
  readonly routes: RouteSource;
}

export interface RouteSource {
  inlineRoutes(config: RouteConfiguration, problems: string[]): RouteSlot;
  namedRoutes(name: string): RouteSlot;
}

export function compileHcm(
  source: HttpConnectionManager,
  context: HcmContext,
  problems: string[],
): HcmConfig {
  const common = source.commonHttpProtocolOptions;
  const routes = routesOf(source, context, problems);
  return {
    statPrefix: source.statPrefix,
    codec: source.codecType === 1 ? 'h1' : source.codecType === 2 ? 'h2' : 'auto',
    routes: routes.slot,
    rdsName: routes.rdsName,
    filters: filtersOf(source.httpFilters, problems),
    serverName: configuredText(source.serverName || 'envoy', 'server_name', problems),
    serverHeader: serverHeaderOf(source.serverHeaderTransformation),
    useRemoteAddress: source.useRemoteAddress ?? false,
    trustedHops: source.xffNumTrustedHops,
    skipXffAppend: source.skipXffAppend,
    internal: (source.internalAddressConfig?.cidrRanges ?? []).flatMap(
      (range) => compilePrefix(range, problems) ?? [],
    ),
    via: configuredText(source.via, 'via', problems),
    generateRequestId: source.generateRequestId ?? true,
    preserveExternalRequestId: source.preserveExternalRequestId,
    alwaysSetRequestId: source.alwaysSetRequestIdInResponse,
    xfcc: xfccOf(source),
    proxy100: source.proxy100Continue,
    trailers: source.httpProtocolOptions?.enableTrailers ?? false,
    upgrades: new Map(
      source.upgradeConfigs.map((one) => [one.upgradeType.toLowerCase(), one.enabled ?? true]),
    ),
    path: {
      normalize: source.normalizePath ?? false,
      mergeSlashes: source.mergeSlashes,
      escapedSlashes: slashesOf(source.pathWithEscapedSlashesAction),
    },
    stripPort:
      source.stripPortMode.case === 'stripAnyHostPort' && source.stripPortMode.value
        ? 'any'
        : source.stripMatchingHostPort
          ? 'matching'
          : 'none',
    stripTrailingDot: source.stripTrailingHostDot,
    acceptHttp10: source.httpProtocolOptions?.acceptHttp10 ?? false,
    defaultHost: source.httpProtocolOptions?.defaultHostForHttp10 ?? '',
    streamIdleTimeout: millis(source.streamIdleTimeout) ?? 300_000,
    requestTimeout: millis(source.requestTimeout) ?? 0,
    headersTimeout: millis(source.requestHeadersTimeout) ?? 0,
    maxHeaders: common?.maxHeadersCount ?? 100,
    maxHeadBytes: (source.maxRequestHeadersKb ?? 60) * 1024,
    idleTimeout: millis(common?.idleTimeout) ?? 3_600_000,
    maxConnectionDuration: millis(common?.maxConnectionDuration) ?? 0,
    maxRequestsPerConnection: common?.maxRequestsPerConnection ?? 0,
    maxStreamDuration: millis(common?.maxStreamDuration) ?? 0,
    decorates: source.tracing === undefined ? 'none' : context.outbound ? 'outbound' : 'inbound',
    h2: compileH2Options(source.http2ProtocolOptions),
    underscores:
      common?.headersWithUnderscoresAction === 1
        ? 'reject'
        : common?.headersWithUnderscoresAction === 2
          ? 'drop'
          : 'allow',
    stats: statsOf(source.statPrefix, context.stats),
  };
}

function routesOf(
  source: HttpConnectionManager,
  context: HcmContext,
  problems: string[],
): { slot: RouteSlot; rdsName: string | undefined } {
  const specifier = source.routeSpecifier;
  switch (specifier.case) {
    case 'routeConfig':
      return { slot: context.routes.inlineRoutes(specifier.value, problems), rdsName: undefined };
    case 'rds':
      return {
        slot: context.routes.namedRoutes(specifier.value.routeConfigName),
        rdsName: specifier.value.routeConfigName,
      };
    default:
      problems.push('scoped routes are not supported');
      return { slot: { table: undefined }, rdsName: undefined };
  }
}

/** Filters that only observe: leaving them out changes no outcome. */
const observers =
  /(grpc_stats|istio\.stats|istio_stats|metadata_exchange|peer_metadata|istio\.alpn|stackdriver|access_log|GrpcStats|health_check_stub)/i;

function filtersOf(list: readonly HttpFilter[], problems: string[]): HcmConfig['filters'] {
  let fault: FaultPlan | undefined;
  let hasFault = false;
  let cors = false;
  let grpcWeb = false;
  let suppressEnvoyHeaders = false;
  let router = false;
  const codings: CodingPlan[] = [];
  const healthChecks: HealthCheckPlan[] = [];
  for (const filter of list) {
    if (filter.disabled) continue;
    const any = filter.configType.case === 'typedConfig' ? filter.configType.value : undefined;
    const type = any?.typeUrl.slice(any.typeUrl.lastIndexOf('.') + 1) ?? filter.name;
    if (type === 'Router') {
      router = true;
      if (any) suppressEnvoyHeaders = fromBinary(RouterSchema, any.value).suppressEnvoyHeaders;
    } else if (type === 'HTTPFault') {
      hasFault = true;
      fault = any ? compileFault(fromBinary(HTTPFaultSchema, any.value), problems) : undefined;
    } else if (type === 'Cors') cors = true;
    else if (type === 'GrpcWeb') grpcWeb = true;
    else if (any && type === 'Compressor') codings.push(readCompressor(any.value, problems));
    else if (any && type === 'Decompressor') codings.push(readDecompressor(any.value, problems));
    else if (any && type === 'HealthCheck') healthChecks.push(readHealthCheck(any.value, problems));
    // Such clusters look names up by themselves.
    else if (any?.typeUrl.includes('.http.dynamic_forward_proxy.')) continue;
    else if (!observers.test(filter.name) && !observers.test(any?.typeUrl ?? '') && !filter.isOptional)
      problems.push(`HTTP filter ${filter.name} is not supported`);
  }
  if (!router) problems.push('the HTTP filters do not end in a router');
  return { fault, hasFault, cors, grpcWeb, suppressEnvoyHeaders, codings, healthChecks };
}

function serverHeaderOf(transformation: ServerHeader): HcmConfig['serverHeader'] {
  if (transformation === ServerHeader.APPEND_IF_ABSENT) return 'appendIfAbsent';
  return transformation === ServerHeader.PASS_THROUGH ? 'passThrough' : 'overwrite';
}

function slashesOf(action: Slashes): PathRules['escapedSlashes'] {
  switch (action) {
    case Slashes.REJECT_REQUEST:
      return 'reject';
    case Slashes.UNESCAPE_AND_REDIRECT:
      return 'redirect';
    case Slashes.UNESCAPE_AND_FORWARD:
      return 'forward';
    default:
      return 'keep';
  }
}

function xfccOf(source: HttpConnectionManager): HcmConfig['xfcc'] {
  const set = source.setCurrentClientCertDetails;
  const modes: Readonly<Record<number, XfccMode>> = {
    [Forward.SANITIZE]: 'sanitize',
    [Forward.FORWARD_ONLY]: 'forward',
    [Forward.APPEND_FORWARD]: 'append',
    [Forward.SANITIZE_SET]: 'sanitizeSet',
    [Forward.ALWAYS_FORWARD_ONLY]: 'always',
  };
  return {
    mode: modes[source.forwardClientCertDetails] ?? 'sanitize',
    subject: set?.subject ?? false,
    cert: set?.cert ?? false,
    chain: set?.chain ?? false,
    dns: set?.dns ?? false,
    uri: set?.uri ?? false,
  };
}

function statsOf(prefix: string, stats: Stats): HcmStats {
  const name = (suffix: string): string => `http.${prefix}.${suffix}`;
  return {
    connections: stats.counter(name('downstream_cx_total')),
    active: stats.gauge(name('downstream_cx_active')),
    requests: stats.counter(name('downstream_rq_total')),
    requestsActive: stats.gauge(name('downstream_rq_active')),
    byClass: [1, 2, 3, 4, 5].map((n) => stats.counter(name(`downstream_rq_${n}xx`))),
    codecError: stats.counter(name('downstream_cx_protocol_error')),
  };
}
