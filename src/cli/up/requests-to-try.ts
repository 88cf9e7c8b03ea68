// Requests worth trying at the gateway: the plain one, and one for each fault. What they meet is decided as the
// gateway's proxy decides it.
import type { Route } from '@meltemi/envoy-api/envoy/config/route/v3/route_components';
import { type Origin, resourceName, within } from '../../base/index.ts';
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
  /** With file and line, where these are known. */
  readonly place: (origin: Origin) => Origin;
}

export function requestsToTry(routes: GatewayRoutes, place: GatewayPlace): readonly RequestToTry[] {
  const found = routes.source.virtualHosts.flatMap(({ name, domains, routes: list }, host) =>
    list.flatMap((route, index) => {
      const [domain] = domains;
      const path = `virtual_hosts[${host}].routes[${index}]`;
      return domain === undefined
        ? []
        : (tried({ route, index, domain, path, virtualHost: name }, routes, place) ?? []);
    }),
  );
  // The last rule without a fault is the one for everybody.
  const plain = firstOfRules(found.filter(({ hasFault }) => !hasFault)).slice(-1);
  const faults = firstOfRules(found.filter(({ hasFault }) => hasFault));
  return [...plain, ...faults].map(({ request }) => request);
}

/** One for each rule, of the several that its matches may have made. */
function firstOfRules(found: readonly Found[]): readonly Found[] {
  return [...Map.groupBy(found, ({ rule }) => rule).values()].flatMap(([first]) => first ?? []);
}

interface Standing {
  readonly route: Route;
  readonly index: number;
  readonly domain: string;
  /** In the message. */
  readonly path: string;
  readonly virtualHost: string;
}

interface Found {
  readonly request: RequestToTry;
  readonly rule: string;
  readonly hasFault: boolean;
}

/** Undefined when another route takes what was made for this one. */
function tried(
  { route, index, domain, path, virtualHost }: Standing,
  routes: GatewayRoutes,
  { authority, place }: GatewayPlace,
): Found | undefined {
  const sample = sampleRequest(domain, route.match);
  const request = asSeen(sample, authority);
  const taken = routes.table.explain(request, { random: () => 0 }).trials.find(({ matched }) => matched);
  if (taken?.virtualHost !== virtualHost || taken.index !== index) return undefined;
  const rule = routes.originsOf(path).find((origin) => /^spec\.http\[\d+\]$/.test(origin.path));
  const note = rule ? ` (fault, ${lineOf(place(within(rule, `${rule.path}.fault`)))})` : ' (fault)';
  const { text, hasFault } = predict(routes, request, note);
  return {
    request: {
      url: `http://${authority}${sample.path}`,
      command: curlCommand(sample, authority),
      outcome: text,
    },
    rule: rule ? `${resourceName(rule)} ${rule.path}` : path,
    hasFault,
  };
}

function lineOf({ file = '', line = 1 }: Origin): string {
  return `${file.replace(/^.*[\\/]/, '')}:${line}`;
}
