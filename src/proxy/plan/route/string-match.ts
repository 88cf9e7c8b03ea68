// Envoy's StringMatcher as a plan: exact, prefix, suffix, contains (optionally ignoring case) and regex (whose
// case the pattern decides).
// https://www.envoyproxy.io/docs/envoy/latest/api-v3/type/matcher/v3/string.proto
import type { RegexMatcher } from '@meltemi/envoy-api/envoy/type/matcher/v3/regex';
import type { StringMatcher } from '@meltemi/envoy-api/envoy/type/matcher/v3/string';
import { planPattern } from './regex.ts';

/** `text` as configured. `never` stands for what could not be planned. */
export interface StringMatchPlan {
  readonly kind: 'exact' | 'prefix' | 'suffix' | 'contains' | 'regex' | 'never';
  readonly text: string;
  readonly ignoreCase: boolean;
}

export const neverMatch: StringMatchPlan = { kind: 'never', text: '', ignoreCase: false };

export function planStringMatch(matcher: StringMatcher, problems: string[]): StringMatchPlan {
  const pattern = matcher.matchPattern;
  switch (pattern.case) {
    case 'exact':
    case 'prefix':
    case 'suffix':
    case 'contains':
      return { kind: pattern.case, text: pattern.value, ignoreCase: matcher.ignoreCase };
    case 'safeRegex':
      return planRegexMatch(pattern.value, problems);
    default:
      problems.push(`string matcher "${pattern.case ?? 'without a pattern'}" is not supported`);
      return neverMatch;
  }
}

/** Of the whole text, as Envoy matches `safe_regex`. An invalid pattern is reported and matches nothing. */
export function planRegexMatch(matcher: RegexMatcher | undefined, problems: string[]): StringMatchPlan {
  const text = planPattern(matcher?.regex ?? '', problems);
  return text === undefined ? neverMatch : { kind: 'regex', text, ignoreCase: false };
}
