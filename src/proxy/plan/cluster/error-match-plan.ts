// Which responses count as errors for outlier detection, where a cluster does not leave that to the class
// 5xx. HttpProtocolOptions.outlier_detection.error_matcher; a response that it names counts as a 500, any
// other as a success.
// https://www.envoyproxy.io/docs/envoy/latest/api-v3/extensions/upstreams/http/v3/http_protocol_options.proto
import { fromBinary, type UnknownField } from '@bufbuild/protobuf';
import { BinaryReader } from '@bufbuild/protobuf/wire';
import {
  type MatchPredicate,
  MatchPredicateSchema,
} from '@meltemi/envoy-api/envoy/config/common/matcher/v3/matcher';
import { type HeaderMatchPlan, planHeaderMatch } from '../route/header-match.ts';

/** Of headers of the response; the status is the header `:status`. */
export type ErrorMatchPlan =
  | { readonly kind: 'always'; readonly holds: boolean }
  | { readonly kind: 'or'; readonly rules: readonly ErrorMatchPlan[] }
  | { readonly kind: 'and'; readonly rules: readonly ErrorMatchPlan[] }
  | { readonly kind: 'not'; readonly rule: ErrorMatchPlan }
  /** All of them. */
  | { readonly kind: 'headers'; readonly headers: readonly HeaderMatchPlan[] };

// The field is newer than the .proto tree that the messages are generated from.
const outlierDetectionField = 8;
const errorMatcherField = 1;

/** `unknown` are the fields of HttpProtocolOptions that its schema does not have. */
export function planErrorMatch(
  unknown: readonly UnknownField[] | undefined,
  problems: string[],
): ErrorMatchPlan | undefined {
  const field = unknown?.find(({ no }) => no === outlierDetectionField);
  const predicate = field && matcherIn(new BinaryReader(field.data).bytes());
  return predicate && planPredicate(predicate, problems);
}

function matcherIn(outlierDetection: Uint8Array): MatchPredicate | undefined {
  const reader = new BinaryReader(outlierDetection);
  while (reader.pos < reader.len) {
    const [no, wireType] = reader.tag();
    if (no === errorMatcherField) return fromBinary(MatchPredicateSchema, reader.bytes());
    reader.skip(wireType, no);
  }
  return undefined;
}

function planPredicate({ rule }: MatchPredicate, problems: string[]): ErrorMatchPlan {
  switch (rule.case) {
    case 'anyMatch':
      return { kind: 'always', holds: rule.value };
    case 'orMatch':
      return { kind: 'or', rules: rule.value.rules.map((one) => planPredicate(one, problems)) };
    case 'andMatch':
      return { kind: 'and', rules: rule.value.rules.map((one) => planPredicate(one, problems)) };
    case 'notMatch':
      return { kind: 'not', rule: planPredicate(rule.value, problems) };
    case 'httpResponseHeadersMatch': {
      const { headers } = rule.value;
      return { kind: 'headers', headers: headers.map((header) => planHeaderMatch(header, problems)) };
    }
    default:
      problems.push(`an error matcher with ${rule.case ?? 'no rule'} is not supported`);
      return { kind: 'always', holds: false };
  }
}
