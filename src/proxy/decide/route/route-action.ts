// Compiles what a route does into decisions. Everything that does not depend on the request is decided here,
// once.

import { RoutingPriority } from '@meltemi/envoy-api/envoy/config/core/v3/base';
import {
  type RouteAction_RequestMirrorPolicy as MirrorConfig,
  RouteAction_ClusterNotFoundResponseCode as NotFoundCode,
  type Route,
  type RouteAction,
  type VirtualHost,
  type WeightedCluster,
} from '@meltemi/envoy-api/envoy/config/route/v3/route_components';
import type { CorsRoutePlan } from '../../filters/cors.ts';
import { compileCors } from '../../filters/cors-decision.ts';
import { planRouteFilters } from '../../filters/plan-route.ts';
import type {
  DirectResponseDecision,
  ForwardDecision,
  ForwardRoute,
  MirrorPlan,
  NonForwardingDecision,
  RouteDecision,
  RouteEntry,
  WeightedEntry,
} from './decision.ts';
import type { FilterConfig, FilterConfigs } from './filter-config.ts';
import { runtimeFraction } from './fraction.ts';
import { compileHashPolicies } from './hash-policy.ts';
import { requestHeader } from './header-match.ts';
import { compileHeaderMutations, type HeaderMutations, noMutations } from './header-mutation.ts';
import { compileRedirect, type RedirectPlan, redirectLocation } from './redirect.ts';
import type { RequestView, RouteContext } from './request-view.ts';
import { compileRetry } from './retry.ts';
import { compileHostRewrite, compilePathRewrite } from './rewrite.ts';
import type { RouteMatch } from './route-match.ts';
import { compileTimeouts } from './timeout.ts';
import { configuredText } from './wire-text.ts';

/** What a route takes over from its virtual host and route configuration. */
export interface RouteScope {
  readonly virtualHost: VirtualHost;
  readonly filters: FilterConfigs;
  /** Of the virtual host, then of the route configuration. */
  readonly requestHeaders: readonly HeaderMutations[];
  readonly responseHeaders: readonly HeaderMutations[];
  readonly mostSpecificWins: boolean;
  readonly mirrors: readonly MirrorConfig[];
  readonly maxDirectBody: number;
}

/** An action with its static decisions. One shape for all kinds of action; `decide` switches. */
export type CompiledAction =
  | {
      readonly kind: 'static';
      readonly decision: ForwardDecision | DirectResponseDecision | NonForwardingDecision;
    }
  | {
      readonly kind: 'weighted';
      readonly total: number;
      readonly header: string;
      readonly choices: readonly WeightedChoice[];
    }
  | { readonly kind: 'clusterHeader'; readonly header: string; readonly base: ForwardDecision }
  | { readonly kind: 'redirect'; readonly plan: RedirectPlan; readonly route: RouteEntry };

interface WeightedChoice {
  /** Draws below this and not below the previous choice's end fall here. */
  readonly end: number;
  readonly clusterHeader: string;
  readonly decision: ForwardDecision;
}

export function decide(action: CompiledAction, request: RequestView, context: RouteContext): RouteDecision {
  switch (action.kind) {
    case 'static':
      return action.decision;
    case 'weighted':
      return decideWeighted(action, request, context);
    case 'clusterHeader':
      return { ...action.base, cluster: requestHeader(request, action.header) ?? '' };
    case 'redirect':
      return {
        kind: 'redirect',
        route: action.route,
        status: action.plan.status,
        location: redirectLocation(action.plan, request),
      };
  }
}

function decideWeighted(
  action: CompiledAction & { kind: 'weighted' },
  request: RequestView,
  context: RouteContext,
): ForwardDecision {
  const { choices, total } = action;
  const given = action.header === '' ? undefined : request.get(action.header);
  const draw =
    given !== undefined && /^\d{1,15}$/.test(given) ? Number(given) % total : context.random() * total;
  let choice = choices[0];
  for (let i = 0; i < choices.length; i++) {
    choice = choices[i];
    if (choice !== undefined && draw < choice.end) break;
  }
  if (choice === undefined) throw new Error('a weighted action has at least one choice');
  return choice.clusterHeader === ''
    ? choice.decision
    : { ...choice.decision, cluster: requestHeader(request, choice.clusterHeader) ?? '' };
}

/** Undefined when no action could be made; `problems` says why. */
export function compileAction(
  route: Route,
  index: number,
  match: RouteMatch,
  scope: RouteScope,
  problems: string[],
): CompiledAction | undefined {
  const entry = compileEntry(route, index, scope, problems);
  const action = route.action;
  switch (action.case) {
    case 'route':
      return compileForward(
        action.value,
        compileForwardRoute(action.value, route, entry, match, scope, problems),
        problems,
      );
    case 'redirect':
      return { kind: 'redirect', plan: compileRedirect(action.value, match, problems), route: entry };
    case 'directResponse': {
      const { status, body } = action.value;
      if (status < 200 || status >= 600) problems.push(`direct response status ${status} is outside 200-599`);
      const specifier = body?.specifier;
      const bytes =
        specifier?.case === 'inlineBytes'
          ? specifier.value
          : specifier?.case === 'inlineString'
            ? new TextEncoder().encode(specifier.value)
            : new Uint8Array();
      if (specifier?.case === 'filename' || specifier?.case === 'environmentVariable')
        problems.push('direct response body must be inline');
      if (bytes.length > scope.maxDirectBody)
        problems.push(`response body size is ${bytes.length} bytes; maximum is ${scope.maxDirectBody}`);
      return { kind: 'static', decision: { kind: 'directResponse', route: entry, status, body: bytes } };
    }
    case 'nonForwardingAction':
      return { kind: 'static', decision: { kind: 'nonForwarding', route: entry } };
    default:
      problems.push(action.case ? `${action.case} is not supported` : 'route without an action');
      return undefined;
  }
}

function compileEntry(route: Route, index: number, scope: RouteScope, problems: string[]): RouteEntry {
  const requestHeaders = compileHeaderMutations(
    route.requestHeadersToAdd,
    route.requestHeadersToRemove,
    problems,
  );
  const responseHeaders = compileHeaderMutations(
    route.responseHeadersToAdd,
    route.responseHeadersToRemove,
    problems,
  );
  return {
    name: route.name,
    virtualHost: scope.virtualHost.name,
    index,
    metadata: route.metadata?.filterMetadata ?? {},
    decorator: route.decorator?.operation
      ? configuredText(route.decorator.operation, 'decorator', problems)
      : undefined,
    statPrefix: route.statPrefix,
    filters: routeFilters(route, scope, problems),
    requestHeaders: mutationOrder(requestHeaders, scope.requestHeaders, scope.mostSpecificWins),
    responseHeaders: mutationOrder(responseHeaders, scope.responseHeaders, scope.mostSpecificWins),
  };
}

/** The last mutation to run wins, so that by default the widest level does. */
function mutationOrder(
  own: HeaderMutations,
  wider: readonly HeaderMutations[],
  mostSpecificWins: boolean,
): readonly HeaderMutations[] {
  const order = [own, ...wider].filter((mutations) => mutations !== noMutations);
  return mostSpecificWins ? order.reverse() : order;
}

// The deprecated `cors` field of the action still counts where no filter configuration says otherwise.
function routeFilters(route: Route, scope: RouteScope, problems: string[]): FilterConfigs {
  const filters = planRouteFilters(route.typedPerFilterConfig, scope.filters, problems);
  const cors =
    (route.action.case === 'route' ? route.action.value.cors : undefined) ?? scope.virtualHost.cors;
  if (!cors || filters.has('envoy.filters.http.cors')) return filters;
  const { enabledSpecifier, ...rest } = cors;
  const config: CorsRoutePlan = {
    kind: 'cors',
    plan: compileCors({ ...rest, filterEnabled: enabledSpecifier.value }, problems),
  };
  return new Map<string, FilterConfig>([...filters, ['envoy.filters.http.cors', config]]);
}

function compileForwardRoute(
  action: RouteAction,
  route: Route,
  entry: RouteEntry,
  match: RouteMatch,
  scope: RouteScope,
  problems: string[],
): ForwardRoute {
  const retry = compileRetry(action.retryPolicy ?? scope.virtualHost.retryPolicy, problems);
  const mirrors = action.requestMirrorPolicies.length > 0 ? action.requestMirrorPolicies : scope.mirrors;
  return {
    ...entry,
    clusterNotFoundStatus: notFoundStatus(action.clusterNotFoundResponseCode),
    pathRewrite: compilePathRewrite(action, match, problems),
    hostRewrite: compileHostRewrite(action, problems),
    appendForwardedHost: action.appendXForwardedHost,
    timeouts: compileTimeouts(action, {
      perTry: retry?.perTryTimeout ?? 0,
      perTryIdle: retry?.perTryIdleTimeout ?? 0,
    }),
    retry,
    hash: compileHashPolicies(action.hashPolicy, problems),
    mirrors: mirrors.map(compileMirror),
    upgrades: action.upgradeConfigs.map((upgrade) => ({
      type: upgrade.upgradeType.toLowerCase(),
      enabled: upgrade.enabled ?? true,
      terminateConnect: upgrade.connectConfig !== undefined,
    })),
    priority: action.priority === RoutingPriority.HIGH ? 'high' : 'default',
    includeAttemptCount: scope.virtualHost.includeRequestAttemptCount,
    includeAttemptCountInResponse: scope.virtualHost.includeAttemptCountInResponse,
    requestBufferLimit: route.perRequestBufferLimitBytes ?? scope.virtualHost.perRequestBufferLimitBytes,
    metadataMatch: action.metadataMatch?.filterMetadata['envoy.lb'],
  };
}

function compileForward(
  action: RouteAction,
  route: ForwardRoute,
  problems: string[],
): CompiledAction | undefined {
  const specifier = action.clusterSpecifier;
  const base: ForwardDecision = {
    kind: 'forward',
    route,
    cluster: '',
    weighted: undefined,
    filters: route.filters,
  };
  switch (specifier.case) {
    case 'cluster':
      if (specifier.value === '') problems.push('route to a cluster without a name');
      return { kind: 'static', decision: { ...base, cluster: specifier.value } };
    case 'clusterHeader':
      return { kind: 'clusterHeader', header: specifier.value.toLowerCase(), base };
    case 'weightedClusters':
      return compileWeighted(specifier.value, base, problems);
    default:
      problems.push(specifier.case ? `${specifier.case} is not supported` : 'route action without a cluster');
      return undefined;
  }
}

function compileWeighted(
  config: WeightedCluster,
  base: ForwardDecision,
  problems: string[],
): CompiledAction | undefined {
  const choices: WeightedChoice[] = [];
  let total = 0;
  for (const cluster of config.clusters) {
    const weighted: WeightedEntry = {
      cluster: cluster.name,
      weight: cluster.weight ?? 0,
      hostRewrite: cluster.hostRewriteSpecifier.value || undefined,
      requestHeaders: compileHeaderMutations(
        cluster.requestHeadersToAdd,
        cluster.requestHeadersToRemove,
        problems,
      ),
      responseHeaders: compileHeaderMutations(
        cluster.responseHeadersToAdd,
        cluster.responseHeadersToRemove,
        problems,
      ),
      metadataMatch: merged(base.route.metadataMatch, cluster.metadataMatch?.filterMetadata['envoy.lb']),
    };
    total += weighted.weight;
    const filters = planRouteFilters(cluster.typedPerFilterConfig, base.filters, problems);
    choices.push({
      end: total,
      clusterHeader: cluster.clusterHeader.toLowerCase(),
      decision: { ...base, cluster: cluster.name, weighted, filters },
    });
  }
  if (total === 0) {
    problems.push('the sum of weights in weighted_clusters must be greater than 0');
    return undefined;
  }
  const header = config.randomValueSpecifier.value ?? '';
  return { kind: 'weighted', total, header: header.toLowerCase(), choices };
}

function merged(route: Criteria | undefined, own: Criteria | undefined): Criteria | undefined {
  return route || own ? { ...route, ...own } : undefined;
}

type Criteria = Readonly<Record<string, unknown>>;

function compileMirror(config: MirrorConfig): MirrorPlan {
  return {
    cluster: config.cluster,
    clusterHeader: config.clusterHeader.toLowerCase(),
    fraction: runtimeFraction(config.runtimeFraction),
    appendShadowSuffix: !config.disableShadowHostSuffixAppend,
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
