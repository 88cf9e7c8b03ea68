// Fields of Envoy's API that are newer than the .proto tree we generate from, added to messages as raw fields.
// Numbers: https://github.com/envoyproxy/envoy/tree/main/api/envoy
import type { Message } from '@bufbuild/protobuf';
import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';

/** UpstreamTlsContext: https://www.envoyproxy.io/docs/envoy/latest/api-v3/extensions/transport_sockets/tls/v3/tls.proto */
const autoHostSniField = 6;
const autoSniSanValidationField = 7;

export function newerTlsFields(message: Message, fields: { readonly autoHostSni: boolean; readonly autoSniSanValidation: boolean }): void {
  if (fields.autoHostSni) addTrue(message, autoHostSniField);
  if (fields.autoSniSanValidation) addTrue(message, autoSniSanValidationField);
}

/** HttpProtocolOptions.outlier_detection.error_matcher. */
const outlierDetectionField = 9;
const errorMatcherField = 1;

export function addErrorMatcher(message: Message, matchPredicate: Uint8Array): void {
  const inner = new BinaryWriter().tag(errorMatcherField, WireType.LengthDelimited).bytes(matchPredicate).finish();
  addBytes(message, outlierDetectionField, inner);
}

function addTrue(message: Message, no: number): void {
  message.$unknown = [...(message.$unknown ?? []), { no, wireType: WireType.Varint, data: new BinaryWriter().bool(true).finish() }];
}

function addBytes(message: Message, no: number, bytes: Uint8Array): void {
  message.$unknown = [
    ...(message.$unknown ?? []),
    { no, wireType: WireType.LengthDelimited, data: new BinaryWriter().bytes(bytes).finish() },
  ];
}
