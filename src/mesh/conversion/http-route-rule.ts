// One rule of a Gateway API HTTPRoute as a rule of a VirtualService.
// https://gateway-api.sigs.k8s.io/reference/spec/#gateway.networking.k8s.io/v1.HTTPRouteRule
import { parseDuration } from '../../base/index.ts';
import type {
  GatewayHTTPRouteFilter,
  GatewayHTTPRouteMatch,
  GatewayHTTPRouteRule,
  Headers,
  HTTPHeaderFilter,
  HTTPMatchRequest,
  HTTPRedirect,
  HTTPRewrite,
  HTTPRoute,
  HTTPRouteDestination,
  NamedMatch,
  StringMatch,
} from '../../config/index.ts';

type BackendRef = NonNullable<GatewayHTTPRouteRule['backendRefs']>[number];

/** The host of a backend, or undefined when the reference is not allowed or leads to nothing: its share of requests gets 500. */
export type ResolveBackend = (ref: Pick<BackendRef, 'group' | 'kind' | 'name' | 'namespace'>) => string | undefined;

/** A host that no cluster is made for. */
const nowhere = 'UnknownService';

export function convertRule(
  rule: GatewayHTTPRouteRule,
  name: string,
  match: GatewayHTTPRouteMatch | undefined,
  resolve: ResolveBackend,
): HTTPRoute {
  const filters = rule.filters ?? [];
  const redirect = filters.find((filter) => filter.requestRedirect)?.requestRedirect;
  const common: HTTPRoute = { name, match: match ? [convertMatch(match)] : undefined, headers: headersOf(filters) };
  if (redirect) return { ...common, redirect: convertRedirect(redirect) };
  const targets = destinations(rule.backendRefs ?? [], resolve);
  if (targets.length === 0) return { ...common, directResponse: { status: 500 } };
  return {
    ...common,
    route: targets,
    rewrite: convertRewrite(filters.find((filter) => filter.urlRewrite)?.urlRewrite),
    mirrors: mirrorsOf(filters, resolve),
    corsPolicy: corsOf(filters),
    ...timing(rule),
  };
}

function convertMatch({ path, headers, queryParams, method }: GatewayHTTPRouteMatch): HTTPMatchRequest {
  return {
    uri: pathMatch(path),
    method: method ? { exact: method } : undefined,
    headers: namedMatches(headers),
    queryParams: namedMatches(queryParams),
  };
}

function pathMatch(path: GatewayHTTPRouteMatch['path']): StringMatch | undefined {
  const value = path?.value || '/';
  if (path?.type === 'Exact') return { exact: value };
  if (path?.type === 'RegularExpression') return { regex: value };
  return value === '/' ? undefined : { prefix: value };
}

function namedMatches(list: readonly NamedMatch[] | undefined): Readonly<Record<string, StringMatch>> | undefined {
  if (!list?.length) return undefined;
  return Object.fromEntries(
    list.map(({ type, name, value = '' }) => [name, type === 'RegularExpression' ? { regex: value } : { exact: value }]),
  );
}

function destinations(refs: readonly BackendRef[], resolve: ResolveBackend): readonly HTTPRouteDestination[] {
  const wanted = refs.filter((ref) => (ref.weight ?? 1) > 0);
  return wanted.map((ref) => {
    const host = resolve(ref);
    return {
      destination: { host: host ?? nowhere, port: ref.port === undefined ? undefined : { number: ref.port } },
      weight: ref.weight ?? 1,
      headers: headersOf(ref.filters ?? []),
    };
  });
}

function headersOf(filters: readonly GatewayHTTPRouteFilter[]): Headers | undefined {
  const request = operations(filters.map((filter) => filter.requestHeaderModifier));
  const response = operations(filters.map((filter) => filter.responseHeaderModifier));
  return request || response ? { request, response } : undefined;
}

function operations(modifiers: readonly (HTTPHeaderFilter | undefined)[]): Headers['request'] {
  const given = modifiers.filter((modifier) => modifier !== undefined);
  if (given.length === 0) return undefined;
  const pairs = (list: HTTPHeaderFilter['set']): [string, string][] => (list ?? []).map(({ name, value }) => [name, value ?? '']);
  return {
    set: Object.fromEntries(given.flatMap((modifier) => pairs(modifier.set))),
    add: Object.fromEntries(given.flatMap((modifier) => pairs(modifier.add))),
    remove: given.flatMap((modifier) => modifier.remove ?? []),
  };
}

type PathModifier = NonNullable<NonNullable<GatewayHTTPRouteFilter['urlRewrite']>['path']>;

/** `%PREFIX()%` marks, for the translation, that the matched prefix alone is replaced. */
function pathText(path: PathModifier | undefined): string | undefined {
  if (path?.type === 'ReplacePrefixMatch') return `%PREFIX()%${path.replacePrefixMatch || '/'}`;
  return path?.type === 'ReplaceFullPath' ? path.replaceFullPath : undefined;
}

function convertRedirect(redirect: NonNullable<GatewayHTTPRouteFilter['requestRedirect']>): HTTPRedirect {
  const follows = redirect.port === undefined && redirect.scheme === undefined;
  return {
    redirectCode: redirect.statusCode ?? 302,
    scheme: redirect.scheme,
    authority: redirect.hostname,
    uri: pathText(redirect.path),
    ...(redirect.port === undefined ? {} : { port: redirect.port }),
    ...(follows ? { derivePort: 'FROM_REQUEST_PORT' as const } : {}),
  };
}

function convertRewrite(rewrite: GatewayHTTPRouteFilter['urlRewrite']): HTTPRewrite | undefined {
  return rewrite && { authority: rewrite.hostname, uri: pathText(rewrite.path) };
}

function mirrorsOf(filters: readonly GatewayHTTPRouteFilter[], resolve: ResolveBackend): HTTPRoute['mirrors'] {
  const mirrors = filters.flatMap(({ requestMirror }) => {
    const host = requestMirror?.backendRef && resolve(requestMirror.backendRef);
    if (!requestMirror?.backendRef || !host) return [];
    const { port } = requestMirror.backendRef;
    const { percent, fraction } = requestMirror;
    const value = percent ?? (fraction ? ((fraction.numerator ?? 0) * 100) / (fraction.denominator ?? 100) : 100);
    return [{ destination: { host, port: port === undefined ? undefined : { number: port } }, percentage: { value } }];
  });
  return mirrors.length > 0 ? mirrors : undefined;
}

function corsOf(filters: readonly GatewayHTTPRouteFilter[]): HTTPRoute['corsPolicy'] {
  const cors = filters.find((filter) => filter.cors)?.cors;
  if (!cors) return undefined;
  return {
    allowOrigins: (cors.allowOrigins ?? []).map(
      (origin): StringMatch => (origin.includes('*') ? { regex: wildcardPattern(origin) } : { exact: origin }),
    ),
    allowCredentials: cors.allowCredentials,
    allowMethods: cors.allowMethods,
    allowHeaders: cors.allowHeaders,
    exposeHeaders: cors.exposeHeaders,
    maxAge: cors.maxAge === undefined ? undefined : cors.maxAge * 1000,
    unmatchedPreflights: 'IGNORE',
  };
}

function wildcardPattern(origin: string): string {
  return origin
    .split('*')
    .map((part) => part.replace(/[.+?^${}()|[\]\\]/g, '\\$&'))
    .join('.*');
}

/** Failures before a backend can have seen the request are retried as well. */
const connectionFailures = 'connect-failure,refused-stream,unavailable,cancelled';

function timing({ timeouts, retry }: GatewayHTTPRouteRule): Pick<HTTPRoute, 'timeout' | 'retries'> {
  const request = timeouts?.request === undefined ? undefined : parseDuration(timeouts.request);
  const perTry = timeouts?.backendRequest === undefined ? undefined : parseDuration(timeouts.backendRequest);
  const timeout = request || undefined;
  // Without retries the one try is all there is.
  if (!retry) return { timeout: perTry || timeout };
  return {
    timeout,
    retries: {
      attempts: retry.attempts ?? 1,
      retryOn: [connectionFailures, ...(retry.codes ?? [])].join(','),
      backoff: retry.backoff === undefined ? undefined : parseDuration(retry.backoff),
      perTryTimeout: perTry || undefined,
    },
  };
}
