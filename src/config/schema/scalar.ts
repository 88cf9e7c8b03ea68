// Reading one scalar of YAML or JSON as the schema asks. A result is the value, or what to tell the user.
import { type Millis, parseDuration } from '../../base/index.ts';
import type { IssueCode } from '../catalogue.ts';
import type { Shape } from './shape.ts';
import { suggest } from './suggest.ts';

export type ScalarResult =
  | { readonly value: unknown }
  /**
   * `said`: how the message calls the value, where the file may write it otherwise (1.10 is the number 1.1).
   */
  | { readonly code: IssueCode; readonly message: string; readonly said?: string };

type ScalarShape = Exclude<Shape, { readonly kind: 'list' | 'map' | 'message' }>;

export function readScalar(shape: ScalarShape, value: unknown): ScalarResult {
  switch (shape.kind) {
    case 'string':
      return readString(shape, value);
    case 'boolean':
      return readBoolean(value);
    case 'number':
      return readNumber(shape, value);
    case 'duration':
      return readDuration(shape.min, value);
    case 'timestamp':
      return readTimestamp(value);
    case 'bytes':
      return readBytes(value);
    case 'any':
      return { value };
    case 'intOrString':
      return typeof value === 'string' || Number.isInteger(value)
        ? { value }
        : wrongType('a number or a name', value);
    case 'enum':
      return readEnum(shape, value);
  }
}

export function describe(value: unknown): string {
  if (value === null || value === undefined) return 'nothing';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'a map';
  return `${typeof value} ${shorten(JSON.stringify(value) ?? String(value))}`;
}

export function wrongType(expected: string, value: unknown): ScalarResult {
  return { code: 'MT0101', message: `{} must be ${expected}, not ${describe(value)}` };
}

function readString({ lines }: Extract<Shape, { kind: 'string' }>, value: unknown): ScalarResult {
  if (typeof value !== 'string') return wrongString(value);
  const problem = lines ? undefined : lineProblem(value);
  return problem === undefined ? { value } : { code: 'MT0134', message: `{} ${problem}` };
}

/** What keeps a text from being one line, or undefined. */
export function lineProblem(text: string): string | undefined {
  const [found] = /[\r\n\0]/.exec(text) ?? [];
  if (found === undefined) return undefined;
  return found === '\0'
    ? 'has a NUL character'
    : 'has a line break; write it in one line, in quotes rather than after | or >';
}

function wrongString(value: unknown): ScalarResult {
  if (typeof value !== 'number' && typeof value !== 'boolean') return wrongType('a string', value);
  return {
    code: 'MT0101',
    message: `{} must be a string, not ${describe(value)}; write it in quotes: "${value}"`,
    said: String(value),
  };
}

// YAML 1.1, which Kubernetes reads, takes these words for booleans.
const words: Readonly<Record<string, boolean>> = {
  yes: true,
  on: true,
  true: true,
  no: false,
  off: false,
  false: false,
};

function readBoolean(value: unknown): ScalarResult {
  if (typeof value === 'boolean') return { value };
  const word = typeof value === 'string' ? words[value.toLowerCase()] : undefined;
  return word === undefined ? wrongType('true or false', value) : { value: word };
}

function readNumber(shape: Extract<Shape, { kind: 'number' }>, value: unknown): ScalarResult {
  if (typeof value !== 'number' || !Number.isFinite(value)) {
    const isQuoted = typeof value === 'string' && value.trim() !== '' && Number.isFinite(Number(value));
    return isQuoted
      ? { code: 'MT0101', message: `{} must be a number, not a string; remove the quotes: ${shorten(value)}` }
      : wrongType('a number', value);
  }
  if (shape.integer && !Number.isInteger(value)) return wrongType('a whole number', value);
  const { min = Number.NEGATIVE_INFINITY, max = Number.POSITIVE_INFINITY } = shape;
  if (value < min || value > max)
    return { code: 'MT0105', message: `{} must be ${rangeText(min, max)}, not ${value}` };
  return { value };
}

function rangeText(min: number, max: number): string {
  return max >= 4294967295 ? `at least ${min}` : `from ${min} to ${max}`;
}

function readDuration(min: number, value: unknown): ScalarResult {
  if (typeof value !== 'string')
    return { code: 'MT0106', message: `{} must be a duration such as 5s or 250ms, not ${describe(value)}` };
  const parsed = parseDuration(value);
  if (parsed === undefined)
    return { code: 'MT0106', message: `{} must be a duration such as 5s or 250ms, not "${shorten(value)}"` };
  // Binary fractions: 1.001s is 1000.9999999999999 ms before rounding to nanoseconds.
  const millis: Millis = Math.round(parsed * 1e6) / 1e6;
  if (millis < min) return { code: 'MT0106', message: `{} must be at least ${min}ms, not "${value}"` };
  if (!Number.isInteger(millis))
    return { code: 'MT0106', message: `{} must be in whole milliseconds, not "${value}"` };
  return { value: millis };
}

function readTimestamp(value: unknown): ScalarResult {
  const millis = typeof value === 'string' ? Date.parse(value) : Number.NaN;
  return Number.isNaN(millis) ? wrongType('a time such as 2024-01-01T00:00:00Z', value) : { value: millis };
}

function readBytes(value: unknown): ScalarResult {
  if (value instanceof Uint8Array) return { value };
  if (typeof value !== 'string') return wrongType('base64 text', value);
  try {
    const binary = atob(value.replace(/\s+/g, '').replaceAll('-', '+').replaceAll('_', '/'));
    return { value: Uint8Array.from(binary, (char) => char.charCodeAt(0)) };
  } catch {
    return { code: 'MT0101', message: '{} is not valid base64' };
  }
}

function readEnum(shape: Extract<Shape, { kind: 'enum' }>, value: unknown): ScalarResult {
  if (typeof value !== 'string') return wrongType(`one of ${shape.values.join(', ')}`, value);
  if (shape.values.includes(value)) return { value };
  const refused = shape.refused?.[value];
  if (refused !== undefined)
    return { code: 'MT0104', message: `{}: ${value} is not possible here: ${refused}` };
  const near = suggest(value, shape.values);
  const hint = near ? `; did you mean ${near}?` : `; it is one of ${shape.values.join(', ')}`;
  return { code: 'MT0104', message: `{}: unknown value "${shorten(value)}"${hint}` };
}

export function shorten(text: string): string {
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}
