// Which fields of a message a plan says nothing of: each is set in turn, and has to change the plan or be a problem.
// Sub-messages are walked as well, each type once. Each plan on the way has to be a plain value.
import assert from 'node:assert/strict';
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
  /** Types that another test walks, or that one word is enough for. */
  readonly elsewhere?: readonly string[];
  /** By `Type.field`: values that mean something, where a text or a number of no sense does not. */
  readonly values?: Readonly<Record<string, readonly JsonValue[]>>;
}

/** As `Type.field`, sorted. */
export function fieldsWithoutEffect(options: FieldEffects): readonly string[] {
  const walk = new Walk(options);
  walk.into(options.schema, options.base, (message) => message);
  return walk.found.sort();
}

type Rebuild = (message: JsonObject) => JsonObject;

class Walk {
  found: string[] = [];
  readonly #walked: Set<string>;
  readonly #options: FieldEffects;

  constructor(options: FieldEffects) {
    this.#options = options;
    this.#walked = new Set(options.elsewhere);
  }

  /** Whether any field of it has an effect. */
  into(type: DescMessage, message: JsonObject, rebuild: Rebuild): boolean {
    if (this.#walked.has(shortName(type))) return false;
    this.#walked.add(shortName(type));
    const before = this.#plan(rebuild(message));
    let any = false;
    for (const field of type.fields) {
      if (this.#hasEffect(field, message, { before, rebuild })) any = true;
      else this.found.push(`${shortName(type)}.${field.name}`);
    }
    return any;
  }

  #hasEffect(
    field: DescField,
    message: JsonObject,
    { before, rebuild }: { readonly before: Planned<unknown>; readonly rebuild: Rebuild },
  ): boolean {
    const { seeds = {}, values = {} } = this.#options;
    const put = (value: JsonValue): JsonObject =>
      rebuild({ ...withoutSiblings(message, field), [field.jsonName]: value });
    const present = message[field.jsonName];
    const samples = values[`${shortName(field.parent)}.${field.name}`] ?? samplesOf(field, present, seeds);
    const tries = samples.map((value) => {
      const after = this.#plan(put(value));
      const clean = after.problems.length <= before.problems.length;
      return { value, changes: !isDeepStrictEqual(after, before), clean };
    });
    const changes = tries.some((one) => one.changes);
    const { message: inner } = field;
    if (!inner || inner.typeName in knownJson) return changes;
    // What is refused as a whole is not looked into.
    const clean = tries.find((one) => one.clean && one.changes) ?? (changes ? undefined : tries[0]);
    const inside = present ?? clean?.value;
    if (inside === undefined) return changes;
    const { value, wrap } = unwrapped(inside, field);
    const count = this.found.length;
    if (this.into(inner, value, (part) => put(wrap(part))) || changes) return true;
    // Of a message that nobody reads, its name is enough.
    this.found = this.found.slice(0, count);
    return false;
  }

  #plan(message: JsonObject): Planned<unknown> {
    const planned = this.#options.plan(message);
    assert.deepEqual(structuredClone(planned.plan), planned.plan);
    return planned;
  }
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
