// What a route does, as a plan.
import { create, toBinary } from '@bufbuild/protobuf';
import type { DataSource } from '@meltemi/envoy-api/envoy/config/core/v3/base';
import type { DirectResponseAction, Route } from '@meltemi/envoy-api/envoy/config/route/v3/route_components';
import { CorsPolicySchema } from '@meltemi/envoy-api/envoy/extensions/filters/http/cors/v3/cors';
import { configuredText } from '../../codec/wire-text.ts';
import { type FilterConfigs, filterConfig } from './filter-config.ts';
import { planForward } from './forward.ts';
import { type HeaderMutations, hasMutations, planHeaderMutations } from './header-mutation.ts';
import { planRedirect } from './redirect.ts';
import { planRouteFilters } from './route-filters.ts';
import type { RouteMatchPlan } from './route-match.ts';
import type { ActionPlan, RouteEntry } from './route-plan.ts';
import type { RouteScope } from './route-scope.ts';

export interface RouteSource {
  readonly route: Route;
  readonly index: number;
  readonly match: RouteMatchPlan;
  readonly scope: RouteScope;
}

/** Undefined when no action could be made; `problems` says why. */
export function planAction(source: RouteSource, problems: string[]): ActionPlan | undefined {
  const { route: message, match, scope } = source;
  const { action } = message;
  const route = planEntry(source, problems);
  switch (action.case) {
    case 'route':
      return planForward(action.value, { entry: route, message, match, scope }, problems);
    case 'redirect':
      return { kind: 'redirect', route, redirect: planRedirect(action.value, match, problems) };
    case 'directResponse':
      return planDirectResponse(action.value, { route, longestBody: scope.maxDirectBody }, problems);
    case 'nonForwardingAction':
      return { kind: 'nonForwarding', route };
    default:
      problems.push(action.case ? `${action.case} is not supported` : 'route without an action');
      return undefined;
  }
}

function planDirectResponse(
  { status, body }: DirectResponseAction,
  { route, longestBody }: { readonly route: RouteEntry; readonly longestBody: number },
  problems: string[],
): ActionPlan {
  if (status < 200 || status >= 600) problems.push(`direct response status ${status} is outside 200-599`);
  const bytes = inlineBytes(body, problems);
  if (bytes.length > longestBody)
    problems.push(`response body size is ${bytes.length} bytes; maximum is ${longestBody}`);
  return {
    kind: 'directResponse',
    route,
    status,
    body: new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes),
  };
}

function inlineBytes(body: DataSource | undefined, problems: string[]): Uint8Array {
  const specifier = body?.specifier;
  switch (specifier?.case) {
    case 'inlineBytes':
      return specifier.value;
    case 'inlineString':
      return new TextEncoder().encode(specifier.value);
    case 'filename':
    case 'environmentVariable':
      problems.push('direct response body must be inline');
      return new Uint8Array();
    default:
      return new Uint8Array();
  }
}

function planEntry({ route, index, scope }: RouteSource, problems: string[]): RouteEntry {
  const requestHeaders = planHeaderMutations(
    route.requestHeadersToAdd,
    route.requestHeadersToRemove,
    problems,
  );
  const responseHeaders = planHeaderMutations(
    route.responseHeadersToAdd,
    route.responseHeadersToRemove,
    problems,
  );
  const decorator = route.decorator?.operation;
  return {
    name: route.name,
    virtualHost: scope.virtualHost.name,
    index,
    metadata: route.metadata?.filterMetadata ?? {},
    decorator: decorator ? configuredText(decorator, 'decorator', problems) : undefined,
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
  const order = [own, ...wider].filter(hasMutations);
  return mostSpecificWins ? order.reverse() : order;
}

// The deprecated `cors` field of the action still counts where no filter configuration says otherwise.
function routeFilters(route: Route, scope: RouteScope, problems: string[]): FilterConfigs {
  const filters = planRouteFilters(route.typedPerFilterConfig, scope, problems);
  const own = route.action.case === 'route' ? route.action.value.cors : undefined;
  const cors = own ?? scope.virtualHost.cors;
  if (!cors || filterConfig(filters, corsFilter)) return filters;
  const { enabledSpecifier, ...rest } = cors;
  const { $typeName: _, ...fields } = rest;
  const message = create(CorsPolicySchema, { ...fields, filterEnabled: enabledSpecifier.value });
  const config = scope.catalog.route(CorsPolicySchema.typeName)?.(
    toBinary(CorsPolicySchema, message),
    problems,
  );
  return config ? [...filters, { name: corsFilter, config }] : filters;
}

const corsFilter = 'envoy.filters.http.cors';
