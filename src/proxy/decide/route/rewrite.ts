// Rewrites the path and the authority of a request.
import { unreachable } from '../../../base/index.ts';
import type { MutableHeaders } from '../../codec/http/request-view.ts';
import type { PathRewrite } from '../../plan/route/rewrite.ts';
import { substitute } from './regex.ts';

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
      const rewritten = substitute(rewrite.substitution, path.slice(0, end));
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
