// Discovery responses put together from already encoded resources, and shared by every client that is owed the same one.
import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import { hashText } from '../../../base/index.ts';
import { type ResourceTypeName, typeUrlOf } from '../../resource-types.ts';
import type { ServedResource } from '../feed.ts';

export interface SharedResponse {
  readonly bytes: Uint8Array;
  readonly nonce: string;
  readonly version: string;
}

/** DiscoveryResponse: https://www.envoyproxy.io/docs/envoy/latest/api-v3/service/discovery/v3/discovery.proto */
const field = { versionInfo: 1, resources: 2, typeUrl: 4, nonce: 5 } as const;

/** Hands out nonces that no two responses of a server share, so that one encoded response can go to any number of clients. */
export class ResponseBuilder {
  #count = 0;
  readonly #cache = new WeakMap<readonly ServedResource[], SharedResponse>();

  /** The same list object gives the same response. */
  build(type: ResourceTypeName, resources: readonly ServedResource[]): SharedResponse {
    let response = this.#cache.get(resources);
    if (!response) {
      response = encode(type, resources, (++this.#count).toString(36));
      this.#cache.set(resources, response);
    }
    return response;
  }
}

function encode(type: ResourceTypeName, resources: readonly ServedResource[], nonce: string): SharedResponse {
  const version = hashText(resources.map((resource) => resource.version).join(''));
  const head = new BinaryWriter().tag(field.versionInfo, WireType.LengthDelimited).string(version).finish();
  const tail = new BinaryWriter()
    .tag(field.typeUrl, WireType.LengthDelimited)
    .string(typeUrlOf(type))
    .tag(field.nonce, WireType.LengthDelimited)
    .string(nonce)
    .finish();
  const headers = resources.map((resource) =>
    new BinaryWriter().tag(field.resources, WireType.LengthDelimited).uint32(resource.any.length).finish(),
  );
  const length = resources.reduce((sum, resource, i) => sum + resource.any.length + (headers[i]?.length ?? 0), head.length + tail.length);
  const bytes = new Uint8Array(length);
  bytes.set(head, 0);
  let offset = head.length;
  resources.forEach((resource, i) => {
    const header = headers[i] ?? new Uint8Array();
    bytes.set(header, offset);
    bytes.set(resource.any, offset + header.length);
    offset += header.length + resource.any.length;
  });
  bytes.set(tail, offset);
  return { bytes, nonce, version };
}
