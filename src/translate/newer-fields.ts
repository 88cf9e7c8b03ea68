// Fields of Envoy's API that are newer than the .proto tree we generate from, added to messages as raw
// fields. Numbers: https://github.com/envoyproxy/envoy/tree/main/api/envoy
import { type Message, toBinary } from '@bufbuild/protobuf';
import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import { DurationSchema } from '@bufbuild/protobuf/wkt';
import { duration } from './wire.ts';

/** HttpProtocolOptions.outlier_detection.error_matcher. */
const outlierDetectionField = 8;
const errorMatcherField = 1;

export function addErrorMatcher(message: Message, matchPredicate: Uint8Array): void {
  const inner = new BinaryWriter()
    .tag(errorMatcherField, WireType.LengthDelimited)
    .bytes(matchPredicate)
    .finish();
  addBytes(message, outlierDetectionField, inner);
}

/** CircuitBreakers.Thresholds.RetryBudget.budget_interval. */
const budgetIntervalField = 3;

export function addBudgetInterval(message: Message, ms: number): void {
  addBytes(message, budgetIntervalField, toBinary(DurationSchema, duration(ms)));
}

function addBytes(message: Message, no: number, bytes: Uint8Array): void {
  message.$unknown = [
    ...(message.$unknown ?? []),
    { no, wireType: WireType.LengthDelimited, data: new BinaryWriter().bytes(bytes).finish() },
  ];
}
