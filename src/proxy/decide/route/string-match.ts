// Envoy's StringMatcher: exact, prefix, suffix, contains (optionally ignoring case) and regex (whose case the
// pattern decides).
// https://www.envoyproxy.io/docs/envoy/latest/api-v3/type/matcher/v3/string.proto
import type { StringMatcher } from '@meltemi/envoy-api/envoy/type/matcher/v3/string';
import { compileRegex, neverMatches, type TextMatcher, textMatcher } from './regex.ts';

export function compileStringMatcher(matcher: StringMatcher, problems: string[]): TextMatcher {
  const pattern = matcher.matchPattern;
  switch (pattern.case) {
    case 'exact':
    case 'prefix':
    case 'suffix':
    case 'contains':
      return textMatcher(pattern.case, pattern.value, matcher.ignoreCase);
    case 'safeRegex':
      return compileRegex(pattern.value, problems);
    default:
      problems.push(`string matcher "${pattern.case ?? 'without a pattern'}" is not supported`);
      return neverMatches;
  }
}
