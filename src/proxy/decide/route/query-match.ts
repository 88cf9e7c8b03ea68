// Query parameters as Envoy's matcher sees them: never decoded, the first of repeated names counts, `?flag`
// is an empty value.
import type { QueryParameterMatcher } from '@meltemi/envoy-api/envoy/config/route/v3/route_components';
import type { TextMatcher } from './regex.ts';
import { compileStringMatcher } from './string-match.ts';

export interface QueryMatcher {
  readonly name: string;
  /** Undefined asks only for presence. */
  readonly value: TextMatcher | undefined;
  readonly present: boolean;
}

export function compileQueryMatcher(config: QueryParameterMatcher, problems: string[]): QueryMatcher {
  const specifier = config.queryParameterMatchSpecifier;
  if (specifier.case === 'stringMatch')
    return { name: config.name, value: compileStringMatcher(specifier.value, problems), present: true };
  return {
    name: config.name,
    value: undefined,
    present: specifier.case === 'presentMatch' ? specifier.value : true,
  };
}

export function matchesQuery(matcher: QueryMatcher, path: string): boolean {
  const value = queryParameter(path, matcher.name);
  if (value === undefined) return !matcher.present;
  return matcher.present && (matcher.value === undefined || matcher.value.test(value));
}

export function describeQuery(matcher: QueryMatcher): string {
  return `query parameter ${matcher.name} ${matcher.value?.description ?? (matcher.present ? 'present' : 'absent')}`;
}

/** The first value of a parameter as it stands in the path, or undefined. */
export function queryParameter(path: string, name: string): string | undefined {
  const hash = path.indexOf('#');
  const end = hash < 0 ? path.length : hash;
  let start = path.indexOf('?') + 1;
  if (start === 0) return undefined;
  while (start < end) {
    const next = path.indexOf('&', start);
    const stop = next < 0 || next > end ? end : next;
    const equals = path.indexOf('=', start);
    const nameEnd = equals < 0 || equals > stop ? stop : equals;
    if (nameEnd - start === name.length && path.startsWith(name, start))
      return path.slice(Math.min(nameEnd + 1, stop), stop);
    start = stop + 1;
  }
  return undefined;
}
