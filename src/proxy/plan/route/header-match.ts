// Envoy's HeaderMatcher as a plan.
// https://www.envoyproxy.io/docs/envoy/latest/api-v3/config/route/v3/route_components.proto#config-route-v3-headermatcher
import type { HeaderMatcher } from '@meltemi/envoy-api/envoy/config/route/v3/route_components';
import { neverMatch, planRegexMatch, planStringMatch, type StringMatchPlan } from './string-match.ts';

export type HeaderCondition =
  | { readonly kind: 'present'; readonly present: boolean }
  | { readonly kind: 'text'; readonly text: StringMatchPlan }
  /** `end` is outside. */
  | { readonly kind: 'range'; readonly start: number; readonly end: number };

export interface HeaderMatchPlan {
  /** In lower case. */
  readonly name: string;
  readonly condition: HeaderCondition;
  readonly invert: boolean;
  readonly missingIsEmpty: boolean;
}

export function planHeaderMatch(source: HeaderMatcher, problems: string[]): HeaderMatchPlan {
  if (source.name === '') problems.push('header matcher without a name');
  return {
    name: source.name.toLowerCase(),
    condition: planCondition(source, problems),
    invert: source.invertMatch,
    missingIsEmpty: source.treatMissingHeaderAsEmpty,
  };
}

/** That the header is there. */
export function headerPresence(name: string): HeaderMatchPlan {
  return { name, condition: { kind: 'present', present: true }, invert: false, missingIsEmpty: false };
}

function planCondition(source: HeaderMatcher, problems: string[]): HeaderCondition {
  const specifier = source.headerMatchSpecifier;
  switch (specifier.case) {
    case undefined:
      return { kind: 'present', present: true };
    case 'presentMatch':
      return { kind: 'present', present: specifier.value };
    case 'exactMatch':
      return caseSensitive('exact', specifier.value);
    case 'prefixMatch':
      return caseSensitive('prefix', specifier.value);
    case 'suffixMatch':
      return caseSensitive('suffix', specifier.value);
    case 'containsMatch':
      return caseSensitive('contains', specifier.value);
    case 'safeRegexMatch':
      return { kind: 'text', text: planRegexMatch(specifier.value, problems) };
    case 'stringMatch':
      return { kind: 'text', text: planStringMatch(specifier.value, problems) };
    case 'rangeMatch':
      return { kind: 'range', start: Number(specifier.value.start), end: Number(specifier.value.end) };
    default:
      return { kind: 'text', text: neverMatch };
  }
}

function caseSensitive(kind: StringMatchPlan['kind'], text: string): HeaderCondition {
  return { kind: 'text', text: { kind, text, ignoreCase: false } };
}
