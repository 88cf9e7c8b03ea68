// Istio's StringMatch as Envoy's matchers.
import type {
  HeaderMatcherSchema,
  QueryParameterMatcherSchema,
} from '@meltemi/envoy-api/envoy/config/route/v3/route_components';
import type { StringMatcherSchema } from '@meltemi/envoy-api/envoy/type/matcher/v3/string';
import type { StringMatch } from '../../config/index.ts';
import type { Init } from '../wire.ts';

type StringMatcherInit = Init<typeof StringMatcherSchema>;
type HeaderMatcherInit = Init<typeof HeaderMatcherSchema>;
type QueryMatcherInit = Init<typeof QueryParameterMatcherSchema>;

/** Undefined when the match only asks for presence: empty, null, or the regex `*`. */
export function stringMatcher(match: StringMatch | null | undefined): StringMatcherInit | undefined {
  if (match?.exact !== undefined) return { matchPattern: { case: 'exact', value: match.exact } };
  if (match?.prefix !== undefined) return { matchPattern: { case: 'prefix', value: match.prefix } };
  if (match?.regex !== undefined && match.regex !== '*')
    return { matchPattern: { case: 'safeRegex', value: { regex: match.regex } } };
  return undefined;
}

export function headerMatcher(name: string, match: StringMatch | null | undefined): HeaderMatcherInit {
  const matcher = stringMatcher(match);
  return matcher
    ? { name, headerMatchSpecifier: { case: 'stringMatch', value: matcher } }
    : { name, headerMatchSpecifier: { case: 'presentMatch', value: true } };
}

/**
 * For `withoutHeaders`: an absent header counts as the empty text, except where only presence is asked for.
 */
export function absentHeaderMatcher(name: string, match: StringMatch | null | undefined): HeaderMatcherInit {
  const matcher = headerMatcher(name, match);
  return {
    ...matcher,
    invertMatch: true,
    treatMissingHeaderAsEmpty: matcher.headerMatchSpecifier?.case === 'stringMatch',
  };
}

export function queryMatcher(name: string, match: StringMatch | null | undefined): QueryMatcherInit {
  const matcher = stringMatcher(match);
  return matcher
    ? { name, queryParameterMatchSpecifier: { case: 'stringMatch', value: matcher } }
    : { name, queryParameterMatchSpecifier: { case: 'presentMatch', value: true } };
}
