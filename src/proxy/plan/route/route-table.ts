// A RouteConfiguration as a plan.
import type { RouteConfiguration } from '@meltemi/envoy-api/envoy/config/route/v3/route';
import {
  type Route,
  VirtualHost_TlsRequirementType as TlsRequirement,
  type VirtualHost,
} from '@meltemi/envoy-api/envoy/config/route/v3/route_components';
import type { FilterCatalog } from '../filter-catalog.ts';
import type { Planned } from '../planned.ts';
import { planAction } from './route-action.ts';
import { planRouteMatch } from './route-match.ts';
import type { RoutePlan, RouteRule, VirtualHostPlan } from './route-plan.ts';
import { type RouteScope, virtualHostScope, type WideScope, wideScope } from './route-scope.ts';

/** With problems the whole configuration is refused; the plan leaves out what they are about. */
export function planRoutes(source: RouteConfiguration, catalog: FilterCatalog): Planned<RoutePlan> {
  const problems: string[] = [];
  const wide = wideScope(source, catalog, problems);
  const virtualHosts = source.virtualHosts.map((host) => planVirtualHost(host, wide, problems));
  checkNames(source.virtualHosts, problems);
  if (source.vhds) problems.push('vhds is not supported');
  // Clients from outside would keep what they must not set.
  if (source.internalOnlyHeaders.length > 0) problems.push('internal_only_headers is not supported');
  return {
    plan: {
      name: source.name,
      ignorePort: source.ignorePortInHostMatching,
      ignorePathParameters: source.ignorePathParametersInPathMatching,
      virtualHosts,
    },
    problems: problems.map((problem) => `route configuration "${source.name}": ${problem}`),
  };
}

function checkNames(hosts: readonly VirtualHost[], problems: string[]): void {
  const names = new Set<string>();
  const taken = new Set<string>();
  for (const { name, domains } of hosts) {
    if (names.has(name))
      problems.push(`only unique names for virtual hosts are permitted: duplicate "${name}"`);
    names.add(name);
    if (domains.length === 0) problems.push(`virtual host "${name}" has no domains`);
    for (const domain of domains) {
      const key = domain.toLowerCase();
      if (taken.has(key))
        problems.push(`only unique values for domains are permitted: duplicate entry of domain ${domain}`);
      taken.add(key);
    }
  }
}

function planVirtualHost(source: VirtualHost, wide: WideScope, problems: string[]): VirtualHostPlan {
  const own: string[] = [];
  const scope = virtualHostScope(source, wide, own);
  if (source.matcher) own.push('matcher is not supported');
  if (source.retryPolicyTypedConfig) own.push('retry_policy_typed_config is not supported');
  if (source.hedgePolicy?.hedgeOnPerTryTimeout) own.push('hedge_on_per_try_timeout is not supported');
  problems.push(...own.map((problem) => `virtual host "${source.name}": ${problem}`));
  return {
    name: source.name,
    domains: source.domains,
    requireTls: tlsRequirement(source.requireTls),
    routes: source.routes.flatMap((route, index) => planRule(route, index, scope, problems) ?? []),
  };
}

function planRule(route: Route, index: number, scope: RouteScope, problems: string[]): RouteRule | undefined {
  const own: string[] = [];
  const match = planRouteMatch(route.match, own);
  const action = planAction({ route, index, match, scope }, own);
  const label = route.name ? `${index} "${route.name}"` : `${index}`;
  problems.push(
    ...own.map((problem) => `virtual host "${scope.virtualHost.name}": route ${label}: ${problem}`),
  );
  return action && { match, action };
}

function tlsRequirement(type: TlsRequirement): VirtualHostPlan['requireTls'] {
  switch (type) {
    case TlsRequirement.ALL:
      return 'all';
    case TlsRequirement.EXTERNAL_ONLY:
      return 'external';
    default:
      return 'none';
  }
}
