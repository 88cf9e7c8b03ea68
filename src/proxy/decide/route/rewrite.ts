// What a route does to the path and the authority of a request.
import type { RouteAction } from '@meltemi/envoy-api/envoy/config/route/v3/route_components';
import { unreachable } from '../../../base/index.ts';
import { compileSubstitution, type Substitution } from './regex.ts';
import type { MutableHeaders } from './request-view.ts';
import type { RouteMatch } from './route-match.ts';
import { configuredText } from './wire-text.ts';

export type PathRewrite =
  | { readonly kind: 'none' }
  /** Replaces the first `length` characters; the whole path, without its query, when undefined. */
  | { readonly kind: 'prefix'; readonly length: number | undefined; readonly replacement: string }
  | {
      readonly kind: 'regex';
      readonly substitute: Substitution;
      readonly pattern: string;
      readonly substitution: string;
    };

export type HostRewrite =
  | { readonly kind: 'none' }
  | { readonly kind: 'literal'; readonly value: string }
  /** The host name of the endpoint, known when one is chosen: call `rewriteAuthority` then. */
  | { readonly kind: 'auto' }
  | { readonly kind: 'header'; readonly name: string }
  | { readonly kind: 'pathRegex'; readonly substitute: Substitution };

export const noPathRewrite: PathRewrite = { kind: 'none' };
export const noHostRewrite: HostRewrite = { kind: 'none' };

type PathSource = Pick<RouteAction, 'prefixRewrite' | 'regexRewrite' | 'pathRewritePolicy'>;

export function compilePathRewrite(
  source: Partial<PathSource>,
  match: RouteMatch,
  problems: string[],
): PathRewrite {
  if (source.pathRewritePolicy)
    problems.push(`path rewrite policy "${source.pathRewritePolicy.name}" is not supported`);
  if (source.prefixRewrite && source.regexRewrite)
    problems.push('prefix_rewrite and regex_rewrite exclude each other');
  if (source.prefixRewrite)
    return {
      kind: 'prefix',
      length: matchedLength(match),
      replacement: configuredText(source.prefixRewrite, 'prefix_rewrite', problems),
    };
  if (!source.regexRewrite) return noPathRewrite;
  return {
    kind: 'regex',
    substitute: compileSubstitution(source.regexRewrite, problems),
    pattern: source.regexRewrite.pattern?.regex ?? '',
    substitution: source.regexRewrite.substitution,
  };
}

export function compileHostRewrite(action: RouteAction, problems: string[]): HostRewrite {
  const specifier = action.hostRewriteSpecifier;
  switch (specifier.case) {
    case 'hostRewriteLiteral':
      return { kind: 'literal', value: configuredText(specifier.value, 'host_rewrite_literal', problems) };
    case 'autoHostRewrite':
      return specifier.value.value ? { kind: 'auto' } : noHostRewrite;
    case 'hostRewriteHeader':
      return { kind: 'header', name: specifier.value.toLowerCase() };
    case 'hostRewritePathRegex':
      return { kind: 'pathRegex', substitute: compileSubstitution(specifier.value, problems) };
    default:
      return noHostRewrite;
  }
}

/**
 * The path after the rewrite, with its query; undefined when there is no rewrite. It may equal the old path.
 */
export function rewrittenPath(rewrite: PathRewrite, path: string): string | undefined {
  switch (rewrite.kind) {
    case 'none':
      return undefined;
    case 'prefix':
      return rewrite.replacement + path.slice(rewrite.length ?? pathEnd(path));
    case 'regex': {
      const end = pathEnd(path);
      const rewritten = rewrite.substitute(path.slice(0, end));
      // Envoy leaves the path alone where nothing would be left of it.
      return rewritten === '' ? undefined : rewritten + path.slice(end);
    }
    default:
      return unreachable(rewrite);
  }
}

/** Where the path ends and its query or fragment begins. */
export function pathEnd(path: string): number {
  const query = path.indexOf('?');
  const hash = path.indexOf('#');
  if (query < 0) return hash < 0 ? path.length : hash;
  return hash < 0 ? query : Math.min(query, hash);
}

/**
 * Puts another authority, keeping the old one in x-envoy-original-host and, when asked, at the end of
 * x-forwarded-host.
 * https://github.com/envoyproxy/envoy/blob/main/source/common/http/utility.cc (updateAuthority)
 */
export function rewriteAuthority(
  headers: MutableHeaders,
  host: string,
  options: { appendForwardedHost: boolean; keepOriginal: boolean },
): void {
  const old = headers.get(':authority') ?? '';
  if (options.appendForwardedHost && old !== '') appendForwardedHost(headers, old);
  if (options.keepOriginal) headers.set('x-envoy-original-host', old);
  headers.set(':authority', host);
}

function appendForwardedHost(headers: MutableHeaders, host: string): void {
  const present = headers.get('x-forwarded-host');
  if (!present) headers.set('x-forwarded-host', host);
  else if (present.split(',').pop() !== host) headers.set('x-forwarded-host', `${present},${host}`);
}

// A regex or CONNECT route has matched the whole path.
function matchedLength(match: RouteMatch): number | undefined {
  return match.pathKind === 'prefix' || match.pathKind === 'separatedPrefix'
    ? match.pathText.length
    : undefined;
}
