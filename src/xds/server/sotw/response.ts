// The bytes of a DiscoveryResponse:
// https://www.envoyproxy.io/docs/envoy/latest/api-v3/service/discovery/v3/discovery.proto
import { BinaryWriter } from '@bufbuild/protobuf/wire';
import { typeUrlOf } from '../../resource-types.ts';
import { assemble, type EncodeResponse, fieldHead, textField } from '../response-cache.ts';

const field = { versionInfo: 1, resources: 2, typeUrl: 4, nonce: 5 } as const;

/** What is removed is not said: it is what a full response lacks. */
export const encodeDiscoveryResponse: EncodeResponse = ({ type, resources }, version, nonce) => {
  const head = textField(new BinaryWriter(), field.versionInfo, version).finish();
  const tail = textField(
    textField(new BinaryWriter(), field.typeUrl, typeUrlOf(type)),
    field.nonce,
    nonce,
  ).finish();
  return assemble(head, resources, (resource) => fieldHead(field.resources, resource.any.length), tail);
};
