// VirtualService `rewrite`: the path and the Host that the destination sees.
import type { RouteActionSchema } from '@meltemi/envoy-api/envoy/config/route/v3/route_components';
import type { HTTPRewrite } from '../../config/index.ts';
import type { Init } from '../wire.ts';

type RouteActionInit = Init<typeof RouteActionSchema>;

export function rewriteAction(rewrite: HTTPRewrite | undefined, authority: string | undefined, gatewaySemantics: boolean): RouteActionInit {
  return {
    ...pathRewrite(rewrite, gatewaySemantics),
    hostRewriteSpecifier: authority ? { case: 'hostRewriteLiteral', value: authority } : { case: undefined },
  };
}

const prefixPlaceholder = '%PREFIX()%';

function pathRewrite(rewrite: HTTPRewrite | undefined, gatewaySemantics: boolean): RouteActionInit {
  const regex = rewrite?.uriRegexRewrite;
  if (regex) return { regexRewrite: { pattern: { regex: regex.match ?? '' }, substitution: regex.rewrite ?? '' } };
  const uri = rewrite?.uri ?? '';
  if (!gatewaySemantics) return { prefixRewrite: uri };
  // Gateway API: the whole path is replaced unless the rule asks for the prefix.
  if (uri.startsWith(prefixPlaceholder)) return { prefixRewrite: uri.slice(prefixPlaceholder.length) };
  return uri === '' ? {} : { regexRewrite: { pattern: { regex: '/.*' }, substitution: uri } };
}
