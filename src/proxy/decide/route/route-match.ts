// The condition of one route, compiled: path first (cheap, decides most), then headers, query and the rare
// ones.
// https://www.envoyproxy.io/docs/envoy/latest/api-v3/config/route/v3/route_components.proto#config-route-v3-routematch
import type { RouteMatch as RouteMatchConfig } from '@meltemi/envoy-api/envoy/config/route/v3/route_components';
import { drawn, runtimeFraction } from './fraction.ts';
import { compileHeaderMatcher, type HeaderMatcher } from './header-match.ts';
import { compileMetadataMatcher, type MetadataMatcher } from './metadata-match.ts';
import { compileQueryMatcher, describeQuery, matchesQuery, type QueryMatcher } from './query-match.ts';
import { compileRegex, type TextMatcher } from './regex.ts';
import type { RequestView, RouteContext } from './request-view.ts';
import { asciiLower, wireText } from './wire-text.ts';

export type PathKind = 'prefix' | 'path' | 'regex' | 'separatedPrefix' | 'connect' | 'none';

interface TlsCondition {
  readonly presented: boolean | undefined;
  readonly validated: boolean | undefined;
}

interface Conditions {
  readonly pathKind: PathKind;
  readonly pathText: string;
  readonly pathRegex: TextMatcher | undefined;
  readonly ignoreCase: boolean;
  readonly headers: readonly HeaderMatcher[];
  readonly query: readonly QueryMatcher[];
  readonly grpc: boolean;
  readonly tls: TlsCondition | undefined;
  readonly metadata: readonly MetadataMatcher[];
  readonly fraction: number;
}

export class RouteMatch {
  readonly pathKind: PathKind;
  /** The matched prefix or path; empty for a regex. */
  readonly pathText: string;
  readonly #path: string;
  readonly #conditions: Conditions;
  readonly #pathOnly: boolean;

  constructor(conditions: Conditions) {
    this.#conditions = conditions;
    this.pathKind = conditions.pathKind;
    this.pathText = conditions.pathText;
    this.#path = conditions.ignoreCase ? asciiLower(conditions.pathText) : conditions.pathText;
    this.#pathOnly = isPathOnly(conditions);
  }

  /** `pathEnd` is where the path stops and its query begins. */
  matches(request: RequestView, pathEnd: number, context: RouteContext): boolean {
    return (
      this.#matchesPath(request, pathEnd) &&
      (this.#pathOnly || this.#firstFailure(request, context) === undefined)
    );
  }

  /** The first condition that fails, in words; undefined on a match. */
  explain(request: RequestView, pathEnd: number, context: RouteContext): string | undefined {
    if (!this.#matchesPath(request, pathEnd))
      return `${this.description} does not match ${JSON.stringify(request.path)}`;
    return this.#firstFailure(request, context)?.();
  }

  get description(): string {
    const { pathKind, pathText, pathRegex, ignoreCase } = this.#conditions;
    const suffix = ignoreCase ? ' ignoring case' : '';
    return pathKind === 'connect'
      ? 'method CONNECT'
      : pathRegex
        ? `path ${pathRegex.description}`
        : `${pathKind} ${JSON.stringify(pathText)}${suffix}`;
  }

  #matchesPath(request: RequestView, end: number): boolean {
    const subject = this.#conditions.ignoreCase ? asciiLower(request.path) : request.path;
    const text = this.#path;
    switch (this.pathKind) {
      case 'prefix':
        return text.length <= end && startsWith(subject, text);
      case 'path':
        return text.length === end && startsWith(subject, text);
      case 'separatedPrefix':
        return (
          text.length <= end &&
          startsWith(subject, text) &&
          (text.length === end || subject.charCodeAt(text.length) === 47)
        );
      case 'regex':
        return (
          this.#conditions.pathRegex?.test(
            end === request.path.length ? request.path : request.path.slice(0, end),
          ) ?? false
        );
      case 'connect':
        return request.method === 'CONNECT';
      case 'none':
        return false;
    }
  }

  // Returns why in a closure, so that the words are made only when somebody asks.
  #firstFailure(request: RequestView, context: RouteContext): (() => string) | undefined {
    const c = this.#conditions;
    for (const header of c.headers)
      if (!header.matchesRequest(request)) return () => `${header.description} does not hold`;
    for (const query of c.query)
      if (!matchesQuery(query, request.path)) return () => `${describeQuery(query)} does not hold`;
    if (c.grpc && !isGrpc(request)) return () => 'not a gRPC request';
    if (c.tls && !matchesTls(c.tls, context)) return () => 'client certificate state differs';
    for (const matcher of c.metadata)
      if (!matcher(context.metadata)) return () => 'dynamic metadata does not match';
    if (!drawn(c.fraction, context.random)) return () => `not in the fraction of ${c.fraction * 100}%`;
    return undefined;
  }
}

/** `application/grpc`, alone or with a suffix such as `+proto`. */
export function isGrpc(request: { get(name: string): string | undefined }): boolean {
  const type = request.get('content-type');
  if (type === undefined || !type.startsWith('application/grpc')) return false;
  return type.length === 16 || type.charCodeAt(16) === 43 || type.charCodeAt(16) === 59;
}

export function compileRouteMatch(config: RouteMatchConfig | undefined, problems: string[]): RouteMatch {
  const tls = config?.tlsContext;
  return new RouteMatch({
    ...compilePath(config, problems),
    ignoreCase: config?.caseSensitive === false && config.pathSpecifier.case !== 'safeRegex',
    headers: (config?.headers ?? []).map((header) => compileHeaderMatcher(header, problems)),
    query: (config?.queryParameters ?? []).map((query) => compileQueryMatcher(query, problems)),
    grpc: config?.grpc !== undefined,
    tls: tls && { presented: tls.presented, validated: tls.validated },
    metadata: (config?.dynamicMetadata ?? []).map((matcher) => compileMetadataMatcher(matcher, problems)),
    fraction: config?.runtimeFraction ? runtimeFraction(config.runtimeFraction) : 1,
  });
}

function compilePath(
  config: RouteMatchConfig | undefined,
  problems: string[],
): Pick<Conditions, 'pathKind' | 'pathText' | 'pathRegex'> {
  const path = config?.pathSpecifier;
  switch (path?.case) {
    case 'prefix':
    case 'path':
      return { pathKind: path.case, pathText: wireText(path.value), pathRegex: undefined };
    case 'pathSeparatedPrefix':
      if (!/^\/[^?#]*[^?#/]$/.test(path.value))
        problems.push(
          `path_separated_prefix ${JSON.stringify(path.value)} must start with / and not end with it`,
        );
      return { pathKind: 'separatedPrefix', pathText: wireText(path.value), pathRegex: undefined };
    case 'safeRegex':
      return { pathKind: 'regex', pathText: '', pathRegex: compileRegex(path.value, problems) };
    case 'connectMatcher':
      return { pathKind: 'connect', pathText: '', pathRegex: undefined };
    default:
      problems.push(path?.case ? `${path.case} is not supported` : 'route match without a path condition');
      return { pathKind: 'none', pathText: '', pathRegex: undefined };
  }
}

// From the end, where the prefixes of one host differ; several times faster than String.startsWith over a
// list of them.
function startsWith(subject: string, text: string): boolean {
  for (let i = text.length - 1; i >= 0; i--) if (subject.charCodeAt(i) !== text.charCodeAt(i)) return false;
  return true;
}

function isPathOnly(c: Conditions): boolean {
  return (
    c.headers.length === 0 &&
    c.query.length === 0 &&
    !c.grpc &&
    c.tls === undefined &&
    c.metadata.length === 0 &&
    c.fraction >= 1
  );
}

function matchesTls(wanted: TlsCondition, context: RouteContext): boolean {
  const presented = context.tls?.presented ?? false;
  const validated = context.tls?.validated ?? false;
  return (wanted.presented ?? presented) === presented && (wanted.validated ?? validated) === validated;
}
