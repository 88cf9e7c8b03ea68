// VirtualService `rewrite`: the path and the Host that the destination sees.
import type { RouteActionSchema } from '@meltemi/envoy-api/envoy/config/route/v3/route_components';
import type { HTTPRewrite } from '../../config/index.ts';
import type { Init } from '../wire.ts';

type RouteActionInit = Init<typeof RouteActionSchema>;

/** `prefix` is the matched prefix where Gateway API's rules hold; undefined where Istio's do. */
export function rewriteAction(
  rewrite: HTTPRewrite | undefined,
  authority: string | undefined,
  prefix: string | undefined,
): RouteActionInit {
  return {
    ...(prefix === undefined ? istioRewrite(rewrite) : gatewayRewrite(rewrite?.uri ?? '', prefix)),
    hostRewriteSpecifier: authority ? { case: 'hostRewriteLiteral', value: authority } : { case: undefined },
  };
}

function istioRewrite(rewrite: HTTPRewrite | undefined): RouteActionInit {
  const regex = rewrite?.uriRegexRewrite;
  if (regex)
    return { regexRewrite: { pattern: { regex: regex.match ?? '' }, substitution: regex.rewrite ?? '' } };
  return { prefixRewrite: rewrite?.uri ?? '' };
}

const prefixPlaceholder = '%PREFIX()%';

/** The whole path is replaced unless the rule asks for the prefix. */
function gatewayRewrite(uri: string, prefix: string): RouteActionInit {
  if (uri === '') return {};
  if (!uri.startsWith(prefixPlaceholder))
    return { regexRewrite: { pattern: { regex: '/.*' }, substitution: uri } };
  // A slash at the end means nothing: the one behind the prefix stays.
  const replacement = uri.slice(prefixPlaceholder.length).replace(/\/$/, '');
  if (replacement !== '') return { prefixRewrite: replacement };
  // A prefix replaced by the bare slash takes the slash behind it along: /old/a becomes /a, not //a.
  return {
    regexRewrite: { pattern: { regex: `^${escaped(prefix.replace(/\/$/, ''))}/?` }, substitution: '/' },
  };
}

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
