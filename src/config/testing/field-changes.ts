// For tests: the fields of a schema that claim an effect, and the ways to change them in an example.
import type { FieldShape, MessageShape, Schema, Shape } from '../schema/index.ts';

/** Field names from the top, without positions and keys: `http.match.uri.exact`. */
export type FieldPath = string;

/**
 * Every field that claims an effect of its own, including the keys of maps. What a field without effect holds
 * claims nothing.
 */
export function claimsOf({ shape }: Schema<unknown>): readonly Claim[] {
  return claims(shape, []);
}

export interface Claim {
  readonly field: FieldPath;
  /** What the schema says of it, Envoy's fields among other words. */
  readonly effect: string;
}

function claims(shape: Shape, path: readonly string[]): readonly Claim[] {
  if (shape.kind === 'list') return claims(shape.item, path);
  if (shape.kind === 'map') return claims(shape.value, path);
  if (shape.kind !== 'message') return [];
  return [...shape.fields].flatMap(([key, field]) => {
    if (!hasEffect(field)) return [];
    const at = [...path, key];
    const own = { field: at.join('.'), effect: field.effect ?? '' };
    return [...(isLeaf(field.shape) ? [own] : []), ...claims(field.shape, at)];
  });
}

function hasEffect(field: FieldShape): boolean {
  return field.noEffect === undefined && field.ignored === undefined;
}

/** A message, or a list of them, shows its effect through its fields. */
function isLeaf(shape: Shape): boolean {
  return shape.kind === 'list' ? isLeaf(shape.item) : shape.kind !== 'message';
}

export interface FieldChange {
  readonly field: FieldPath;
  readonly changed: unknown;
}

/**
 * The example with one field removed or set to something else, for each field in it that claims an effect.
 */
export function changesOf({ shape }: Schema<unknown>, example: unknown): Iterable<FieldChange> {
  return changes(shape, example, [], (value) => value);
}

/** The fields that claim an effect and are there. */
export function fieldsOf(schema: Schema<unknown>, example: unknown): ReadonlySet<FieldPath> {
  return new Set([...changesOf(schema, example)].map(({ field }) => field));
}

/** Makes a whole example of a changed part. */
type Rebuild = (part: unknown) => unknown;

function* changes(
  shape: Shape,
  value: unknown,
  path: readonly string[],
  whole: Rebuild,
): Generator<FieldChange> {
  if (shape.kind === 'list' && Array.isArray(value)) {
    for (const [i, item] of value.entries())
      yield* changes(shape.item, item, path, (part) =>
        whole(value.map((old, at) => (at === i ? part : old))),
      );
  } else if (shape.kind === 'map' && isMap(value)) {
    for (const [key, item] of Object.entries(value))
      yield* changes(shape.value, item, path, (part) => whole({ ...value, [key]: part }));
  } else if (shape.kind === 'message' && isMap(value)) yield* fieldChanges(shape, value, path, whole);
}

function* fieldChanges(
  shape: MessageShape,
  value: Readonly<Record<string, unknown>>,
  path: readonly string[],
  whole: Rebuild,
): Generator<FieldChange> {
  for (const [key, field] of shape.fields) {
    if (value[key] === undefined || !hasEffect(field)) continue;
    const at = [...path, key];
    if (isLeaf(field.shape)) {
      const { [key]: _, ...without } = value;
      yield { field: at.join('.'), changed: whole(without) };
      for (const other of others(field.shape, value[key]))
        yield { field: at.join('.'), changed: whole({ ...value, [key]: other }) };
    }
    yield* changes(field.shape, value[key], at, (part) => whole({ ...value, [key]: part }));
  }
}

/** Other values of the same type. */
function others(shape: Shape, value: unknown): readonly unknown[] {
  switch (shape.kind) {
    case 'boolean':
      return [!value];
    case 'number':
      // 65537 is a prime, as table sizes have to be.
      return [Number(value) + 1, Number(value) - 1, Number(value) * 2, 65_537];
    case 'duration':
      return ['7s', '70ms'];
    case 'enum':
      return shape.values.filter((other) => other !== value);
    case 'list':
      return Array.isArray(value)
        ? value.flatMap((item, i) =>
            others(shape.item, item).map((other) => value.map((old, at) => (at === i ? other : old))),
          )
        : [];
    case 'map':
      return isMap(value) ? mapOthers(shape.value, value) : [];
    case 'bytes':
      return ['b3RoZXI='];
    case 'string':
    case 'intOrString':
      return [`${value}x`, 'TCP', 'other', '10.99.0.1', 'default', '/other'];
    case 'any':
      return isMap(value) ? Object.keys(value).map((key) => ({ ...value, [key]: undefined })) : [];
    case 'timestamp':
    case 'message':
      return [];
  }
}

function mapOthers(item: Shape, value: Readonly<Record<string, unknown>>): readonly unknown[] {
  const values = Object.values(value).toReversed();
  // The same values at other keys: shares still add up.
  const swapped = Object.fromEntries(Object.keys(value).map((key, i) => [key, values[i]]));
  const single = Object.entries(value).flatMap(([key, old]) => {
    const { [key]: _, ...rest } = value;
    return [
      rest,
      { ...rest, [`${key}x`]: old },
      ...others(item, old).map((other) => ({ ...rest, [key]: other })),
    ];
  });
  return [swapped, ...single];
}

function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
