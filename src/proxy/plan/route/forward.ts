// A route to clusters as a plan.
import { RoutingPriority } from '@meltemi/envoy-api/envoy/config/core/v3/base';
import {
  RouteAction_InternalRedirectAction as Internal,
  type RouteAction_RequestMirrorPolicy as MirrorConfig,
  RouteAction_ClusterNotFoundResponseCode as NotFoundCode,
  type Route,
  type RouteAction,
  type WeightedCluster,
  type WeightedCluster_ClusterWeight as WeightedConfig,
} from '@meltemi/envoy-api/envoy/config/route/v3/route_components';
import type { FilterCatalog } from '../filter-catalog.ts';
import { runtimeFraction } from './fraction.ts';
import { planHashPolicies } from './hash-policy.ts';
import { planHeaderMutations } from './header-mutation.ts';
import { planRetry } from './retry.ts';
import { planHostRewrite, planPathRewrite } from './rewrite.ts';
import { planRouteFilters } from './route-filters.ts';
import type { RouteMatchPlan } from './route-match.ts';
import type {
  ForwardPlan,
  ForwardRoute,
  MirrorPlan,
  RouteEntry,
  TargetPlan,
  WeightedChoice,
  WeightedEntry,
} from './route-plan.ts';
import type { RouteScope } from './route-scope.ts';
import { planTimeouts } from './timeout.ts';

export interface ForwardSource {
  readonly entry: RouteEntry;
  readonly message: Route;
  readonly match: RouteMatchPlan;
  readonly scope: RouteScope;
}

/** Undefined without a cluster to go to; `problems` says why. */
export function planForward(
  action: RouteAction,
  source: ForwardSource,
  problems: string[],
): ForwardPlan | undefined {
  const route = planForwardRoute(action, source, problems);
  const target = planTarget(action, { route, catalog: source.scope.catalog }, problems);
  return target && { kind: 'forward', route, target };
}

function planForwardRoute(
  action: RouteAction,
  { entry, message, match, scope }: ForwardSource,
  problems: string[],
): ForwardRoute {
  const { virtualHost } = scope;
  refuseUnknown(action, problems);
  const retry = planRetry(action.retryPolicy ?? virtualHost.retryPolicy, problems);
  const mirrors = action.requestMirrorPolicies.length > 0 ? action.requestMirrorPolicies : scope.mirrors;
  return {
    ...entry,
    clusterNotFoundStatus: notFoundStatus(action.clusterNotFoundResponseCode),
    pathRewrite: planPathRewrite(action, match, problems),
    hostRewrite: planHostRewrite(action, problems),
    appendForwardedHost: action.appendXForwardedHost,
    timeouts: planTimeouts(action, {
      perTry: retry?.perTryTimeout ?? 0,
      perTryIdle: retry?.perTryIdleTimeout ?? 0,
    }),
    retry,
    hash: planHashPolicies(action.hashPolicy, problems),
    mirrors: mirrors.map(planMirror),
    upgrades: action.upgradeConfigs.map((upgrade) => ({
      type: upgrade.upgradeType.toLowerCase(),
      enabled: upgrade.enabled ?? true,
      terminateConnect: upgrade.connectConfig !== undefined,
    })),
    priority: action.priority === RoutingPriority.HIGH ? 'high' : 'default',
    includeAttemptCount: virtualHost.includeRequestAttemptCount,
    includeAttemptCountInResponse: virtualHost.includeAttemptCountInResponse,
    requestBufferLimit: message.perRequestBufferLimitBytes ?? virtualHost.perRequestBufferLimitBytes,
    metadataMatch: action.metadataMatch?.filterMetadata['envoy.lb'],
  };
}

/** What would send a request elsewhere, or more than once, must not be passed over. */
function refuseUnknown(action: RouteAction, problems: string[]): void {
  if (
    action.internalRedirectPolicy ||
    action.internalRedirectAction !== Internal.PASS_THROUGH_INTERNAL_REDIRECT
  )
    problems.push('internal redirects are not supported');
  if (action.hedgePolicy?.hedgeOnPerTryTimeout) problems.push('hedge_on_per_try_timeout is not supported');
  if (action.retryPolicyTypedConfig) problems.push('retry_policy_typed_config is not supported');
  for (const { connectConfig } of action.upgradeConfigs)
    if (connectConfig?.proxyProtocolConfig || connectConfig?.allowPost)
      problems.push('connect_config: proxy_protocol_config and allow_post are not supported');
}

interface TargetSource {
  readonly route: ForwardRoute;
  readonly catalog: FilterCatalog;
}

function planTarget(
  { clusterSpecifier: specifier }: RouteAction,
  source: TargetSource,
  problems: string[],
): TargetPlan | undefined {
  switch (specifier.case) {
    case 'cluster':
      if (specifier.value === '') problems.push('route to a cluster without a name');
      return { kind: 'cluster', cluster: specifier.value };
    case 'clusterHeader':
      return { kind: 'clusterHeader', header: specifier.value.toLowerCase() };
    case 'weightedClusters':
      return planWeighted(specifier.value, source, problems);
    default:
      problems.push(specifier.case ? `${specifier.case} is not supported` : 'route action without a cluster');
      return undefined;
  }
}

function planWeighted(
  source: WeightedCluster,
  { route, catalog }: TargetSource,
  problems: string[],
): TargetPlan | undefined {
  const choices: WeightedChoice[] = [];
  let total = 0;
  for (const cluster of source.clusters) {
    const entry = planWeightedEntry(cluster, route, problems);
    total += entry.weight;
    choices.push({
      end: total,
      clusterHeader: cluster.clusterHeader.toLowerCase(),
      entry,
      filters: planRouteFilters(cluster.typedPerFilterConfig, { catalog, filters: route.filters }, problems),
    });
  }
  if (total === 0) {
    problems.push('the sum of weights in weighted_clusters must be greater than 0');
    return undefined;
  }
  const header = source.randomValueSpecifier.value ?? '';
  return { kind: 'weighted', total, header: header.toLowerCase(), choices };
}

function planWeightedEntry(source: WeightedConfig, route: ForwardRoute, problems: string[]): WeightedEntry {
  const { requestHeadersToAdd, requestHeadersToRemove, responseHeadersToAdd, responseHeadersToRemove } =
    source;
  const own = source.metadataMatch?.filterMetadata['envoy.lb'];
  return {
    cluster: source.name,
    weight: source.weight ?? 0,
    hostRewrite: source.hostRewriteSpecifier.value || undefined,
    requestHeaders: planHeaderMutations(requestHeadersToAdd, requestHeadersToRemove, problems),
    responseHeaders: planHeaderMutations(responseHeadersToAdd, responseHeadersToRemove, problems),
    metadataMatch: route.metadataMatch || own ? { ...route.metadataMatch, ...own } : undefined,
  };
}

function planMirror(source: MirrorConfig): MirrorPlan {
  return {
    cluster: source.cluster,
    clusterHeader: source.clusterHeader.toLowerCase(),
    fraction: runtimeFraction(source.runtimeFraction),
    appendShadowSuffix: !source.disableShadowHostSuffixAppend,
  };
}

function notFoundStatus(code: NotFoundCode): number {
  switch (code) {
    case NotFoundCode.NOT_FOUND:
      return 404;
    case NotFoundCode.INTERNAL_SERVER_ERROR:
      return 500;
    default:
      return 503;
  }
}
