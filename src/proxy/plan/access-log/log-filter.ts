// Which exchanges an access log is about, as a plan.
// https://www.envoyproxy.io/docs/envoy/latest/api-v3/config/accesslog/v3/accesslog.proto
import {
  type AccessLogFilter,
  type ComparisonFilter,
  ComparisonFilter_Op as Op,
} from '@meltemi/envoy-api/envoy/config/accesslog/v3/accesslog';
import { isResponseFlag } from '../../format/response-flags.ts';
import { fractionOf } from '../route/fraction.ts';
import { type HeaderMatchPlan, planHeaderMatch } from '../route/header-match.ts';
import { type MetadataMatchPlan, planMetadataMatch } from '../route/metadata-match.ts';

export interface ComparisonPlan {
  readonly op: 'equal' | 'atLeast' | 'atMost';
  readonly bound: number;
}

export type LogFilterPlan =
  | { readonly kind: 'never' }
  | { readonly kind: 'status'; readonly comparison: ComparisonPlan }
  | { readonly kind: 'duration'; readonly comparison: ComparisonPlan }
  | { readonly kind: 'notHealthCheck' }
  | { readonly kind: 'traceable' }
  | { readonly kind: 'fraction'; readonly fraction: number }
  | { readonly kind: 'and'; readonly filters: readonly LogFilterPlan[] }
  | { readonly kind: 'or'; readonly filters: readonly LogFilterPlan[] }
  | { readonly kind: 'header'; readonly header: HeaderMatchPlan }
  /** Without flags any will do. */
  | { readonly kind: 'responseFlag'; readonly flags: readonly string[] }
  | { readonly kind: 'grpcStatus'; readonly statuses: readonly number[]; readonly exclude: boolean }
  | {
      readonly kind: 'metadata';
      readonly matcher: MetadataMatchPlan | undefined;
      /** Where nothing is under the matcher's path. */
      readonly withoutKey: boolean;
    };

export function planLogFilter(source: AccessLogFilter, problems: string[]): LogFilterPlan {
  const specifier = source.filterSpecifier;
  switch (specifier.case) {
    case 'statusCodeFilter':
      return { kind: 'status', comparison: planComparison(specifier.value.comparison) };
    case 'durationFilter':
      return { kind: 'duration', comparison: planComparison(specifier.value.comparison) };
    case 'notHealthCheckFilter':
      return { kind: 'notHealthCheck' };
    case 'traceableFilter':
      return { kind: 'traceable' };
    case 'runtimeFilter':
      return { kind: 'fraction', fraction: fractionOf(specifier.value.percentSampled) };
    case 'andFilter':
      return { kind: 'and', filters: specifier.value.filters.map((one) => planLogFilter(one, problems)) };
    case 'orFilter':
      return { kind: 'or', filters: specifier.value.filters.map((one) => planLogFilter(one, problems)) };
    case 'headerFilter': {
      const { header } = specifier.value;
      return header ? { kind: 'header', header: planHeaderMatch(header, problems) } : { kind: 'never' };
    }
    case 'responseFlagFilter':
      return planFlags(specifier.value.flags, problems);
    case 'grpcStatusFilter': {
      const { statuses, exclude } = specifier.value;
      return { kind: 'grpcStatus', statuses, exclude };
    }
    case 'metadataFilter': {
      const { matcher, matchIfKeyNotFound = true } = specifier.value;
      const plan = matcher && planMetadataMatch(matcher, problems);
      return { kind: 'metadata', matcher: plan, withoutKey: matchIfKeyNotFound };
    }
    default:
      problems.push(`access log filter ${specifier.case ?? 'without a kind'} is not supported`);
      return { kind: 'never' };
  }
}

function planComparison(source: ComparisonFilter | undefined): ComparisonPlan {
  // Runtime keys have no source here.
  const bound = source?.value?.defaultValue ?? 0;
  switch (source?.op) {
    case Op.GE:
      return { op: 'atLeast', bound };
    case Op.LE:
      return { op: 'atMost', bound };
    default:
      return { op: 'equal', bound };
  }
}

function planFlags(flags: readonly string[], problems: string[]): LogFilterPlan {
  for (const flag of flags)
    if (!isResponseFlag(flag)) problems.push(`access log filter: ${flag} is no response flag`);
  return { kind: 'responseFlag', flags };
}
