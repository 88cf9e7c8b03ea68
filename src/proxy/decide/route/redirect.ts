// The Location of a redirect, made as Envoy makes it.
// https://github.com/envoyproxy/envoy/blob/main/source/common/router/config_impl.cc (newUri,
// processRequestHost)
import {
  RedirectAction_RedirectResponseCode as Code,
  type RedirectAction,
} from '@meltemi/envoy-api/envoy/config/route/v3/route_components';
import type { RequestView } from './request-view.ts';
import { compilePathRewrite, type PathRewrite, pathEnd, rewrittenPath } from './rewrite.ts';
import type { RouteMatch } from './route-match.ts';
import { configuredText } from './wire-text.ts';

export interface RedirectPlan {
  readonly status: number;
  /** Empty keeps the request's. */
  readonly scheme: string;
  readonly host: string;
  readonly port: number;
  readonly path: string;
  readonly rewrite: PathRewrite;
  readonly stripQuery: boolean;
}

const statuses: Readonly<Record<Code, number>> = {
  [Code.MOVED_PERMANENTLY]: 301,
  [Code.FOUND]: 302,
  [Code.SEE_OTHER]: 303,
  [Code.TEMPORARY_REDIRECT]: 307,
  [Code.PERMANENT_REDIRECT]: 308,
};

export function compileRedirect(action: RedirectAction, match: RouteMatch, problems: string[]): RedirectPlan {
  const scheme = action.schemeRewriteSpecifier;
  const path = action.pathRewriteSpecifier;
  const status = statuses[action.responseCode];
  if (status === undefined)
    problems.push(`redirect response code ${action.responseCode} is not one of Envoy's`);
  return {
    status: status ?? 301,
    scheme:
      scheme.case === 'httpsRedirect'
        ? scheme.value
          ? 'https'
          : ''
        : configuredText(scheme.value ?? '', 'scheme_redirect', problems),
    host: configuredText(action.hostRedirect, 'host_redirect', problems),
    port: action.portRedirect,
    path: path.case === 'pathRedirect' ? configuredText(path.value, 'path_redirect', problems) : '',
    rewrite: compilePathRewrite(
      {
        prefixRewrite: path.case === 'prefixRewrite' ? path.value : '',
        ...(path.case === 'regexRewrite' ? { regexRewrite: path.value } : {}),
      },
      match,
      problems,
    ),
    stripQuery: action.stripQuery,
  };
}

export function redirectLocation(plan: RedirectPlan, request: RequestView): string {
  const scheme = plan.scheme || request.scheme;
  const host = plan.host || requestHost(plan, request, scheme);
  return `${scheme}://${host}${plan.port > 0 ? `:${plan.port}` : ''}${redirectPath(plan, request.path)}`;
}

/** The reply of a virtual host that requires TLS; the authority is kept as it is, port and all. */
export function tlsLocation(request: RequestView): string {
  return `https://${request.authority}${request.path}`;
}

function redirectPath(plan: RedirectPlan, path: string): string {
  // A query of the configured path wins over the request's and is never stripped.
  if (plan.path.includes('?')) return plan.path;
  const query = path.slice(pathEnd(path));
  const target = plan.path ? plan.path + query : (rewrittenPath(plan.rewrite, path) ?? path);
  const end = target.indexOf('?');
  const kept = plan.stripQuery && end >= 0 ? target.slice(0, end) : target;
  return kept.startsWith('/') ? kept : `/${kept}`;
}

// The request's port goes when another is configured, or when it is the default of a scheme that is being
// left.
function requestHost(plan: RedirectPlan, request: RequestView, scheme: string): string {
  const { authority } = request;
  const colon = authority.startsWith('[') ? authority.indexOf(']:') + 1 : authority.lastIndexOf(':');
  if (colon <= 0) return authority;
  const protocol = request.get('x-forwarded-proto') ?? request.scheme;
  const port = authority.slice(colon);
  const isDefault = (protocol === 'https' && port === ':443') || (protocol === 'http' && port === ':80');
  return plan.port > 0 || (scheme !== protocol && isDefault) ? authority.slice(0, colon) : authority;
}
