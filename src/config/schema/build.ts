// The words in which the schemas of the kinds are written. Each gives a description and its TypeScript type
// at once.
import type { Millis } from '../../base/index.ts';
import type { FieldOptions, FieldShape, Rule, Schema, Shape } from './shape.ts';

export interface Field<T, Required extends boolean> {
  readonly schema: Schema<T>;
  readonly required: Required;
  readonly options: FieldOptions;
}

/** A message, or a list of them: what becomes of it, its own fields say. */
export interface Composite<T> extends Schema<T> {
  readonly composite: true;
}

/** A field of any other type has to say what becomes of it; a plain schema does not fit here. */
type Fields = Readonly<Record<string, Composite<unknown> | Field<unknown, boolean>>>;
type TypeOf<F> = F extends Field<infer T, boolean> ? T : F extends Schema<infer T> ? T : never;
type RequiredKeys<F> = { [K in keyof F]: F[K] extends Field<unknown, true> ? K : never }[keyof F];
type Flat<T> = { readonly [K in keyof T]: T[K] };

export type MessageType<F> = Flat<
  { [K in Exclude<keyof F, RequiredKeys<F>>]?: TypeOf<F[K]> } & { [K in RequiredKeys<F>]: TypeOf<F[K]> }
>;

export interface MessageOptions<T> {
  readonly open?: boolean;
  readonly rules?: readonly Rule<T>[];
}

export const string: Schema<string> = { shape: { kind: 'string' } };
/** A string that may have line breaks: bodies, scripts, files within files. */
export const text: Schema<string> = { shape: { kind: 'string', lines: true } };
export const boolean: Schema<boolean> = { shape: { kind: 'boolean' } };
export const number: Schema<number> = { shape: { kind: 'number', integer: false } };
export const int32: Schema<number> = integerIn(-2147483648, 2147483647);
export const uint32: Schema<number> = integerIn(0, 4294967295);
export const uint64: Schema<number> = integerIn(0, Number.MAX_SAFE_INTEGER);
/**
 * Go's duration text, at least a millisecond and in whole ones, which is what Istio asks of almost every
 * duration.
 */
export const duration: Schema<Millis> = { shape: { kind: 'duration', min: 1 } };
export const durationOrZero: Schema<Millis> = { shape: { kind: 'duration', min: 0 } };
export const timestamp: Schema<Millis> = { shape: { kind: 'timestamp' } };
export const bytes: Schema<Uint8Array> = { shape: { kind: 'bytes' } };
export const anything: Schema<unknown> = { shape: { kind: 'any' } };
export const intOrString: Schema<number | string> = { shape: { kind: 'intOrString' } };

export function integerIn(min: number, max: number): Schema<number> {
  return { shape: { kind: 'number', integer: true, min, max } };
}

/** `refused` holds values that the protobuf enum knows but this place does not take, with the reason. */
export function enumOf<const V extends string>(
  values: readonly V[],
  refused?: Readonly<Record<string, string>>,
): Schema<V> {
  return { shape: { kind: 'enum', values, ...(refused ? { refused } : {}) } };
}

export function list<T>(item: Composite<T>): Composite<readonly T[]>;
export function list<T>(item: Schema<T>): Schema<readonly T[]>;
export function list<T>(
  item: Schema<T> & { readonly composite?: true },
): Schema<readonly T[]> & { readonly composite?: true } {
  return { shape: { kind: 'list', item: item.shape }, ...(item.composite ? { composite: true } : {}) };
}

export function mapOf<T>(value: Schema<T>): Schema<Readonly<Record<string, T>>> {
  return { shape: { kind: 'map', value: value.shape, emptyAsNull: false } };
}

/** A map in which `key:` with nothing after it stands for an empty message, as in `withoutHeaders`. */
export function mapWithEmpty<T>(value: Schema<T>): Schema<Readonly<Record<string, T>>> {
  return { shape: { kind: 'map', value: value.shape, emptyAsNull: true } };
}

export function message<F extends Fields>(
  name: string,
  fields: F,
  options: MessageOptions<MessageType<F>> = {},
): Composite<MessageType<F>> {
  const entries = Object.entries(fields).map(([key, value]): [string, FieldShape] => [
    key,
    fieldShape(value),
  ]);
  const { open = false, rules = [] } = options;
  return {
    composite: true,
    shape: { kind: 'message', name, fields: new Map(entries), spellings: spellingsOf(entries), open, rules },
  };
}

/** `effect`: the field of Envoy's API that it becomes (`RouteAction.timeout`), or what else it decides. */
export function field<T>(
  schema: Schema<T>,
  effect: string,
  options: Omit<FieldOptions, 'effect'> = {},
): Field<T, false> {
  return { schema, required: false, options: { ...options, effect } };
}

export function required<T>(schema: Composite<T>, effect?: string): Field<T, true>;
export function required<T>(schema: Schema<T>, effect: string): Field<T, true>;
export function required<T>(schema: Schema<T>, effect?: string): Field<T, true> {
  return { schema, required: true, options: effect === undefined ? {} : { effect } };
}

export function deprecated<T>(schema: Schema<T>, instead: string, effect: string): Field<T, false> {
  return field(schema, effect, { deprecated: instead });
}

/** Does nothing, which a user who sets it is told with the reason. */
export function noEffect<T>(schema: Schema<T>, why: string): Field<T, false> {
  return { schema, required: false, options: { noEffect: why } };
}

/**
 * Does nothing here and is none of our business: other people's API, or a kind that does nothing as a whole.
 * Nobody is told.
 */
export function ignored<T>(
  schema: Schema<T>,
  why: string,
  options: Pick<FieldOptions, 'deprecated'> = {},
): Field<T, false> {
  return { schema, required: false, options: { ...options, ignored: why } };
}

/** The same message with more checks. */
export function withRules<T>(schema: Composite<T>, ...rules: readonly Rule<T>[]): Composite<T> {
  const { shape } = schema;
  if (shape.kind !== 'message') throw new TypeError('only a message has rules');
  return { composite: true, shape: { ...shape, rules: [...shape.rules, ...rules] } };
}

export function snakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

function fieldShape(value: Schema<unknown> | Field<unknown, boolean>): FieldShape {
  if ('schema' in value) return { shape: value.schema.shape, required: value.required, ...value.options };
  const shape: Shape = value.shape;
  return { shape, required: false };
}

function spellingsOf(entries: readonly (readonly [string, FieldShape])[]): ReadonlyMap<string, string> {
  const spellings = new Map<string, string>();
  for (const [key, { aliases = [] }] of entries) {
    for (const spelling of [snakeCase(key), ...aliases]) if (spelling !== key) spellings.set(spelling, key);
  }
  return spellings;
}
