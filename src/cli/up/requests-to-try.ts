// Requests worth trying at the gateway: the plain one, and one for each fault. What they meet is decided as the
// gateway's proxy decides it.
import type { Route } from '@meltemi/envoy-api/envoy/config/route/v3/route_components';
import type { GatewayRoutes } from './gateway-routes.ts';
import { predict } from './predicted.ts';
import { asSeen, curlCommand, sampleRequest } from './sample-request.ts';

export interface RequestToTry {
  readonly url: string;
  readonly command: string;
  readonly outcome: string;
}

export interface GatewayPlace {
  /** `localhost:8080` */
  readonly authority: string;
  /** `file.yaml:12`, of the fault that a route injects. */
  readonly placeOf: (route: Route) => string | undefined;
}

export function requestsToTry(routes: GatewayRoutes, place: GatewayPlace): readonly RequestToTry[] {
  const found = routes.source.virtualHosts.flatMap(({ name, domains, routes: list }) =>
    list.flatMap((route, index) => {
      const [domain] = domains;
      return domain === undefined
        ? []
        : (tried({ route, index, domain, virtualHost: name }, routes, place) ?? []);
    }),
  );
  // The last route without a fault is the one for everybody.
  const plain = found.filter(({ fault }) => fault === undefined);
  const faults = found.filter(({ fault }) => fault !== undefined);
  const known = new Set<string | undefined>();
  const first = faults.filter(({ fault }) => !known.has(fault) && known.add(fault));
  return [...plain.slice(-1), ...first].map(({ request }) => request);
}

interface Standing {
  readonly route: Route;
  readonly index: number;
  readonly domain: string;
  readonly virtualHost: string;
}

interface Found {
  readonly request: RequestToTry;
  /** What tells faults apart: several routes may stand for one rule. */
  readonly fault: string | undefined;
}

/** Undefined when another route takes what was made for this one. */
function tried(
  { route, index, domain, virtualHost }: Standing,
  routes: GatewayRoutes,
  { authority, placeOf }: GatewayPlace,
): Found | undefined {
  const sample = sampleRequest(domain, route.match);
  const request = asSeen(sample, authority);
  const taken = routes.table.explain(request, { random: () => 0 }).trials.find(({ matched }) => matched);
  if (taken?.virtualHost !== virtualHost || taken.index !== index) return undefined;
  const at = placeOf(route);
  const { text, hasFault } = predict(routes, request, at === undefined ? ' (fault)' : ` (fault, ${at})`);
  return {
    request: {
      url: `http://${authority}${sample.path}`,
      command: curlCommand(sample, authority),
      outcome: text,
    },
    fault: hasFault ? `${virtualHost} ${at} ${text}` : undefined,
  };
}
