// A planned route configuration in use: `choose` for traffic, `explain` for people. One engine for both.
import type { RequestView } from '../../codec/http/request-view.ts';
import type { RoutePlan, VirtualHostPlan } from '../../plan/route/route-plan.ts';
import type { Explanation, NotFoundDecision, RouteContext, RouteDecision, RouteTrial } from './decision.ts';
import { DomainIndex } from './domain-index.ts';
import { tlsLocation } from './redirect.ts';
import { pathEnd } from './rewrite.ts';
import { type CompiledAction, compileAction, decide } from './route-action.ts';
import { RouteMatch } from './route-match.ts';

interface CompiledRoute {
  readonly name: string;
  readonly index: number;
  readonly match: RouteMatch;
  readonly action: CompiledAction;
}

interface VirtualHost {
  readonly name: string;
  readonly requireTls: VirtualHostPlan['requireTls'];
  readonly routes: readonly CompiledRoute[];
  readonly notFound: NotFoundDecision;
}

const noVirtualHost: NotFoundDecision = { kind: 'notFound', virtualHost: undefined };

export class RouteTable {
  readonly name: string;
  readonly #domains: DomainIndex<VirtualHost>;
  readonly #ignorePathParameters: boolean;

  constructor({ name, ignorePort, ignorePathParameters, virtualHosts }: RoutePlan) {
    this.name = name;
    this.#domains = new DomainIndex({ ignorePort });
    this.#ignorePathParameters = ignorePathParameters;
    for (const plan of virtualHosts) {
      const host = compileVirtualHost(plan);
      // One that is taken was found when it was planned.
      for (const domain of plan.domains) this.#domains.add(domain, host);
    }
    this.#domains.finish();
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

function compileVirtualHost({ name, requireTls, routes }: VirtualHostPlan): VirtualHost {
  return {
    name,
    requireTls,
    routes: routes.map(({ match, action }) => ({
      name: action.route.name,
      index: action.route.index,
      match: new RouteMatch(match),
      action: compileAction(action),
    })),
    notFound: { kind: 'notFound', virtualHost: name },
  };
}

function mustRedirect(host: VirtualHost, request: RequestView): boolean {
  if (host.requireTls === 'none' || (request.get('x-forwarded-proto') ?? request.scheme) === 'https')
    return false;
  return host.requireTls === 'all' || request.get('x-envoy-internal') !== 'true';
}

function tlsRedirect(request: RequestView): RouteDecision {
  return { kind: 'redirect', route: undefined, status: 301, location: tlsLocation(request) };
}
