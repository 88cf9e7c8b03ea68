// For tests: which fields of Envoy's API differ between two versions of a resource, as `RouteAction.timeout`.
import {
  createRegistry,
  type DescMessage,
  equals,
  fromBinary,
  type Message,
  type Registry,
} from '@bufbuild/protobuf';
import { type ReflectMessage, reflect } from '@bufbuild/protobuf/reflect';
import { type Any, AnySchema } from '@bufbuild/protobuf/wkt';
import { deepEqual } from '../base/index.ts';
import type { EncodedResource } from './encoded-resource.ts';

type Version = EncodedResource | undefined;

/** Fields on the way to a difference count as well: `VirtualHost.routes`. */
export function touchedFields(registry: Registry, before: Version, after: Version): ReadonlySet<string> {
  const touched = new Touched(registry);
  const [a, b] = [before, after].map((one) => one && fromBinary(AnySchema, one.any));
  touched.anys(a, b);
  return touched.fields;
}

/** Whether the API has a field of this name, written as `touchedFields` does. */
export function knowsField(registry: Registry, name: string): boolean {
  if (Object.values(newer).includes(name)) return true;
  const parts = name.split('.');
  const path = parts.filter((part) => !isTypeName(part));
  const type = parts.filter(isTypeName).join('.');
  return messagesOf(registry).some((message) => namesOf(message).includes(type) && leadsOn(message, path));
}

/** Packages and fields are in lower case. */
function isTypeName(part: string): boolean {
  return /^[A-Z]/.test(part);
}

function leadsOn(message: DescMessage, [first, ...rest]: readonly string[]): boolean {
  const field = message.fields.find((one) => one.name === first);
  if (!field || rest.length === 0) return field !== undefined;
  return field.message !== undefined && leadsOn(field.message, rest);
}

/** Those of the registry, and all that their fields lead to. */
function messagesOf(registry: Registry): readonly DescMessage[] {
  const found = new Set<DescMessage>();
  const add = (message: DescMessage): void => {
    if (found.has(message)) return;
    found.add(message);
    for (const { message: inner } of message.fields) if (inner) add(inner);
  };
  for (const type of registry) if (type.kind === 'message') add(type);
  return [...found];
}

class Touched {
  readonly fields = new Set<string>();
  readonly #registry: Registry;

  constructor(registry: Registry) {
    this.#registry = registry;
  }

  anys(a: Any | undefined, b: Any | undefined): void {
    if (a && b && a.typeUrl !== b.typeUrl) {
      this.anys(a, undefined);
      this.anys(undefined, b);
      return;
    }
    const name = (a ?? b)?.typeUrl.split('/').at(-1) ?? '';
    const schema = this.#registry.getMessage(name);
    if (!schema) throw new Error(`${name} is not among the types of the test`);
    this.#messages(schema, [], a && fromBinary(schema, a.value), b && fromBinary(schema, b.value));
  }

  /** `paths`: what the message is called by way of the fields that lead to it. */
  #messages(
    schema: DescMessage,
    paths: readonly string[],
    a: Message | undefined,
    b: Message | undefined,
  ): void {
    if (schema.typeName === AnySchema.typeName) {
      this.anys(a as Any | undefined, b as Any | undefined);
      return;
    }
    const [left, right] = [a && reflect(schema, a), b && reflect(schema, b)];
    const names = [...namesOf(schema), ...paths];
    for (const field of schema.fields) {
      const pairs = [...pairsOf(field, left, right)];
      if (pairs.length === 0) continue;
      const inner = names.map((name) => `${name}.${field.name}`);
      for (const name of inner) this.fields.add(name);
      for (const [one, other] of pairs) this.#pair(inner, one?.message, other?.message);
    }
    for (const name of newerFields(a, b)) this.fields.add(name);
  }

  #pair(paths: readonly string[], a: ReflectMessage | undefined, b: ReflectMessage | undefined): void {
    const desc = (a ?? b)?.desc;
    if (desc) this.#messages(desc, paths, a?.message as Message, b?.message as Message);
  }
}

/** Without the package, and without the messages around it: `RouteAction.HashPolicy`, `HashPolicy`. */
function namesOf({ typeName }: DescMessage): readonly string[] {
  const name = typeName.split('.').filter(isTypeName).join('.');
  return [...new Set([name, name.slice(name.lastIndexOf('.') + 1)])];
}

/** Fields that the API has and our descriptors have not, by message and number: see newer-fields.ts. */
const newer: Readonly<Record<string, string>> = {
  'envoy.extensions.upstreams.http.v3.HttpProtocolOptions 8':
    'HttpProtocolOptions.outlier_detection.error_matcher',
  'envoy.config.cluster.v3.CircuitBreakers.Thresholds.RetryBudget 3': 'RetryBudget.budget_interval',
};

function newerFields(a: Message | undefined, b: Message | undefined): readonly string[] {
  const numbers = [...(a?.$unknown ?? []), ...(b?.$unknown ?? [])].map(({ no }) => no);
  const isSame = deepEqual(a?.$unknown ?? [], b?.$unknown ?? []);
  return isSame ? [] : numbers.flatMap((no) => newer[`${(a ?? b)?.$typeName} ${no}`] ?? []);
}

/** A value of a field, or of a list or map in it. */
interface Part {
  readonly key: string;
  readonly message?: ReflectMessage;
}

type Field = DescMessage['fields'][number];

/** What differs: each part with its counterpart, where it has one. */
function* pairsOf(
  field: Field,
  left: ReflectMessage | undefined,
  right: ReflectMessage | undefined,
): Generator<readonly [Part | undefined, Part | undefined]> {
  const [a, b] = [partsOf(field, left), partsOf(field, right)];
  // Parts that both have are of no interest, wherever they stand.
  const onlyA = a.filter((part) => !takeEqual(b, part));
  const onlyB = b;
  for (let i = 0; i < Math.max(onlyA.length, onlyB.length); i++) yield [onlyA[i], onlyB[i]];
}

function takeEqual(others: Part[], part: Part): boolean {
  const at = others.findIndex((other) => other.key === part.key && sameMessage(other.message, part.message));
  if (at >= 0) others.splice(at, 1);
  return at >= 0;
}

function sameMessage(a: ReflectMessage | undefined, b: ReflectMessage | undefined): boolean {
  if (!a || !b) return a === b;
  return equals(a.desc, a.message, b.message, { registry: createRegistry(), unknown: true });
}

function partsOf(field: Field, of: ReflectMessage | undefined): Part[] {
  if (!of?.isSet(field)) return [];
  switch (field.fieldKind) {
    case 'message':
      return [{ key: '', message: of.get(field) }];
    case 'list':
      return field.listKind === 'message'
        ? [...of.get(field)].map((item) => ({ key: '', message: item as ReflectMessage }))
        : [...of.get(field)].map((item) => ({ key: textOf(item) }));
    case 'map':
      return [...of.get(field)].map(([key, value]) =>
        field.mapKind === 'message'
          ? { key: String(key), message: value as ReflectMessage }
          : { key: `${String(key)} ${textOf(value)}` },
      );
    default:
      return [{ key: textOf(of.get(field)) }];
  }
}

function textOf(value: unknown): string {
  return value instanceof Uint8Array ? Buffer.from(value).toString('hex') : String(value);
}
