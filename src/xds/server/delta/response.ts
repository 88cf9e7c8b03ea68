// The bytes of a DeltaDiscoveryResponse:
// https://www.envoyproxy.io/docs/envoy/latest/api-v3/service/discovery/v3/discovery.proto
import { BinaryWriter } from '@bufbuild/protobuf/wire';
import { typeUrlOf } from '../../resource-types.ts';
import type { ServedResource } from '../feed.ts';
import { assemble, type EncodeResponse, fieldHead, textField } from '../response-cache.ts';

const field = { systemVersionInfo: 1, resources: 2, typeUrl: 4, nonce: 5, removedResources: 6 } as const;
const resourceField = { version: 1, resource: 2, name: 3 } as const;

export const encodeDeltaResponse: EncodeResponse = ({ type, resources, removed }, version, nonce) => {
  const head = textField(new BinaryWriter(), field.systemVersionInfo, version).finish();
  const tail = textField(textField(new BinaryWriter(), field.typeUrl, typeUrlOf(type)), field.nonce, nonce);
  for (const name of removed) textField(tail, field.removedResources, name);
  return assemble(head, resources, prefixOf, tail.finish());
};

/** Everything of a Resource that stands before the Any. */
function prefixOf({ name, version, any }: ServedResource): Uint8Array {
  const inner = textField(
    textField(new BinaryWriter(), resourceField.name, name),
    resourceField.version,
    version,
  ).finish();
  const anyHead = fieldHead(resourceField.resource, any.length);
  const head = fieldHead(field.resources, inner.length + anyHead.length + any.length);
  return Buffer.concat([head, inner, anyHead]);
}
