// Whether an access log is about an exchange.
import { unreachable } from '../../../base/index.ts';
import { drawn } from '../../decide/route/fraction.ts';
import { headerMatcher } from '../../decide/route/header-match.ts';
import { metadataMatcher } from '../../decide/route/metadata-match.ts';
import type { FormatContext } from '../../format/format-context.ts';
import { grpcStatus } from '../../format/grpc-status.ts';
import type { ComparisonPlan, LogFilterPlan } from '../../plan/access-log/log-filter.ts';

export interface LogRecord extends FormatContext {
  readonly isHealthCheck?: boolean;
}

export type LogFilter = (record: LogRecord, random: () => number) => boolean;

export function logFilter(plan: LogFilterPlan): LogFilter {
  switch (plan.kind) {
    case 'never':
      return () => false;
    case 'status':
      return ({ responseCode = 0 }) => fits(plan.comparison, responseCode);
    case 'duration':
      return ({ duration = 0 }) => fits(plan.comparison, Math.floor(duration));
    case 'notHealthCheck':
      return ({ isHealthCheck }) => isHealthCheck !== true;
    case 'traceable':
      return ({ request }) => traced(request.get('x-request-id'));
    case 'fraction':
      return (_record, random) => drawn(plan.fraction, random);
    case 'and': {
      const all = plan.filters.map(logFilter);
      return (record, random) => all.every((filter) => filter(record, random));
    }
    case 'or': {
      const any = plan.filters.map(logFilter);
      return (record, random) => any.some((filter) => filter(record, random));
    }
    case 'header': {
      const matcher = headerMatcher(plan.header);
      return ({ request }) => matcher.matchesRequest(request);
    }
    case 'responseFlag':
      return flagFilter(plan.flags);
    case 'grpcStatus':
      return (record) => plan.statuses.includes(statusOf(record)) !== plan.exclude;
    case 'metadata':
      return metadataFilter(plan);
    default:
      return unreachable(plan);
  }
}

function fits({ op, bound }: ComparisonPlan, value: number): boolean {
  switch (op) {
    case 'atLeast':
      return value >= bound;
    case 'atMost':
      return value <= bound;
    case 'equal':
      return value === bound;
    default:
      return unreachable(op);
  }
}

function flagFilter(flags: readonly string[]): LogFilter {
  if (flags.length === 0) return ({ responseFlags = '-' }) => responseFlags !== '-';
  return ({ responseFlags = '-' }) => responseFlags.split(',').some((flag) => flags.includes(flag));
}

function metadataFilter({ matcher, withoutKey }: LogFilterPlan & { kind: 'metadata' }): LogFilter {
  if (!matcher) return () => true;
  const matches = metadataMatcher(matcher);
  return ({ metadata }) => (has(metadata, matcher.keys) ? matches(metadata) : withoutKey);
}

/** As of an exchange that is not of gRPC, whose HTTP status stands for one. */
function statusOf(record: LogRecord): number {
  return grpcStatus(record) ?? (record.responseCode === 200 ? 0 : 2);
}

/** The id of a request says in its version whether it is traced. */
function traced(id: string | undefined): boolean {
  return id !== undefined && id.length === 36 && '9ab'.includes(id.charAt(14));
}

function has(metadata: unknown, path: readonly string[]): boolean {
  let value = metadata;
  for (const key of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return false;
    value = Reflect.get(value, key);
  }
  return true;
}
