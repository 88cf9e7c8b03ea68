// What routes take over from the levels above them.
import type { RouteConfiguration } from '@meltemi/envoy-api/envoy/config/route/v3/route';
import type {
  RouteAction_RequestMirrorPolicy as MirrorConfig,
  VirtualHost,
} from '@meltemi/envoy-api/envoy/config/route/v3/route_components';
import type { FilterCatalog } from '../filter-catalog.ts';
import { type FilterConfigs, noFilterConfigs } from './filter-config.ts';
import { type HeaderMutations, planHeaderMutations } from './header-mutation.ts';
import { planRouteFilters } from './route-filters.ts';

/** The level of the route configuration. */
export type WideScope = Omit<RouteScope, 'virtualHost'>;

/** That of a virtual host, over the one of the route configuration. */
export interface RouteScope {
  readonly virtualHost: VirtualHost;
  readonly catalog: FilterCatalog;
  readonly filters: FilterConfigs;
  /** Of the virtual host, then of the route configuration. */
  readonly requestHeaders: readonly HeaderMutations[];
  readonly responseHeaders: readonly HeaderMutations[];
  readonly mostSpecificWins: boolean;
  readonly mirrors: readonly MirrorConfig[];
  readonly maxDirectBody: number;
}

// The default limit of a direct response's body, from the API's documentation of
// max_direct_response_body_size_bytes.
const defaultDirectBody = 4096;

export function wideScope(source: RouteConfiguration, catalog: FilterCatalog, problems: string[]): WideScope {
  const none = { catalog, filters: noFilterConfigs };
  return {
    catalog,
    filters: planRouteFilters(source.typedPerFilterConfig, none, problems),
    requestHeaders: [requestMutations(source, problems)],
    responseHeaders: [responseMutations(source, problems)],
    mostSpecificWins: source.mostSpecificHeaderMutationsWins,
    mirrors: source.requestMirrorPolicies,
    maxDirectBody: source.maxDirectResponseBodySizeBytes ?? defaultDirectBody,
  };
}

export function virtualHostScope(source: VirtualHost, wide: WideScope, problems: string[]): RouteScope {
  return {
    ...wide,
    virtualHost: source,
    filters: planRouteFilters(source.typedPerFilterConfig, wide, problems),
    requestHeaders: [requestMutations(source, problems), ...wide.requestHeaders],
    responseHeaders: [responseMutations(source, problems), ...wide.responseHeaders],
    mirrors: source.requestMirrorPolicies.length > 0 ? source.requestMirrorPolicies : wide.mirrors,
  };
}

type Level = RouteConfiguration | VirtualHost;

function requestMutations(level: Level, problems: string[]): HeaderMutations {
  return planHeaderMutations(level.requestHeadersToAdd, level.requestHeadersToRemove, problems);
}

function responseMutations(level: Level, problems: string[]): HeaderMutations {
  return planHeaderMutations(level.responseHeadersToAdd, level.responseHeadersToRemove, problems);
}
