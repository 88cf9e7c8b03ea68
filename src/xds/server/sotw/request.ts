// Reading a DiscoveryRequest. Every answer to endpoints repeats the names of all of them, so lists that were
// read lately are recognised.
// https://www.envoyproxy.io/docs/envoy/latest/api-v3/service/discovery/v3/discovery.proto
import { fromBinary } from '@bufbuild/protobuf';
import { BinaryReader, WireType } from '@bufbuild/protobuf/wire';
import { type Node, NodeSchema } from '@meltemi/envoy-api/envoy/config/core/v3/base';
import { StatusSchema } from '@meltemi/envoy-api/google/rpc/status';

export interface SotwRequest {
  readonly typeUrl: string;
  readonly nonce: string;
  readonly node: Node | undefined;
  readonly error: string | undefined;
  /** The same object for requests with the same names, most of the time. */
  readonly names: readonly string[];
}

interface KnownList {
  readonly bytes: Uint8Array;
  readonly names: readonly string[];
}

const field = { node: 2, names: 3, typeUrl: 4, nonce: 5, error: 6 } as const;
const namesTag = (field.names << 3) | WireType.LengthDelimited;
const maxKnown = 16;
const noNames: readonly string[] = [];

export class RequestReader {
  /** The one that was met last first. */
  #known: KnownList[] = [];

  read(bytes: Uint8Array): SotwRequest {
    const request = { typeUrl: '', nonce: '', node: undefined, error: undefined, names: noNames } as {
      -readonly [K in keyof SotwRequest]: SotwRequest[K];
    };
    const reader = new BinaryReader(bytes);
    while (reader.pos < reader.len) {
      const start = reader.pos;
      const [number, wireType] = reader.tag();
      if (number === field.names) {
        const { names, end } = this.#names(bytes, start);
        request.names = request.names === noNames ? names : [...request.names, ...names];
        reader.pos = end;
      } else if (number === field.node) request.node = fromBinary(NodeSchema, reader.bytes());
      else if (number === field.typeUrl) request.typeUrl = reader.string();
      else if (number === field.nonce) request.nonce = reader.string();
      else if (number === field.error) request.error = fromBinary(StatusSchema, reader.bytes()).message;
      else reader.skip(wireType, number);
    }
    return request;
  }

  /** All names from a place on that follow each other. */
  #names(bytes: Uint8Array, start: number): { readonly names: readonly string[]; readonly end: number } {
    const index = this.#known.findIndex((list) => startsWith(bytes, start, list.bytes));
    const found = this.#known[index];
    if (found) {
      this.#known.splice(index, 1);
      this.#known.unshift(found);
      return { names: found.names, end: start + found.bytes.length };
    }
    const reader = new BinaryReader(bytes);
    reader.pos = start;
    const names: string[] = [];
    while (bytes[reader.pos] === namesTag) {
      reader.tag();
      names.push(reader.string());
    }
    this.#known.unshift({ bytes: bytes.slice(start, reader.pos), names });
    this.#known.length = Math.min(this.#known.length, maxKnown);
    return { names, end: reader.pos };
  }
}

/** Whether the list stands there, and no further name after it. */
function startsWith(bytes: Uint8Array, start: number, list: Uint8Array): boolean {
  const end = start + list.length;
  return (
    end <= bytes.length && bytes[end] !== namesTag && Buffer.compare(bytes.subarray(start, end), list) === 0
  );
}
