// The filters of rules and of their backends.
// https://gateway-api.sigs.k8s.io/reference/spec/#gateway.networking.k8s.io/v1.HTTPRouteFilter
import type {
  BackendObjectReference,
  GatewayGRPCRouteFilter,
  GatewayHTTPRouteFilter,
  Headers,
  HTTPHeaderFilter,
  HTTPRedirect,
  HTTPRewrite,
  HTTPRoute,
  RequestMirrorFilter,
  StringMatch,
} from '../../../config/index.ts';
import type { ResolveBackend } from './backends.ts';
import type { Attempt, Problem } from './problem.ts';

type AnyFilter = GatewayHTTPRouteFilter | GatewayGRPCRouteFilter;

/** Filters that nobody here understands: requests may not pass without them. */
export function unknownFilter(filters: readonly AnyFilter[]): Problem | undefined {
  const unknown = filters.find(({ extensionRef }) => extensionRef !== undefined);
  return (
    unknown && {
      reason: 'InvalidFilter',
      message: `filters of kind ${unknown.extensionRef?.kind ?? ''} are not supported`,
    }
  );
}

export function headersOf(filters: readonly AnyFilter[]): Headers | undefined {
  const request = operations(filters.map((filter) => filter.requestHeaderModifier));
  const response = operations(filters.map((filter) => filter.responseHeaderModifier));
  return request || response ? { request, response } : undefined;
}

function operations(modifiers: readonly (HTTPHeaderFilter | undefined)[]): Headers['request'] {
  const given = modifiers.filter((modifier) => modifier !== undefined);
  if (given.length === 0) return undefined;
  return {
    set: valuesOf(given.flatMap((modifier) => modifier.set ?? [])),
    add: valuesOf(given.flatMap((modifier) => modifier.add ?? [])),
    remove: given.flatMap((modifier) => modifier.remove ?? []),
  };
}

/** Of headers that are the same but for case the first counts. */
function valuesOf(headers: NonNullable<HTTPHeaderFilter['set']>): Readonly<Record<string, string>> {
  return Object.fromEntries(
    [...headers].reverse().map(({ name, value }) => [name.toLowerCase(), value ?? '']),
  );
}

type PathModifier = NonNullable<NonNullable<GatewayHTTPRouteFilter['urlRewrite']>['path']>;

/** `%PREFIX()%` marks, for the translation, that the matched prefix alone is replaced. */
function pathText(path: PathModifier | undefined): string | undefined {
  if (path?.type === 'ReplacePrefixMatch') return `%PREFIX()%${path.replacePrefixMatch || '/'}`;
  return path?.type === 'ReplaceFullPath' ? path.replaceFullPath : undefined;
}

export function convertRedirect(
  redirect: NonNullable<GatewayHTTPRouteFilter['requestRedirect']>,
): HTTPRedirect {
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

export function convertRewrite(rewrite: GatewayHTTPRouteFilter['urlRewrite']): HTTPRewrite | undefined {
  return rewrite && { authority: rewrite.hostname, uri: pathText(rewrite.path) };
}

/** Copies to places that may not be named, or are not there, are not made. */
export function mirrorsOf(
  filters: readonly AnyFilter[],
  resolve: ResolveBackend,
): Attempt<HTTPRoute['mirrors']> {
  const mirrors: NonNullable<HTTPRoute['mirrors']>[number][] = [];
  let problem: Problem | undefined;
  for (const { requestMirror } of filters) {
    if (!requestMirror?.backendRef) continue;
    const backend = resolve(requestMirror.backendRef satisfies BackendObjectReference);
    if (backend.problem) problem = backend.problem;
    else mirrors.push({ destination: backend.value, percentage: { value: percentOf(requestMirror) } });
  }
  return { value: mirrors.length > 0 ? mirrors : undefined, problem };
}

function percentOf({ percent, fraction }: RequestMirrorFilter): number {
  return percent ?? (fraction ? ((fraction.numerator ?? 0) * 100) / (fraction.denominator ?? 100) : 100);
}

export function corsOf(filters: readonly GatewayHTTPRouteFilter[]): HTTPRoute['corsPolicy'] {
  const cors = filters.find((filter) => filter.cors)?.cors;
  if (!cors) return undefined;
  return {
    allowOrigins: (cors.allowOrigins ?? []).map(
      (origin): StringMatch =>
        origin.includes('*') ? { regex: wildcardPattern(origin) } : { exact: origin },
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
