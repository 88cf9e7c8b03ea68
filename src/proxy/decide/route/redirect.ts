// The Location of a redirect, made as Envoy makes it.
// https://github.com/envoyproxy/envoy/blob/main/source/common/router/config_impl.cc (newUri,
// processRequestHost)
import type { RequestView } from '../../codec/http/request-view.ts';
import type { RedirectPlan } from '../../plan/route/redirect.ts';
import { pathEnd, rewrittenPath } from './rewrite.ts';

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
