// Which fields of a message a plan says nothing of: each is set in turn, and has to change the plan or be a problem.
// Sub-messages are walked as well, each type once.
import { isDeepStrictEqual } from 'node:util';
import type { DescField, DescMessage, JsonObject, JsonValue } from '@bufbuild/protobuf';
import { ScalarType } from '@bufbuild/protobuf';
import type { Planned } from '../src/proxy/plan/planned.ts';

export interface FieldEffects {
  readonly schema: DescMessage;
  /** A message without problems, with JSON names. */
  readonly base: JsonObject;
  readonly plan: (json: JsonObject) => Planned<unknown>;
  /** By type: what a message of it has to have so that there are no problems. */
  readonly seeds?: Readonly<Record<string, JsonObject>>;
  /** By `Type.field`: values that mean something, where a text or a number of no sense does not. */
  readonly values?: Readonly<Record<string, readonly JsonValue[]>>;
}

/** As `Type.field`, in the order of the descriptors. */
export function fieldsWithoutEffect({
  schema,
  base,
  plan,
  seeds = {},
  values = {},
}: FieldEffects): readonly string[] {
  const found: string[] = [];
  const walked = new Set<string>();
  const walk = (
    type: DescMessage,
    message: JsonObject,
    rebuild: (message: JsonObject) => JsonObject,
  ): void => {
    if (walked.has(type.typeName)) return;
    walked.add(type.typeName);
    const before = plan(rebuild(message));
    for (const field of type.fields) {
      const rest = withoutSiblings(message, field);
      const name = `${shortName(type)}.${field.name}`;
      const samples = values[name] ?? samplesOf(field, message[field.jsonName], seeds);
      const tries = samples.map((value) => {
        const after = plan(rebuild({ ...rest, [field.jsonName]: value }));
        return {
          value,
          changes: !isDeepStrictEqual(after, before),
          clean: after.problems.length <= before.problems.length,
        };
      });
      if (!tries.some(({ changes }) => changes)) found.push(name);
      // What is refused as a whole is not looked into.
      const inside = message[field.jsonName] ?? tries.find(({ changes, clean }) => changes && clean)?.value;
      const { message: inner } = field;
      if (inside === undefined || !inner || inner.typeName in knownJson) continue;
      const { value, wrap } = unwrapped(inside, field);
      walk(inner, value, (part) => rebuild({ ...rest, [field.jsonName]: wrap(part) }));
    }
  };
  walk(schema, base, (message) => message);
  return found;
}

/** `Route`, `RouteAction.HashPolicy`. */
function shortName({ typeName }: DescMessage): string {
  return typeName.replace(/^(?:[a-z0-9_]+\.)+/, '');
}

/** Only one of a group may be set. */
function withoutSiblings(message: JsonObject, { oneof }: DescField): JsonObject {
  if (!oneof) return message;
  const names = new Set(oneof.fields.map(({ jsonName }) => jsonName));
  return Object.fromEntries(Object.entries(message).filter(([name]) => !names.has(name)));
}

function samplesOf(
  field: DescField,
  present: JsonValue | undefined,
  seeds: Readonly<Record<string, JsonObject>>,
): readonly JsonValue[] {
  const given = present === undefined ? [] : [present];
  if (field.fieldKind === 'list') return [...given, ...itemsOf(field, seeds).map((item) => [item]), []];
  if (field.fieldKind === 'map') return [...given, ...itemsOf(field, seeds).map((item) => ({ 1: item }))];
  return [...given, ...itemsOf(field, seeds)];
}

function itemsOf(
  { message, enum: values, scalar }: DescField,
  seeds: Readonly<Record<string, JsonObject>>,
): readonly JsonValue[] {
  if (message) return knownJson[message.typeName] ?? [seeds[shortName(message)] ?? {}];
  if (values)
    return values.typeName === 'google.protobuf.NullValue' ? [null] : values.values.map(({ name }) => name);
  return scalarsOf(scalar);
}

function scalarsOf(type: ScalarType | undefined): readonly JsonValue[] {
  switch (type) {
    case ScalarType.STRING:
      return ['x', '/x', '9'];
    case ScalarType.BYTES:
      return ['eA=='];
    case ScalarType.BOOL:
      return [true, false];
    default:
      return [1, 0, 250];
  }
}

/** Types that have a JSON of their own. */
const knownJson: Readonly<Record<string, readonly JsonValue[]>> = {
  'google.protobuf.Any': [{ '@type': 'type.googleapis.com/google.protobuf.Empty' }],
  'google.protobuf.BoolValue': [true, false],
  'google.protobuf.BytesValue': ['eA=='],
  'google.protobuf.DoubleValue': [1, 0],
  'google.protobuf.Duration': ['3s', '0s'],
  'google.protobuf.FloatValue': [1, 0],
  'google.protobuf.Int32Value': [1, 0],
  'google.protobuf.Int64Value': [1, 0],
  'google.protobuf.ListValue': [['v']],
  'google.protobuf.StringValue': ['x'],
  'google.protobuf.Struct': [{ a: 'b' }],
  'google.protobuf.Timestamp': ['2020-01-01T00:00:00Z'],
  'google.protobuf.UInt32Value': [1, 0, 250],
  'google.protobuf.UInt64Value': [1, 0, 250],
  'google.protobuf.Value': ['v'],
};

/** A message inside a value of the field, and how to put another in its place. */
function unwrapped(
  value: JsonValue,
  { fieldKind }: DescField,
): { readonly value: JsonObject; readonly wrap: (part: JsonObject) => JsonValue } {
  if (Array.isArray(value)) return { value: objectOf(value[0]), wrap: (part) => [part, ...value.slice(1)] };
  const inner = objectOf(value);
  if (fieldKind !== 'map') return { value: inner, wrap: (part) => part };
  const [[key, first] = ['1', {}]] = Object.entries(inner);
  return { value: objectOf(first), wrap: (part) => ({ [key]: part }) };
}

function objectOf(value: JsonValue | undefined): JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : {};
}
