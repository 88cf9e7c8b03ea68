// A RouteConfiguration, compiled: `choose` for traffic, `explain` for people. One engine for both.
import type { RouteConfiguration } from '@meltemi/envoy-api/envoy/config/route/v3/route';
import {
  type Route,
  VirtualHost_TlsRequirementType as TlsRequirement,
  type VirtualHost as VirtualHostConfig,
} from '@meltemi/envoy-api/envoy/config/route/v3/route_components';
import { planRouteFilters } from '../../filters/plan-route.ts';
import type { Explanation, NotFoundDecision, RouteDecision, RouteTrial } from './decision.ts';
import { DomainIndex } from './domain-index.ts';
import { type FilterConfigs, noFilterConfigs } from './filter-config.ts';
import { compileHeaderMutations, type HeaderMutations } from './header-mutation.ts';
import { tlsLocation } from './redirect.ts';
import type { RequestView, RouteContext } from './request-view.ts';
import { pathEnd } from './rewrite.ts';
import { type CompiledAction, compileAction, decide, type RouteScope } from './route-action.ts';
import { compileRouteMatch, type RouteMatch } from './route-match.ts';

export interface CompiledRoutes {
  readonly table: RouteTable;
  /** Reasons to refuse the whole configuration; the table leaves out what they are about. */
  readonly problems: readonly string[];
}

interface CompiledRoute {
  readonly name: string;
  readonly index: number;
  readonly match: RouteMatch;
  readonly action: CompiledAction;
}

interface VirtualHost {
  readonly name: string;
  readonly requireTls: 'none' | 'external' | 'all';
  readonly routes: readonly CompiledRoute[];
  readonly notFound: NotFoundDecision;
}

const noVirtualHost: NotFoundDecision = { kind: 'notFound', virtualHost: undefined };

export class RouteTable {
  readonly name: string;
  readonly #domains: DomainIndex<VirtualHost>;
  readonly #ignorePathParameters: boolean;

  constructor(name: string, domains: DomainIndex<VirtualHost>, options: { ignorePathParameters: boolean }) {
    this.name = name;
    this.#domains = domains;
    this.#ignorePathParameters = options.ignorePathParameters;
  }

  choose(request: RequestView, context: RouteContext): RouteDecision {
    const host = this.#domains.find(request.authority)?.value;
    if (host === undefined) return noVirtualHost;
    if (host.requireTls !== 'none' && mustRedirect(host, request)) return tlsRedirect(request);
    const end = this.#pathEnd(request.path);
    const { routes } = host;
    for (let i = 0; i < routes.length; i++) {
      const route = routes[i];
      if (route?.match.matches(request, end, context)) return decide(route.action, request, context);
    }
    return host.notFound;
  }

  /** The same choice, with the reason for every route that was tried. */
  explain(request: RequestView, context: RouteContext): Explanation {
    const found = this.#domains.find(request.authority);
    if (!found) return { virtualHost: undefined, domain: undefined, trials: [], decision: noVirtualHost };
    const host = found.value;
    const where = { virtualHost: host.name, domain: found.domain };
    if (mustRedirect(host, request)) return { ...where, trials: [], decision: tlsRedirect(request) };
    const trials: RouteTrial[] = [];
    for (const { match, action, name, index } of host.routes) {
      const failure = match.explain(request, this.#pathEnd(request.path), context);
      trials.push({
        virtualHost: host.name,
        index,
        name,
        matched: failure === undefined,
        reason: failure ?? match.description,
      });
      if (failure === undefined) return { ...where, trials, decision: decide(action, request, context) };
    }
    return { ...where, trials, decision: host.notFound };
  }

  #pathEnd(path: string): number {
    const end = pathEnd(path);
    const parameters = this.#ignorePathParameters ? path.indexOf(';') : -1;
    return parameters >= 0 && parameters < end ? parameters : end;
  }
}

export function compileRouteConfiguration(config: RouteConfiguration): CompiledRoutes {
  const problems: string[] = [];
  const domains = new DomainIndex<VirtualHost>({ ignorePort: config.ignorePortInHostMatching });
  const names = new Set<string>();
  const wide = compileWide(config, problems);
  for (const host of config.virtualHosts) {
    if (names.has(host.name))
      problems.push(`only unique names for virtual hosts are permitted: duplicate "${host.name}"`);
    names.add(host.name);
    const compiled = compileVirtualHost(host, wide, problems);
    if (host.domains.length === 0) problems.push(`virtual host "${host.name}" has no domains`);
    for (const domain of host.domains) {
      if (!domains.add(domain, compiled))
        problems.push(`only unique values for domains are permitted: duplicate entry of domain ${domain}`);
    }
  }
  domains.finish();
  if (config.vhds) problems.push('vhds is not supported');
  const table = new RouteTable(config.name, domains, {
    ignorePathParameters: config.ignorePathParametersInPathMatching,
  });
  return { table, problems: problems.map((problem) => `route configuration "${config.name}": ${problem}`) };
}

/** The level of the route configuration. */
interface WideScope extends Omit<RouteScope, 'virtualHost'> {
  readonly requestHeaders: readonly HeaderMutations[];
}

// The default limit of a direct response's body, from the API's documentation of
// max_direct_response_body_size_bytes.
const defaultDirectBody = 4096;

function compileWide(config: RouteConfiguration, problems: string[]): WideScope {
  return {
    filters: planRouteFilters(config.typedPerFilterConfig, noFilterConfigs, problems),
    requestHeaders: [
      compileHeaderMutations(config.requestHeadersToAdd, config.requestHeadersToRemove, problems),
    ],
    responseHeaders: [
      compileHeaderMutations(config.responseHeadersToAdd, config.responseHeadersToRemove, problems),
    ],
    mostSpecificWins: config.mostSpecificHeaderMutationsWins,
    mirrors: config.requestMirrorPolicies,
    maxDirectBody: config.maxDirectResponseBodySizeBytes ?? defaultDirectBody,
  };
}

function compileVirtualHost(config: VirtualHostConfig, wide: WideScope, problems: string[]): VirtualHost {
  const own: string[] = [];
  const filters: FilterConfigs = planRouteFilters(config.typedPerFilterConfig, wide.filters, own);
  const scope: RouteScope = {
    ...wide,
    virtualHost: config,
    filters,
    requestHeaders: [
      compileHeaderMutations(config.requestHeadersToAdd, config.requestHeadersToRemove, own),
      ...wide.requestHeaders,
    ],
    responseHeaders: [
      compileHeaderMutations(config.responseHeadersToAdd, config.responseHeadersToRemove, own),
      ...wide.responseHeaders,
    ],
    mirrors: config.requestMirrorPolicies.length > 0 ? config.requestMirrorPolicies : wide.mirrors,
  };
  if (config.matcher) own.push('matcher is not supported');
  problems.push(...own.map((problem) => `virtual host "${config.name}": ${problem}`));
  const routes = config.routes.flatMap((route, index) => compileRoute(route, index, scope, problems));
  return {
    name: config.name,
    requireTls: tlsRequirement(config.requireTls),
    routes,
    notFound: { kind: 'notFound', virtualHost: config.name },
  };
}

function compileRoute(route: Route, index: number, scope: RouteScope, problems: string[]): CompiledRoute[] {
  const own: string[] = [];
  const match = compileRouteMatch(route.match, own);
  const action = compileAction(route, index, match, scope, own);
  const label = route.name ? `${index} "${route.name}"` : `${index}`;
  problems.push(
    ...own.map((problem) => `virtual host "${scope.virtualHost.name}": route ${label}: ${problem}`),
  );
  return action ? [{ name: route.name, index, match, action }] : [];
}

function tlsRequirement(type: TlsRequirement): VirtualHost['requireTls'] {
  switch (type) {
    case TlsRequirement.ALL:
      return 'all';
    case TlsRequirement.EXTERNAL_ONLY:
      return 'external';
    default:
      return 'none';
  }
}

function mustRedirect(host: VirtualHost, request: RequestView): boolean {
  if (host.requireTls === 'none' || (request.get('x-forwarded-proto') ?? request.scheme) === 'https')
    return false;
  return host.requireTls === 'all' || request.get('x-envoy-internal') !== 'true';
}

function tlsRedirect(request: RequestView): RouteDecision {
  return { kind: 'redirect', route: undefined, status: 301, location: tlsLocation(request) };
}
