// Conditions on dynamic metadata of a request as plans.
// https://www.envoyproxy.io/docs/envoy/latest/api-v3/type/matcher/v3/metadata.proto
import type { MetadataMatcher } from '@meltemi/envoy-api/envoy/type/matcher/v3/metadata';
import type { DoubleMatcher } from '@meltemi/envoy-api/envoy/type/matcher/v3/number';
import type { ValueMatcher } from '@meltemi/envoy-api/envoy/type/matcher/v3/value';
import { planStringMatch, type StringMatchPlan } from './string-match.ts';

export interface MetadataMatchPlan {
  /** From the filter's namespace down. */
  readonly keys: readonly string[];
  readonly value: ValueMatchPlan;
  readonly invert: boolean;
}

export type ValueMatchPlan =
  | { readonly kind: 'never' }
  | { readonly kind: 'null' }
  | { readonly kind: 'equal'; readonly value: boolean | number }
  | { readonly kind: 'present'; readonly present: boolean }
  | { readonly kind: 'string'; readonly string: StringMatchPlan }
  | { readonly kind: 'or'; readonly values: readonly ValueMatchPlan[] }
  /** One of a list. */
  | { readonly kind: 'oneOf'; readonly item: ValueMatchPlan }
  /** `end` is outside. */
  | { readonly kind: 'range'; readonly start: number; readonly end: number };

export function planMetadataMatch(source: MetadataMatcher, problems: string[]): MetadataMatchPlan {
  return {
    keys: [source.filter, ...source.path.map((segment) => segment.segment.value ?? '')],
    value: planValue(source.value, problems),
    invert: source.invert,
  };
}

function planValue(source: ValueMatcher | undefined, problems: string[]): ValueMatchPlan {
  const pattern = source?.matchPattern;
  switch (pattern?.case) {
    case 'nullMatch':
      return { kind: 'null' };
    case 'boolMatch':
      return { kind: 'equal', value: pattern.value };
    case 'presentMatch':
      return { kind: 'present', present: pattern.value };
    case 'stringMatch':
      return { kind: 'string', string: planStringMatch(pattern.value, problems) };
    case 'orMatch':
      return { kind: 'or', values: pattern.value.valueMatchers.map((one) => planValue(one, problems)) };
    case 'listMatch': {
      const { matchPattern } = pattern.value;
      const item = matchPattern.case === 'oneOf' ? matchPattern.value : undefined;
      return { kind: 'oneOf', item: planValue(item, problems) };
    }
    case 'doubleMatch':
      return planNumber(pattern.value, problems);
    default:
      problems.push('metadata matcher without a value pattern');
      return { kind: 'never' };
  }
}

function planNumber({ matchPattern }: DoubleMatcher, problems: string[]): ValueMatchPlan {
  switch (matchPattern.case) {
    case 'range':
      return { kind: 'range', start: matchPattern.value.start, end: matchPattern.value.end };
    case 'exact':
      return { kind: 'equal', value: matchPattern.value };
    default:
      problems.push('metadata matcher without a value pattern');
      return { kind: 'never' };
  }
}
