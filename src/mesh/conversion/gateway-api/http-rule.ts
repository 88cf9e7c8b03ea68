// One rule of an HTTPRoute, for one of its matches, as a rule of a VirtualService.
// https://gateway-api.sigs.k8s.io/reference/spec/#gateway.networking.k8s.io/v1.HTTPRouteRule
import { parseDuration } from '../../../base/index.ts';
import type {
  GatewayHTTPRouteMatch,
  GatewayHTTPRouteRule,
  HTTPMatchRequest,
  HTTPRoute,
  NamedMatch,
  StringMatch,
} from '../../../config/index.ts';
import type { ResolveBackend } from './backends.ts';
import { convertRedirect, convertRewrite, corsOf, headersOf, mirrorsOf, unknownFilter } from './filters.ts';
import { refused, weightedTargets } from './http-targets.ts';
import type { Attempt } from './problem.ts';

export function convertHttpRule(
  rule: GatewayHTTPRouteRule,
  name: string,
  match: GatewayHTTPRouteMatch | undefined,
  resolve: ResolveBackend,
): Attempt<HTTPRoute> {
  const filters = rule.filters ?? [];
  const start: HTTPRoute = { name: rule.name || name, match: match ? [convertMatch(match)] : undefined };
  const unknown = unknownFilter(filters);
  if (unknown) return refused(start, unknown);
  const mirrors = mirrorsOf(filters, resolve);
  const common: HTTPRoute = { ...start, headers: headersOf(filters), mirrors: mirrors.value };
  const redirect = filters.find((filter) => filter.requestRedirect)?.requestRedirect;
  if (redirect)
    return {
      value: { ...common, mirrors: undefined, redirect: convertRedirect(redirect) },
      problem: mirrors.problem,
    };
  const route: HTTPRoute = {
    ...common,
    rewrite: convertRewrite(filters.find((filter) => filter.urlRewrite)?.urlRewrite),
    corsPolicy: corsOf(filters),
    ...timing(rule),
  };
  return weightedTargets({ route, name: start, mirrors }, rule.backendRefs ?? [], resolve);
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

export function namedMatches(
  list: readonly NamedMatch[] | undefined,
): Readonly<Record<string, StringMatch>> | undefined {
  if (!list?.length) return undefined;
  return Object.fromEntries(
    list.map(({ type, name, value = '' }) => [
      name,
      type === 'RegularExpression' ? { regex: value } : { exact: value },
    ]),
  );
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
