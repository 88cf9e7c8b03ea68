// Rules and matches that no request reaches, since an earlier one takes all that they would.
import { deepEqual } from '../../../base/index.ts';
import type { RuleContext } from '../../schema/index.ts';
import type { HTTPMatchRequest, StringMatch } from './http-match.ts';
import type { HTTPRoute } from './http-route.ts';

interface Earlier {
  readonly rule: number;
  readonly match: number;
  readonly request: HTTPMatchRequest;
}

/**
 * Every match is compared with those before it; beyond this many the comparison would cost more than it
 * tells, and is left out.
 */
const mostMatches = 1000;

export function warnUnreachable(http: readonly HTTPRoute[], context: RuleContext): void {
  if (http.reduce((sum, { match }) => sum + (match?.length ?? 0), 0) > mostMatches) return;
  const earlier: Earlier[] = [];
  let catchAll = -1;
  for (const [rule, route] of http.entries()) {
    const path = ['http', rule];
    if (catchAll !== -1) {
      context.report('MT0151', path, `{} is never reached: http[${catchAll}] takes every request`);
      continue;
    }
    for (const [match, request] of (route.match ?? []).entries()) {
      const cover = earlier.find((item) => covers(item.request, request));
      if (cover)
        context.report(
          'MT0151',
          [...path, 'match', match],
          `{} is never used: http[${cover.rule}].match[${cover.match}] covers it`,
        );
      else earlier.push({ rule, match, request });
    }
    if ((route.match ?? []).length === 0) catchAll = rule;
  }
}

/**
 * Whether the first asks for nothing that the second does not ask for too, and its path covers the second's.
 * Names do not select.
 */
function covers(first: HTTPMatchRequest, second: HTTPMatchRequest): boolean {
  if (!coversPath(first.uri, second.uri)) return false;
  const { uri: _u, name: _n, statPrefix: _s, ignoreUriCase, ...conditions } = first;
  const asked = new Map(Object.entries(second));
  if (ignoreUriCase !== second.ignoreUriCase) return false;
  return Object.entries(conditions).every(([key, value]) => deepEqual(value, asked.get(key)));
}

function coversPath(first: StringMatch | undefined, second: StringMatch | undefined): boolean {
  if (first === undefined) return true;
  if (first.exact === second?.exact && first.prefix === second?.prefix && first.regex === second?.regex)
    return true;
  const text = second?.exact ?? second?.prefix;
  return first.prefix !== undefined && text?.startsWith(first.prefix) === true;
}
