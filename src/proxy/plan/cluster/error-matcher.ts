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
import { compileHeaderMatcher, type HeaderView } from '../../decide/route/index.ts';

/** Sees the status as the header `:status`. */
export type ErrorMatcher = (status: number, headers: HeaderView) => boolean;

// The field is newer than the .proto tree that the messages are generated from.
const outlierDetectionField = 8;
const errorMatcherField = 1;

export function compileErrorMatcher(
  unknown: readonly UnknownField[] | undefined,
  problems: string[],
): ErrorMatcher | undefined {
  const field = unknown?.find(({ no }) => no === outlierDetectionField);
  const predicate = field && matcherIn(new BinaryReader(field.data).bytes());
  if (!predicate) return undefined;
  const holds = compilePredicate(predicate, problems);
  return (status, headers) => holds(withStatus(status, headers));
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

function compilePredicate({ rule }: MatchPredicate, problems: string[]): (response: HeaderView) => boolean {
  switch (rule.case) {
    case 'anyMatch':
      return () => rule.value;
    case 'orMatch': {
      const any = rule.value.rules.map((one) => compilePredicate(one, problems));
      return (response) => any.some((holds) => holds(response));
    }
    case 'andMatch': {
      const all = rule.value.rules.map((one) => compilePredicate(one, problems));
      return (response) => all.every((holds) => holds(response));
    }
    case 'notMatch': {
      const holds = compilePredicate(rule.value, problems);
      return (response) => !holds(response);
    }
    case 'httpResponseHeadersMatch': {
      const headers = rule.value.headers.map((one) => compileHeaderMatcher(one, problems));
      return (response) => headers.every((header) => header.matches(response));
    }
    default:
      problems.push(`an error matcher with ${rule.case ?? 'no rule'} is not supported`);
      return () => false;
  }
}

function withStatus(status: number, headers: HeaderView): HeaderView {
  const isStatus = (name: string): boolean => name === ':status';
  return {
    get: (name) => (isStatus(name) ? String(status) : headers.get(name)),
    getAll: (name) => (isStatus(name) ? [String(status)] : headers.getAll(name)),
  };
}
