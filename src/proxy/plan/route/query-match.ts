// Conditions on query parameters as plans.
import type { QueryParameterMatcher } from '@meltemi/envoy-api/envoy/config/route/v3/route_components';
import { planStringMatch, type StringMatchPlan } from './string-match.ts';

export interface QueryMatchPlan {
  readonly name: string;
  /** Undefined asks only for presence. */
  readonly value: StringMatchPlan | undefined;
  readonly present: boolean;
}

export function planQueryMatch(source: QueryParameterMatcher, problems: string[]): QueryMatchPlan {
  const { name, queryParameterMatchSpecifier: specifier } = source;
  if (specifier.case === 'stringMatch')
    return { name, value: planStringMatch(specifier.value, problems), present: true };
  return { name, value: undefined, present: specifier.case === 'presentMatch' ? specifier.value : true };
}
