// A resource in the bytes that go over the wire, encoded once and shared by every proxy that gets it.
import { type DescMessage, type MessageShape, toBinary } from '@bufbuild/protobuf';
import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import { hashBytes } from '../base/index.ts';

export interface EncodedResource {
  readonly name: string;
  /** Changes exactly when the bytes do. */
  readonly version: string;
  /** A google.protobuf.Any that holds the resource. */
  readonly any: Uint8Array;
}

/** A field of a message, ready to be put there: tag, length and the message that is its value. */
export interface EncodedPart {
  readonly bytes: Uint8Array;
  readonly version: string;
}

export function encodeResource<D extends DescMessage>(
  schema: D,
  name: string,
  message: MessageShape<D>,
): EncodedResource {
  const bytes = toBinary(schema, message);
  return { name, version: hashBytes(bytes), any: anyBytes(schema.typeName, [bytes]) };
}

export function encodePart<D extends DescMessage>(
  field: number,
  schema: D,
  message: MessageShape<D>,
): EncodedPart {
  const value = toBinary(schema, message);
  return { bytes: concat([fieldHeader(field, value.length), value]), version: hashBytes(value) };
}

/**
 * A resource made of a message and of further fields, which are not encoded again. Protobuf takes the fields
 * of a message in any order: https://protobuf.dev/programming-guides/encoding/#order
 */
export function assembleResource<D extends DescMessage>(
  schema: D,
  name: string,
  message: MessageShape<D>,
  parts: readonly EncodedPart[],
): EncodedResource {
  const head = toBinary(schema, message);
  const versions = parts.map((part) => part.version).join('');
  const any = anyBytes(schema.typeName, [head, ...parts.map((part) => part.bytes)]);
  return { name, version: hashBytes(asciiBytes(hashBytes(head) + versions)), any };
}

export function sameResource(a: EncodedResource | undefined, b: EncodedResource | undefined): boolean {
  return (
    a === b ||
    (a !== undefined &&
      b !== undefined &&
      a.name === b.name &&
      a.version === b.version &&
      a.any.length === b.any.length)
  );
}

export function samePart(a: EncodedPart | undefined, b: EncodedPart | undefined): boolean {
  return (
    a === b ||
    (a !== undefined && b !== undefined && a.version === b.version && a.bytes.length === b.bytes.length)
  );
}

const typeUrlField = 1;
const valueField = 2;

function anyBytes(typeName: string, value: readonly Uint8Array[]): Uint8Array {
  const url = new BinaryWriter()
    .tag(typeUrlField, WireType.LengthDelimited)
    .string(`type.googleapis.com/${typeName}`)
    .finish();
  const length = value.reduce((sum, piece) => sum + piece.length, 0);
  return concat([url, fieldHeader(valueField, length), ...value]);
}

function fieldHeader(field: number, length: number): Uint8Array {
  return new BinaryWriter().tag(field, WireType.LengthDelimited).uint32(length).finish();
}

export function concat(pieces: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let offset = 0;
  for (const piece of pieces) {
    whole.set(piece, offset);
    offset += piece.length;
  }
  return whole;
}

function asciiBytes(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}
