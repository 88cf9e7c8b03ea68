// From parsed YAML or JSON to the typed value that a schema describes, with findings about everything that
// does not fit.
import { unreachable } from '../../base/index.ts';
import type { Findings } from './findings.ts';
import { fieldText } from './path.ts';
import { lineProblem, readScalar, shorten, wrongType } from './scalar.ts';
import type { FieldShape, MessageShape, Path, ResourceFacts, Schema, Shape } from './shape.ts';
import { suggest } from './suggest.ts';

/** The value, or undefined when nothing could be made of it. Whether it is usable, the findings say. */
export function decode<T>(
  schema: Schema<T>,
  value: unknown,
  at: { path: Path; resource: ResourceFacts; findings: Findings },
): T | undefined {
  const decoder = new Decoder(at.resource, at.findings, at.path);
  return decoder.value(schema.shape, value) as T | undefined;
}

type Record_ = Readonly<Record<string, unknown>>;

class Decoder {
  readonly #resource: ResourceFacts;
  readonly #findings: Findings;
  readonly #path: (string | number)[];
  /**
   * Values that did not fit so far. Rules run only on messages in which there are none, since they rely on
   * the types.
   */
  #misfits = 0;

  constructor(resource: ResourceFacts, findings: Findings, path: Path) {
    this.#resource = resource;
    this.#findings = findings;
    this.#path = [...path];
  }

  value(shape: Shape, value: unknown): unknown {
    switch (shape.kind) {
      case 'message':
        return this.#message(shape, value);
      case 'list':
        return this.#list(shape.item, value);
      case 'map':
        return this.#map(shape, value);
      case 'string':
      case 'boolean':
      case 'number':
      case 'duration':
      case 'timestamp':
      case 'bytes':
      case 'any':
      case 'intOrString':
      case 'enum':
        return this.#accept(readScalar(shape, value));
      default:
        return unreachable(shape);
    }
  }

  #message(shape: MessageShape, value: unknown): unknown {
    if (!isRecord(value)) return this.#accept(wrongType(`a map (${shape.name})`, value));
    const before = this.#misfits;
    // A field that is there with an unusable value stays in the map as undefined: it is wrong, not missing.
    const found = new Map<string, unknown>();
    for (const [key, item] of Object.entries(value)) this.#field(shape, key, item, found);
    for (const [key, field] of shape.fields) {
      if (field.required && (!found.has(key) || found.get(key) === ''))
        this.#missing(key, field, found.get(key));
    }
    const result: Record<string, unknown> = {};
    for (const [name, item] of found) if (item !== undefined) result[name] = item;
    if (this.#misfits === before) this.#check(shape, result);
    return result;
  }

  #field(shape: MessageShape, key: string, value: unknown, found: Map<string, unknown>): void {
    const name = shape.fields.has(key) ? key : shape.spellings.get(key);
    const field = name === undefined ? undefined : shape.fields.get(name);
    if (name === undefined || !field) {
      if (!shape.open) this.#unknown(shape, key);
      return;
    }
    if (value === null || value === undefined) return;
    this.#path.push(key);
    this.#remarks(field, value);
    found.set(name, this.value(field.shape, value));
    this.#path.pop();
  }

  #remarks(field: FieldShape, value: unknown): void {
    if (field.legacy)
      this.#findings.add(field.legacy.code, [...this.#path], `{} is from 2018; ${field.legacy.instead}`);
    if (field.deprecated !== undefined)
      this.#findings.add('MT0302', [...this.#path], `{} is deprecated; use ${field.deprecated}`);
    if (field.noEffect !== undefined && value !== '')
      this.#findings.add('MT0401', [...this.#path], `{} has no effect: ${field.noEffect}`);
  }

  #unknown(shape: MessageShape, key: string): void {
    const place = fieldText(this.#path);
    const near = suggest(key, shape.fields.keys());
    const where = place === '' || place === 'spec' ? `in ${this.#resource.kind}` : `in ${place}`;
    this.#findings.add(
      'MT0102',
      [...this.#path, key],
      `unknown field "${shorten(key)}" ${where}${near ? `; did you mean "${near}"?` : ''}`.replace(
        '{}',
        '{ }',
      ),
    );
  }

  #missing(key: string, field: FieldShape, value: unknown): void {
    this.#misfits++;
    const what = value === '' ? 'is empty' : 'is missing';
    this.#findings.add(
      'MT0103',
      [...this.#path, key],
      `{} ${what}; it is required${field.doc ? `: ${field.doc}` : ''}`,
    );
  }

  #check(shape: MessageShape, value: object): void {
    if (shape.rules.length === 0) return;
    const context = this.#findings.context(this.#resource, [...this.#path]);
    // The message decoded cleanly, so it has the type that its rules were written for.
    for (const rule of shape.rules) rule(value as never, context);
  }

  #list(item: Shape, value: unknown): unknown {
    if (!Array.isArray(value)) return this.#accept(wrongType('a list', value));
    const result: unknown[] = [];
    value.forEach((entry: unknown, index) => {
      this.#path.push(index);
      if (entry === null) this.#accept(wrongType('a value', entry));
      else result.push(this.value(item, entry));
      this.#path.pop();
    });
    return result;
  }

  #map(shape: Extract<Shape, { kind: 'map' }>, value: unknown): unknown {
    if (!isRecord(value)) return this.#accept(wrongType('a map', value));
    const entries: [string, unknown][] = [];
    for (const [key, raw] of Object.entries(value)) {
      this.#path.push(key);
      const item = raw === null && shape.emptyAsNull ? {} : raw;
      const problem = lineProblem(key);
      if (problem !== undefined) this.#accept({ code: 'MT0134', message: `the key {} ${problem}` });
      if (item === null)
        this.#accept({
          code: 'MT0101',
          message: `{} has no value${shape.value.kind === 'string' ? '; write "" for an empty one' : ''}`,
        });
      else entries.push([key, this.value(shape.value, item)]);
      this.#path.pop();
    }
    return Object.fromEntries(entries);
  }

  #accept(result: ReturnType<typeof readScalar>): unknown {
    if ('value' in result) return result.value;
    this.#misfits++;
    this.#findings.add(result.code, [...this.#path], result.message, result.said);
    return undefined;
  }
}

export function isRecord(value: unknown): value is Record_ {
  return (
    typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Uint8Array)
  );
}
