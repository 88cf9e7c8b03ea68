// Which exchanges an access log is about.
// https://www.envoyproxy.io/docs/envoy/latest/api-v3/config/accesslog/v3/accesslog.proto
import {
  type AccessLogFilter,
  type ComparisonFilter,
  ComparisonFilter_Op as Op,
} from '@meltemi/envoy-api/envoy/config/accesslog/v3/accesslog';
import { drawn, fractionOf } from '../../decide/route/fraction.ts';
import { compileHeaderMatcher } from '../../decide/route/header-match.ts';
import { compileMetadataMatcher } from '../../decide/route/metadata-match.ts';
import type { FormatContext } from '../../decide/route/request-view.ts';
import { grpcStatus } from '../../format/grpc-status.ts';
import { isResponseFlag } from '../../format/response-flags.ts';

export interface LogRecord extends FormatContext {
  readonly isHealthCheck?: boolean;
}

export type LogFilter = (record: LogRecord, random: () => number) => boolean;

const never: LogFilter = () => false;

export function planLogFilter(source: AccessLogFilter, problems: string[]): LogFilter {
  const specifier = source.filterSpecifier;
  switch (specifier.case) {
    case 'statusCodeFilter': {
      const fits = comparison(specifier.value.comparison);
      return ({ responseCode = 0 }) => fits(responseCode);
    }
    case 'durationFilter': {
      const fits = comparison(specifier.value.comparison);
      return ({ duration = 0 }) => fits(Math.floor(duration));
    }
    case 'notHealthCheckFilter':
      return ({ isHealthCheck }) => isHealthCheck !== true;
    case 'traceableFilter':
      return ({ request }) => traced(request.get('x-request-id'));
    case 'runtimeFilter': {
      const chance = fractionOf(specifier.value.percentSampled);
      return (_record, random) => drawn(chance, random);
    }
    case 'andFilter': {
      const all = specifier.value.filters.map((one) => planLogFilter(one, problems));
      return (record, random) => all.every((filter) => filter(record, random));
    }
    case 'orFilter': {
      const any = specifier.value.filters.map((one) => planLogFilter(one, problems));
      return (record, random) => any.some((filter) => filter(record, random));
    }
    case 'headerFilter': {
      const { header } = specifier.value;
      const matcher = header && compileHeaderMatcher(header, problems);
      return ({ request }) => matcher?.matchesRequest(request) ?? false;
    }
    case 'responseFlagFilter':
      return flagFilter(specifier.value.flags, problems);
    case 'grpcStatusFilter': {
      const { statuses, exclude } = specifier.value;
      const wanted: readonly number[] = statuses;
      return (record) => wanted.includes(statusOf(record)) !== exclude;
    }
    case 'metadataFilter': {
      const { matcher, matchIfKeyNotFound = true } = specifier.value;
      const matches = matcher && compileMetadataMatcher(matcher, problems);
      const present = matcher && [matcher.filter, ...matcher.path.map(({ segment }) => segment.value ?? '')];
      return ({ metadata }) =>
        has(metadata, present ?? []) ? (matches?.(metadata) ?? true) : matchIfKeyNotFound;
    }
    default:
      problems.push(`access log filter ${specifier.case ?? 'without a kind'} is not supported`);
      return never;
  }
}

function comparison(source: ComparisonFilter | undefined): (value: number) => boolean {
  // Runtime keys have no source here.
  const bound = source?.value?.defaultValue ?? 0;
  switch (source?.op) {
    case Op.GE:
      return (value) => value >= bound;
    case Op.LE:
      return (value) => value <= bound;
    default:
      return (value) => value === bound;
  }
}

/** Without flags any will do. */
function flagFilter(flags: readonly string[], problems: string[]): LogFilter {
  for (const flag of flags)
    if (!isResponseFlag(flag)) problems.push(`access log filter: ${flag} is no response flag`);
  if (flags.length === 0) return ({ responseFlags = '-' }) => responseFlags !== '-';
  return ({ responseFlags = '-' }) => responseFlags.split(',').some((flag) => flags.includes(flag));
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
