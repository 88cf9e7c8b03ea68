// Compares an observed outcome with the recorded one, by the rules in conformance/README.md ("What is
// compared").
import type { CountRule, Counts, Outcome, Request, Timing } from './case.ts';

/** How far counts of a random choice may be from the recorded shares, in standard deviations. */
const allowedDeviations = 5;
const allowedMs = 150;
const allowedPart = 0.25;
const resets: ReadonlySet<string> = new Set(['ECONNRESET', 'reset', 'closed', 'EPIPE']);
const equalFields = [
  'tcp',
  'protocol',
  'method',
  'path',
  'host',
  'body',
  'requestHeaders',
  'responseHeaders',
  'responseBody',
  'trailers',
  'upgraded',
] as const;

/** The differences, in words; empty when the outcome is the recorded one. */
export function compare(request: Request, got: Outcome): readonly string[] {
  const want = request.ours ?? request.expect;
  // What the product should do instead is written by hand, and only says what matters.
  const isAsked = (field: keyof Outcome): boolean => request.ours === undefined || field in want;
  const rules = request.compare ?? {};
  return [
    ...compareResult(want, got, rules.statuses ?? 'share', request.count ?? 1, isAsked),
    ...equalFields.flatMap((field) => (isAsked(field) ? compareEqual(field, want[field], got[field]) : [])),
    ...(isAsked('tls') ? compareEqual('tls.sni', serverNames(want.tls), serverNames(got.tls)) : []),
    ...(isAsked('upstreams')
      ? compareCounts('upstreams', rules.upstreams ?? 'set', want.upstreams ?? {}, got.upstreams ?? {})
      : []),
    ...(isAsked('hits') ? compareHits(rules.hits, want.hits, got.hits) : []),
    ...(isAsked('mirrored')
      ? compareCounts('mirrored', rules.mirrored ?? 'set', want.mirrored ?? {}, got.mirrored ?? {})
      : []),
    ...(want.ms ? compareTiming(want.ms, got.ms) : []),
  ];
}

function compareResult(
  want: Outcome,
  got: Outcome,
  rule: CountRule,
  count: number,
  isAsked: (field: keyof Outcome) => boolean,
): readonly string[] {
  if (want.statuses || got.statuses)
    return compareCounts('statuses', rule, statusCounts(want, count), statusCounts(got, count));
  const status =
    isAsked('status') || got.error !== undefined ? compareEqual('status', want.status, got.status) : [];
  const error =
    errorClass(want.error) === errorClass(got.error) ? [] : [difference('error', want.error, got.error)];
  return [...status, ...error];
}

/** One status for all is the same as that status counted. */
function statusCounts(outcome: Outcome, count: number): Counts {
  const only = outcome.status ?? outcome.error;
  const counts = outcome.statuses ?? (only === undefined ? {} : { [only]: count });
  const merged: Record<string, number> = {};
  for (const [key, number] of Object.entries(counts)) {
    const name = errorClass(key) ?? key;
    merged[name] = (merged[name] ?? 0) + number;
  }
  return merged;
}

function errorClass(error: string | undefined): string | undefined {
  if (error === undefined) return undefined;
  // A TLS alert by its own name: what stands before it changes from one OpenSSL to the next.
  return resets.has(error) ? 'reset' : error.replace(/^ERR_SSL_[A-Z0-9/]+_ALERT_/, 'alert ');
}

export function compareCounts(label: string, rule: CountRule, want: Counts, got: Counts): readonly string[] {
  const shown = difference(label, want, got);
  const [wanted, seen] = [Object.keys(want), Object.keys(got)];
  const isSameSet = isEqual([...wanted].sort(), [...seen].sort());
  switch (rule) {
    case 'exact':
      return isEqual(want, got) ? [] : [shown];
    case 'one':
      return seen.length === 1 ? [] : [shown];
    case 'subset':
      return seen.every((key) => wanted.includes(key)) ? [] : [shown];
    case 'set':
      return isSameSet ? [] : [shown];
    case 'share': {
      if (!isSameSet) return [shown];
      const off = wanted.find((key) => !isSameShare(want, got, key));
      return off === undefined ? [] : [`${shown} (share of ${off})`];
    }
  }
}

/**
 * Both are samples of the same distribution: the deviation of their difference is that of two proportions.
 */
function isSameShare(want: Counts, got: Counts, key: string): boolean {
  const [wanted, seen] = [total(want), total(got)];
  const expected = (want[key] ?? 0) / wanted;
  const variance = expected * (1 - expected) * (1 / wanted + 1 / seen);
  return Math.abs(expected - (got[key] ?? 0) / seen) <= allowedDeviations * Math.sqrt(variance) + 1e-9;
}

function compareHits(
  rule: 'any' | number | readonly [number, number] | undefined,
  want: number | undefined,
  got: number | undefined,
): readonly string[] {
  if (rule === 'any') return [];
  if (Array.isArray(rule)) {
    const [least, most] = rule as readonly [number, number];
    return got !== undefined && got >= least && got <= most ? [] : [difference('hits', rule, got)];
  }
  return compareEqual('hits', want, got);
}

function compareTiming(want: Timing, got: Timing | undefined): readonly string[] {
  if (!got) return [difference('ms', want, got)];
  return (['min', 'median', 'max'] as const).flatMap((part) =>
    Math.abs(want[part] - got[part]) > Math.max(allowedMs, want[part] * allowedPart)
      ? [difference(`ms.${part}`, want[part], got[part])]
      : [],
  );
}

function serverNames(tls: unknown): readonly (string | null)[] {
  const list: readonly unknown[] = Array.isArray(tls) ? tls : [tls];
  return list
    .filter((one) => one !== undefined)
    .map((one) => (one as { sni?: string }).sni ?? null)
    .sort();
}

function compareEqual(label: string, want: unknown, got: unknown): readonly string[] {
  return isEqual(want, got) ? [] : [difference(label, want, got)];
}

function difference(label: string, want: unknown, got: unknown): string {
  return `${label}: want ${show(want)}, got ${show(got)}`;
}

function show(value: unknown): string {
  return value === undefined ? 'none' : JSON.stringify(value);
}

function isEqual(a: unknown, b: unknown): boolean {
  return JSON.stringify(sorted(a)) === JSON.stringify(sorted(b));
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, inner]) => [key, sorted(inner)]));
}

function total(counts: Counts): number {
  return Object.values(counts).reduce((sum, count) => sum + count, 0);
}
