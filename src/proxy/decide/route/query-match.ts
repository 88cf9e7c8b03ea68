// Query parameters as Envoy's matcher sees them: never decoded, the first of repeated names counts, `?flag`
// is an empty value.
import type { QueryMatchPlan } from '../../plan/route/query-match.ts';
import { describeText, TextMatcher } from './string-match.ts';

export class QueryMatcher {
  readonly #plan: QueryMatchPlan;
  readonly #value: TextMatcher | undefined;

  constructor(plan: QueryMatchPlan) {
    this.#plan = plan;
    this.#value = plan.value && new TextMatcher(plan.value);
  }

  matches(path: string): boolean {
    const { name, present } = this.#plan;
    const value = queryParameter(path, name);
    if (value === undefined) return !present;
    return present && (this.#value === undefined || this.#value.test(value));
  }

  get description(): string {
    const { name, value, present } = this.#plan;
    const presence = present ? 'present' : 'absent';
    return `query parameter ${name} ${value ? describeText(value) : presence}`;
  }
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
