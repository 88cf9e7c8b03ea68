// Carries out what a decision does to the headers of a request before it is sent and of a response before it
// goes back.

import { unreachable } from '../../../base/index.ts';
import type { MutableHeaders } from '../../codec/http/request-view.ts';
import type { FormatContext } from '../../format/format-context.ts';
import type { HostRewrite } from '../../plan/route/rewrite.ts';
import type { ForwardDecision, RouteDecision } from './decision.ts';
import { applyHeaderMutations } from './header-mutation.ts';
import { substitute } from './regex.ts';
import { pathEnd, rewriteAuthority, rewrittenPath } from './rewrite.ts';

/**
 * Mutations of the weighted cluster, then of the route levels, then authority, then path. `envoyHeaders`
 * false leaves out x-envoy-original-path and x-envoy-original-host, as the router's suppress_envoy_headers
 * does.
 */
export function finalizeRequestHeaders(
  decision: ForwardDecision,
  headers: MutableHeaders,
  context: FormatContext,
  envoyHeaders = true,
): void {
  const { route, weighted } = decision;
  if (weighted) applyHeaderMutations(weighted.requestHeaders, headers, context);
  for (const mutations of route.requestHeaders) applyHeaderMutations(mutations, headers, context);
  // Envoy keeps no x-envoy-original-host for this one.
  if (weighted?.hostRewrite)
    rewriteAuthority(headers, weighted.hostRewrite, { appendForwardedHost: false, keepOriginal: false });
  rewriteHost(decision, headers, envoyHeaders);
  const path = headers.get(':path') ?? '/';
  const rewritten = rewrittenPath(route.pathRewrite, path);
  if (rewritten === undefined) return;
  if (envoyHeaders) headers.set('x-envoy-original-path', path);
  headers.set(':path', rewritten);
}

/** Applies to local replies of a matched route as well. */
export function finalizeResponseHeaders(
  decision: RouteDecision,
  headers: MutableHeaders,
  context: FormatContext,
): void {
  if (decision.kind === 'notFound' || decision.route === undefined) return;
  if (decision.kind === 'forward' && decision.weighted)
    applyHeaderMutations(decision.weighted.responseHeaders, headers, context);
  for (const mutations of decision.route.responseHeaders) applyHeaderMutations(mutations, headers, context);
}

function rewriteHost(decision: ForwardDecision, headers: MutableHeaders, keepOriginal: boolean): void {
  const { hostRewrite, appendForwardedHost } = decision.route;
  const host = rewrittenHost(hostRewrite, headers);
  if (host !== undefined && host !== '')
    rewriteAuthority(headers, host, { appendForwardedHost, keepOriginal });
}

function rewrittenHost(rewrite: HostRewrite, headers: MutableHeaders): string | undefined {
  switch (rewrite.kind) {
    case 'literal':
      return rewrite.value;
    case 'header':
      return headers.get(rewrite.name);
    case 'pathRegex': {
      const path = headers.get(':path') ?? '/';
      return substitute(rewrite.substitution, path.slice(0, pathEnd(path)));
    }
    case 'none':
    case 'auto':
      return undefined;
    default:
      return unreachable(rewrite);
  }
}
