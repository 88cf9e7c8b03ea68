// Path normalisation as Envoy does it, so that routes match what the upstream will see.
// https://www.envoyproxy.io/docs/envoy/latest/configuration/best_practices/edge and RFC 3986 section 6

import type { PathRules } from '../../plan/http/manager-plan.ts';

export type PathOutcome =
  | { readonly kind: 'ok'; readonly path: string }
  | { readonly kind: 'reject' }
  | { readonly kind: 'redirect'; readonly path: string };

export function normalizePath(path: string, rules: PathRules): PathOutcome {
  // The usual path has nothing to change; `//`, escapes, dot segments and backslashes leave this test.
  if (isPlain(path)) return { kind: 'ok', path };
  const query = path.indexOf('?');
  const before = query < 0 ? path : path.slice(0, query);
  const rest = query < 0 ? '' : path.slice(query);
  let work = before;
  let redirect = false;
  if (rules.escapedSlashes !== 'keep' && /%2f|%5c/i.test(work)) {
    if (rules.escapedSlashes === 'reject') return { kind: 'reject' };
    work = work.replace(/%2f/gi, '/').replace(/%5c/gi, '\\');
    redirect = rules.escapedSlashes === 'redirect';
  }
  if (rules.normalize) {
    if (work.includes('%00')) return { kind: 'reject' };
    const resolved = resolveDots(decodeUnreserved(work.replace(dotParameters, '$1')).replaceAll('\\', '/'));
    if (resolved === undefined) return { kind: 'reject' };
    work = resolved.replace(escaped, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);
  }
  if (rules.mergeSlashes) work = work.replace(/\/{2,}/g, '/');
  return redirect ? { kind: 'redirect', path: work + rest } : { kind: 'ok', path: work + rest };
}

const [slash, dot, question] = [47, 46, 63];
const plain = new Set(
  [..."ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_~!$&'()*+,;=:@-"].map((char) =>
    char.charCodeAt(0),
  ),
);
const afterDot = new Set(
  [...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_~-'].map((char) => char.charCodeAt(0)),
);
const tables = [plain, afterDot].map((codes) =>
  Uint8Array.from({ length: 128 }, (_, code) => (codes.has(code) ? 1 : 0)),
);

/**
 * Character by character: a pattern with segments inside segments takes exponential time over a long one that
 * does not fit.
 */
function isPlain(path: string): boolean {
  const [inSegment, behindDot] = tables;
  if (path.charCodeAt(0) !== slash || !inSegment || !behindDot) return false;
  for (let at = 1; at < path.length; at++) {
    const code = path.charCodeAt(at);
    if (inSegment[code] === 1) continue;
    if (code === question) return true;
    const isJoint =
      code === slash
        ? path.charCodeAt(at - 1) !== slash
        : code === dot && behindDot[path.charCodeAt(at + 1)] === 1;
    if (!isJoint) return false;
  }
  return true;
}

/**
 * Parameters of a dot segment that is spelt out: servers that cut parameters off would see the segment behind
 * them.
 */
const dotParameters = /(?<=[/\\])(\.\.?);[^/]*/g;
/** What has no place in a path unescaped; one byte a character. */
const escaped = /["<>^`{|}\x80-\xff]/g;

/** Escapes of characters that never need one (RFC 3986 section 2.3). */
function decodeUnreserved(path: string): string {
  if (!path.includes('%')) return path;
  return path.replace(/%([0-9a-f]{2})/gi, (escaped, hex: string) => {
    const char = String.fromCharCode(Number.parseInt(hex, 16));
    return /[A-Za-z0-9._~-]/.test(char) ? char : escaped;
  });
}

/** RFC 3986 section 5.2.4; empty segments stay. Undefined when the path does not start with a slash. */
function resolveDots(path: string): string | undefined {
  if (!path.startsWith('/')) return undefined;
  if (!path.includes('/.')) return path;
  const out: string[] = [];
  const segments = path.slice(1).split('/');
  segments.forEach((segment, index) => {
    const last = index === segments.length - 1;
    if (segment === '..') out.pop();
    else if (segment !== '.') out.push(segment);
    if (last && (segment === '.' || segment === '..')) out.push('');
  });
  return `/${out.join('/')}`;
}
