// Responses put together from already encoded resources, and shared by every client that is owed the same
// one.
import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import { hashText } from '../../base/index.ts';
import type { ResourceTypeName } from '../resource-types.ts';
import type { ServedResource } from './feed.ts';
import type { InFlight } from './subscription.ts';

export interface SharedResponse extends InFlight {
  readonly bytes: Uint8Array;
  readonly nonce: string;
}

export interface ResponseParts {
  readonly type: ResourceTypeName;
  readonly resources: readonly ServedResource[];
  readonly removed: readonly string[];
}

/** The protocol's own part: the bytes of a response. */
export type EncodeResponse = (parts: ResponseParts, version: string, nonce: string) => Uint8Array;

interface Kept {
  readonly parts: ResponseParts;
  readonly response: SharedResponse;
}

const maxKept = 8;
const maxKeptBytes = 32 * 1024 * 1024;

/** Nonces differ between any two responses, so that one of them can go to any number of clients. */
export class ResponseCache {
  readonly #encode: EncodeResponse;
  #recent: Kept[] = [];
  #count = 0;

  constructor(encode: EncodeResponse) {
    this.#encode = encode;
  }

  build(parts: ResponseParts): SharedResponse {
    const kept = this.#recent.find((candidate) => sameParts(candidate.parts, parts));
    if (kept) return kept.response;
    const version = hashText(
      parts.resources.map((resource) => resource.version).join('') + parts.removed.join(),
    );
    const nonce = (++this.#count).toString(36);
    const response = {
      bytes: this.#encode(parts, version, nonce),
      nonce,
      version,
      resources: parts.resources,
    };
    this.#keep({ parts, response });
    return response;
  }

  #keep(kept: Kept): void {
    this.#recent.unshift(kept);
    let bytes = 0;
    this.#recent = this.#recent.filter(({ response }, i) => {
      bytes += response.bytes.length;
      return i === 0 || (i < maxKept && bytes <= maxKeptBytes);
    });
  }
}

/**
 * A message of a head, one field a resource, and a tail; `prefixOf` is what stands before the resource's
 * bytes.
 */
export function assemble(
  head: Uint8Array,
  resources: readonly ServedResource[],
  prefixOf: (resource: ServedResource) => Uint8Array,
  tail: Uint8Array,
): Uint8Array {
  const prefixes = resources.map(prefixOf);
  const length = resources.reduce(
    (sum, resource, i) => sum + resource.any.length + (prefixes[i]?.length ?? 0),
    head.length + tail.length,
  );
  const bytes = Buffer.allocUnsafeSlow(length);
  bytes.set(head, 0);
  let offset = head.length;
  for (const [i, resource] of resources.entries()) {
    const prefix = prefixes[i] ?? new Uint8Array();
    bytes.set(prefix, offset);
    bytes.set(resource.any, offset + prefix.length);
    offset += prefix.length + resource.any.length;
  }
  bytes.set(tail, offset);
  return bytes;
}

export function textField(writer: BinaryWriter, field: number, text: string): BinaryWriter {
  return writer.tag(field, WireType.LengthDelimited).string(text);
}

/** The tag and length of a field whose bytes follow. */
export function fieldHead(field: number, length: number): Uint8Array {
  return new BinaryWriter().tag(field, WireType.LengthDelimited).uint32(length).finish();
}

function sameParts(a: ResponseParts, b: ResponseParts): boolean {
  return a.type === b.type && sameItems(a.resources, b.resources) && sameItems(a.removed, b.removed);
}

function sameItems<T>(a: readonly T[], b: readonly T[]): boolean {
  return a === b || (a.length === b.length && a.every((item, i) => item === b[i]));
}
