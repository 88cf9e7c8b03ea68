// Times between two moments of an exchange.
// https://www.envoyproxy.io/docs/envoy/latest/configuration/observability/access_log/usage#config-access-log-format-common-duration
import type { FormatContext, Moments } from './format-context.ts';
import type { Operator } from './operator.ts';

const points = {
  DS_RX_BEG: 'begun',
  DS_RX_END: 'requestDone',
  US_TX_BEG: 'upstreamBegun',
  US_TX_END: 'upstreamRequestDone',
  US_RX_BEG: 'firstFromUpstream',
  US_RX_END: 'lastFromUpstream',
  DS_TX_BEG: 'firstToClient',
  DS_TX_END: 'lastToClient',
} as const satisfies Readonly<Record<string, keyof Moments>>;

/** Known to Envoy and not kept here. */
const unknowable = new Set(['US_CX_BEG', 'US_CX_END', 'US_HS_END', 'US_RX_BODY_BEG']);

const precisions: Readonly<Record<string, number>> = { ms: 1, us: 1000, ns: 1e6 };

type Point = keyof typeof points;

/** `START:END` or `START:END:PRECISION`. */
export function durationOperator(text: string, problems: string[]): Operator | undefined {
  const [start = '', end = '', precision = 'ms', more] = text.split(':');
  const factor = precisions[precision];
  const known = [start, end].every((name) => isPoint(name) || unknowable.has(name));
  if (factor === undefined || !known || more !== undefined) {
    problems.push(`${JSON.stringify(text)} is no duration`);
    return undefined;
  }
  return isPoint(start) && isPoint(end) ? between(start, end, factor) : () => undefined;
}

export function between(start: Point, end: Point, factor = 1): Operator {
  const [from, to] = [points[start], points[end]];
  return ({ moments }: FormatContext) => {
    if (!moments) return undefined;
    const begin = moments[from];
    const until = moments[to];
    return begin > 0 && until >= begin ? Math.floor((until - begin) * factor) : undefined;
  };
}

function isPoint(name: string): name is Point {
  return Object.hasOwn(points, name);
}
