// What a route does to the path and the authority of a request, as a plan.
import type { RouteAction } from '@meltemi/envoy-api/envoy/config/route/v3/route_components';
import { configuredText, wireText } from '../../codec/wire-text.ts';
import { planSubstitution, type SubstitutionPlan } from './regex.ts';
import type { RouteMatchPlan } from './route-match.ts';

export type PathRewrite =
  | { readonly kind: 'none' }
  /** Replaces the first `length` characters; the whole path, without its query, when undefined. */
  | { readonly kind: 'prefix'; readonly length: number | undefined; readonly replacement: string }
  | { readonly kind: 'regex'; readonly substitution: SubstitutionPlan };

export type HostRewrite =
  | { readonly kind: 'none' }
  | { readonly kind: 'literal'; readonly value: string }
  /** The host name of the endpoint, known when one is chosen: the router writes it then. */
  | { readonly kind: 'auto' }
  | { readonly kind: 'header'; readonly name: string }
  | { readonly kind: 'pathRegex'; readonly substitution: SubstitutionPlan };

const noPathRewrite: PathRewrite = { kind: 'none' };
const noHostRewrite: HostRewrite = { kind: 'none' };

type PathSource = Pick<RouteAction, 'prefixRewrite' | 'regexRewrite' | 'pathRewritePolicy'>;

export function planPathRewrite(
  source: Partial<PathSource>,
  match: RouteMatchPlan,
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
  return { kind: 'regex', substitution: planSubstitution(source.regexRewrite, problems) };
}

export function planHostRewrite(action: RouteAction, problems: string[]): HostRewrite {
  const specifier = action.hostRewriteSpecifier;
  switch (specifier.case) {
    case 'hostRewriteLiteral':
      return { kind: 'literal', value: configuredText(specifier.value, 'host_rewrite_literal', problems) };
    case 'autoHostRewrite':
      return specifier.value.value ? { kind: 'auto' } : noHostRewrite;
    case 'hostRewriteHeader':
      return { kind: 'header', name: specifier.value.toLowerCase() };
    case 'hostRewritePathRegex':
      return { kind: 'pathRegex', substitution: planSubstitution(specifier.value, problems) };
    default:
      return noHostRewrite;
  }
}

// A regex or CONNECT route has matched the whole path.
function matchedLength({ path }: RouteMatchPlan): number | undefined {
  return path.kind === 'prefix' || path.kind === 'separatedPrefix' ? wireText(path.text).length : undefined;
}
