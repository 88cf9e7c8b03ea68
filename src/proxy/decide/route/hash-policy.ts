// The hash of a request, by the hash policies of its route.
import { unreachable } from '../../../base/index.ts';
import { type RequestView, requestHeader } from '../../codec/http/request-view.ts';
import type { CookieTemplate, HashPolicies, HashSource } from '../../plan/route/hash-policy.ts';
import type { Hash64 } from '../lb/index.ts';
import { xxHash64 } from '../lb/index.ts';
import { queryParameter } from './query-match.ts';
import { substitute } from './regex.ts';

export interface HashContext {
  /** Without port. */
  readonly sourceIp?: string;
  /** `ip:port`; a generated cookie is made of both. */
  readonly downstreamRemoteAddress?: string;
  readonly downstreamLocalAddress?: string;
  readonly filterState?: ReadonlyMap<string, string>;
}

export interface GeneratedCookie {
  readonly name: string;
  readonly value: string;
  /** The whole `set-cookie` line for the response. */
  readonly setCookie: string;
}

export interface HashResult {
  readonly hash: Hash64 | undefined;
  readonly cookies: readonly GeneratedCookie[];
}

/** The hash of one request over all policies; undefined when none of them found anything to hash. */
export function requestHash(policies: HashPolicies, request: RequestView, context: HashContext): HashResult {
  const cookies: GeneratedCookie[] = [];
  let hash: Hash64 | undefined;
  for (const { source, terminal } of policies) {
    const own = hashSource(source, request, context, cookies);
    // Rotation keeps equal policies from cancelling each other out.
    if (own)
      hash = hash
        ? { hi: (rotated(hash.hi, hash.lo) ^ own.hi) >>> 0, lo: (rotated(hash.lo, hash.hi) ^ own.lo) >>> 0 }
        : own;
    if (terminal && hash) break;
  }
  return { hash, cookies };
}

function rotated(word: number, other: number): number {
  return (word << 1) | (other >>> 31);
}

function hashSource(
  source: HashSource,
  request: RequestView,
  context: HashContext,
  cookies: GeneratedCookie[],
): Hash64 | undefined {
  switch (source.kind) {
    case 'header':
      return hashHeader(source, request);
    case 'query': {
      const value = queryParameter(request.path, source.name);
      return value === undefined ? undefined : xxHash64(value);
    }
    case 'sourceIp':
      return context.sourceIp ? xxHash64(context.sourceIp) : undefined;
    case 'filterState': {
      const value = context.filterState?.get(source.key);
      return value === undefined ? undefined : xxHash64(value);
    }
    case 'cookie': {
      const value = cookieValue(request, source.name);
      if (value) return xxHash64(value);
      if (!source.generated) return undefined;
      const cookie = generateCookie(source.name, source.generated, context);
      cookies.push(cookie);
      return xxHash64(cookie.value);
    }
    default:
      return unreachable(source);
  }
}

// Several lines are hashed together in sorted order, each with the hash so far as its seed.
function hashHeader(source: HashSource & { kind: 'header' }, request: RequestView): Hash64 | undefined {
  const first = requestHeader(request, source.name);
  if (first === undefined) return undefined;
  const lines = source.name.startsWith(':') ? [first] : [...request.getAll(source.name)].sort();
  if (lines.length === 0) lines.push(first);
  const { rewrite } = source;
  return lines.reduce<Hash64>((seed, line) => xxHash64(rewrite ? substitute(rewrite, line) : line, seed), {
    hi: 0,
    lo: 0,
  });
}

/** The value of a cookie without its quotes; undefined when absent. */
function cookieValue(request: RequestView, name: string): string | undefined {
  for (const line of request.getAll('cookie')) {
    for (const pair of line.split(';')) {
      const equals = pair.indexOf('=');
      if (equals > 0 && pair.slice(0, equals).trim() === name)
        return pair
          .slice(equals + 1)
          .trim()
          .replace(/^"(.*)"$/, '$1');
    }
  }
  return undefined;
}

function generateCookie(name: string, template: CookieTemplate, context: HashContext): GeneratedCookie {
  const hash = xxHash64((context.downstreamRemoteAddress ?? '') + (context.downstreamLocalAddress ?? ''));
  const value = hash.hi.toString(16).padStart(8, '0') + hash.lo.toString(16).padStart(8, '0');
  const age = template.maxAge > 0 ? `; Max-Age=${template.maxAge}` : '';
  const path = template.path ? `; Path=${template.path}` : '';
  const attributes = template.attributes
    .map((a) => (a.value ? `; ${a.name}=${a.value}` : `; ${a.name}`))
    .join('');
  return { name, value, setCookie: `${name}="${value}"${age}${path}${attributes}; HttpOnly` };
}
