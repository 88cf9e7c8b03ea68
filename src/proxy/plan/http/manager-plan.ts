// What an HTTP connection manager is to do. A plain value: what runs by it is made in downstream/http/.
import { HttpProtocolOptions_HeadersWithUnderscoresAction as Underscores } from '@meltemi/envoy-api/envoy/config/core/v3/protocol';
import {
  HttpConnectionManager_CodecType as CodecType,
  HttpConnectionManager_ForwardClientCertDetails as Forward,
  type HttpConnectionManager,
  HttpConnectionManager_ServerHeaderTransformation as ServerHeader,
  HttpConnectionManager_PathWithEscapedSlashesAction as Slashes,
} from '@meltemi/envoy-api/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager';
import { compilePrefix, type Prefix } from '../../codec/address.ts';
import { millis } from '../../codec/duration.ts';
import { configuredText } from '../../codec/wire-text.ts';
import { type AccessLogPlan, planAccessLogs } from '../access-log/access-log-plan.ts';
import type { FilterCatalog } from '../filter-catalog.ts';
import type { RoutePlan } from '../route/route-plan.ts';
import { planRoutes } from '../route/route-table.ts';
import { type DecoratorPlan, type FilterPlan, planFilters } from './filter-list.ts';
import { compileH2Options, type H2Options } from './h2-options.ts';

/** Routes of its own, or those that RDS has under a name. */
export type RoutesPlan =
  | { readonly kind: 'inline'; readonly routes: RoutePlan }
  | { readonly kind: 'named'; readonly name: string };

export type XfccMode = 'sanitize' | 'forward' | 'append' | 'sanitizeSet' | 'always';

export interface PathRules {
  readonly normalize: boolean;
  readonly mergeSlashes: boolean;
  readonly escapedSlashes: 'keep' | 'reject' | 'redirect' | 'forward';
}

export interface ManagerPlan {
  readonly statPrefix: string;
  readonly codec: 'auto' | 'h1' | 'h2';
  readonly routes: RoutesPlan;
  /** In the order in which a request passes them. */
  readonly filters: readonly FilterPlan[];
  readonly accessLogs: readonly AccessLogPlan[];
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
  readonly h2: H2Options;
  readonly underscores: 'allow' | 'reject' | 'drop';
}

export interface ManagerContext {
  readonly catalog: FilterCatalog;
  /** Traffic that leaves the workload: operations are named on the request. */
  readonly outbound: boolean;
}

export function planManager(
  source: HttpConnectionManager,
  { outbound, catalog }: ManagerContext,
  problems: string[],
): ManagerPlan {
  const common = source.commonHttpProtocolOptions;
  return {
    statPrefix: source.statPrefix,
    codec: codecs[source.codecType] ?? 'auto',
    routes: routesOf(source, catalog, problems),
    accessLogs: planAccessLogs(source.accessLog, problems),
    filters: planFilters(source.httpFilters, { catalog, decorator: decoratorOf(source, outbound) }, problems),
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
    stripPort: stripPortOf(source),
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
    h2: compileH2Options(source.http2ProtocolOptions),
    underscores: underscoreActions[common?.headersWithUnderscoresAction ?? 0] ?? 'allow',
  };
}

const codecs: Readonly<Record<number, ManagerPlan['codec']>> = {
  [CodecType.HTTP1]: 'h1',
  [CodecType.HTTP2]: 'h2',
};

const underscoreActions: Readonly<Record<number, ManagerPlan['underscores']>> = {
  [Underscores.REJECT_REQUEST]: 'reject',
  [Underscores.DROP_HEADER]: 'drop',
};

function routesOf(
  { routeSpecifier }: HttpConnectionManager,
  catalog: FilterCatalog,
  problems: string[],
): RoutesPlan {
  switch (routeSpecifier.case) {
    case 'routeConfig': {
      const planned = planRoutes(routeSpecifier.value, catalog);
      problems.push(...planned.problems);
      return { kind: 'inline', routes: planned.plan };
    }
    case 'rds':
      return { kind: 'named', name: routeSpecifier.value.routeConfigName };
    default:
      problems.push('scoped routes are not supported');
      return { kind: 'named', name: '' };
  }
}

/** Only with tracing do operations have names. */
function decoratorOf({ tracing }: HttpConnectionManager, outbound: boolean): DecoratorPlan | undefined {
  if (tracing === undefined) return undefined;
  return { kind: 'decorator', direction: outbound ? 'outbound' : 'inbound' };
}

function stripPortOf({
  stripPortMode,
  stripMatchingHostPort,
}: HttpConnectionManager): 'none' | 'matching' | 'any' {
  if (stripPortMode.case === 'stripAnyHostPort' && stripPortMode.value) return 'any';
  return stripMatchingHostPort ? 'matching' : 'none';
}

function serverHeaderOf(transformation: ServerHeader): ManagerPlan['serverHeader'] {
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

function xfccOf(source: HttpConnectionManager): ManagerPlan['xfcc'] {
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
