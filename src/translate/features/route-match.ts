// One HTTPMatchRequest as an Envoy route match, and the part of it that is decided while translating.
import type { RouteMatch, RouteMatchSchema } from '@meltemi/envoy-api/envoy/config/route/v3/route_components';
import type { HTTPMatchRequest, StringMatch } from '../../config/index.ts';
import { selects } from '../../registry/index.ts';
import type { Init } from '../wire.ts';
import { absentHeaderMatcher, headerMatcher, queryMatcher, stringMatcher } from './string-match.ts';

type RouteMatchInit = Init<typeof RouteMatchSchema>;
type PathSpecifier = NonNullable<RouteMatchInit['pathSpecifier']>;

/** The client's side of a match. */
export interface MatchClient {
  readonly labels: Readonly<Record<string, string>>;
  readonly namespace: string;
  /** Gateways that the rules are for: `mesh`, or those that share the listener. */
  readonly gateways: readonly string[];
  readonly port: number;
}

interface StaticMatch {
  readonly port?: number;
  readonly gateways?: readonly string[];
  readonly sourceLabels?: Readonly<Record<string, string>>;
  readonly sourceNamespace?: string;
}

/** Whether the match of a TCP or TLS rule can hold for connections of this client on this listener at all. */
export function concernsClient(match: StaticMatch, client: MatchClient): boolean {
  if (match.port && match.port !== client.port) return false;
  if (match.gateways?.length && !match.gateways.some((gateway) => client.gateways.includes(gateway)))
    return false;
  if (match.sourceNamespace && match.sourceNamespace !== client.namespace) return false;
  return selects(match.sourceLabels ?? {}, client.labels);
}

/** The same for requests: gateways that a match names switch the conditions on its source off. */
export function concernsRequests(match: StaticMatch, client: MatchClient): boolean {
  const { port, gateways } = match;
  return concernsClient(gateways?.length ? { port, gateways } : match, client);
}

export function routeMatch(match: HTTPMatchRequest | undefined, gatewaySemantics: boolean): RouteMatchInit {
  if (!match) return { pathSpecifier: { case: 'prefix', value: '/' } };
  return {
    pathSpecifier: pathSpecifier(match.uri, gatewaySemantics),
    caseSensitive: !match.ignoreUriCase,
    headers: [
      ...byName(match.headers, headerMatcher),
      ...byName(match.withoutHeaders, absentHeaderMatcher),
      ...pseudoHeaders(match),
    ],
    queryParameters: byName(match.queryParams, queryMatcher),
  };
}

/** Nothing of the request can fail it, so that no later rule is reached. */
export function isCatchAll(match: RouteMatch): boolean {
  const path = match.pathSpecifier;
  const anyPath =
    (path.case === 'prefix' && path.value === '/') ||
    (path.case === 'safeRegex' && path.value.regex === '.*');
  return anyPath && match.headers.length === 0 && match.queryParameters.length === 0;
}

function pathSpecifier(uri: StringMatch | undefined, gatewaySemantics: boolean): PathSpecifier {
  if (uri?.exact !== undefined) return { case: 'path', value: uri.exact };
  if (uri?.prefix !== undefined) return prefixSpecifier(uri.prefix, gatewaySemantics);
  if (uri?.regex !== undefined) return { case: 'safeRegex', value: { regex: uri.regex } };
  return { case: 'prefix', value: '/' };
}

function prefixSpecifier(prefix: string, gatewaySemantics: boolean): PathSpecifier {
  if (!gatewaySemantics || prefix === '/') return { case: 'prefix', value: prefix };
  return { case: 'pathSeparatedPrefix', value: prefix.replace(/\/$/, '') };
}

function pseudoHeaders(match: HTTPMatchRequest): readonly ReturnType<typeof headerMatcher>[] {
  const named: readonly [string, StringMatch | undefined][] = [
    [':method', match.method],
    [':authority', match.authority],
    [':scheme', match.scheme],
  ];
  return named.flatMap(([name, text]) => (text && stringMatcher(text) ? [headerMatcher(name, text)] : []));
}

function byName<T, R>(
  map: Readonly<Record<string, T>> | undefined,
  build: (name: string, value: T) => R,
): R[] {
  return Object.entries(map ?? {})
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => build(name, value));
}
