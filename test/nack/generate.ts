// A random value of a schema, mended until our own checks accept it.
import {
  type AnyConfig,
  catalogue,
  type IssueCode,
  type Kind,
  type KindDefinition,
  kinds,
  meshConfigSchema,
  readMeshConfig,
  readObject,
} from '../../src/config/index.ts';
import type { Random } from './random.ts';
import { durationOf, keyOf, numberOf, stringOf, valueOfMap, wholeMapOf } from './values.ts';

type Shape = (typeof meshConfigSchema)['shape'];
type MessageShape = Extract<Shape, { kind: 'message' }>;
type Field = MessageShape['fields'] extends ReadonlyMap<string, infer F> ? F : never;
type Json = Readonly<Record<string, unknown>>;
type Path = readonly (string | number)[];

const deepest = 9;

/**
 * Of the fields of one group, at most one is filled in: what excludes each other would mostly have to be
 * taken out again.
 */
const exclusive: readonly (readonly string[])[] = [
  ['route', 'redirect', 'directResponse', 'delegate'],
  ['exact', 'prefix', 'regex'],
  ['simple', 'consistentHash'],
  ['localityLbSetting', 'zoneAwareLbSetting'],
  ['warmup', 'warmupDurationSecs'],
  ['httpHeaderName', 'httpCookie', 'useSourceIp', 'httpQueryParameterName'],
  ['ringHash', 'maglev', 'minimumRingSize'],
  ['tunnel', 'proxyProtocol'],
  ['httpStatus', 'grpcStatus'],
  ['mirror', 'mirrors'],
  ['string', 'bytes'],
  ['endpoints', 'workloadSelector'],
];

/** Nearly always there, so that what hangs on them is reached. */
const usual: ReadonlySet<string> = new Set([
  'hosts',
  'http',
  'route',
  'match',
  'servers',
  'port',
  'number',
  'protocol',
  'name',
  'trafficPolicy',
  'ports',
  'resolution',
  'sniHosts',
  'fixedDelay',
  'percentage',
  'value',
  'host',
  'mode',
  'rules',
  'backendRefs',
  'parentRefs',
  'hashKey',
  'duration',
  'loadBalancer',
  'consistentHash',
  'httpHeaderName',
  'httpCookie',
  'useSourceIp',
  'httpQueryParameterName',
  'ringHash',
  'maglev',
  'minimumRingSize',
  'tableSize',
  'distribute',
  'from',
  'to',
  'gateways',
  'status',
]);

class Generator {
  readonly #random: Random;

  constructor(random: Random) {
    this.#random = random;
  }

  message(shape: MessageShape, depth: number): Json {
    const result: Record<string, unknown> = {};
    const left = new Set(
      exclusive.flatMap((group) => this.#leftOut(group.filter((name) => shape.fields.has(name)))),
    );
    for (const [name, field] of shape.fields) {
      if (left.has(name) || field.ignored !== undefined) continue;
      if (this.#random.chance(shareOf(name, field, depth)))
        result[name] = this.value(field.shape, { message: shape.name, field: name, depth: depth + 1 });
    }
    return result;
  }

  value(shape: Shape, at: { message: string; field: string; depth: number }): unknown {
    const random = this.#random;
    switch (shape.kind) {
      case 'message':
        return at.depth > deepest ? {} : this.message(shape, at.depth);
      case 'list':
        return random.times(1, 3, () => this.value(shape.item, at));
      case 'map':
        return (
          wholeMapOf(random, at.field) ??
          Object.fromEntries(
            random.times(1, 2, () => [
              keyOf(random, at.field),
              valueOfMap(random, at.field) ?? this.value(shape.value, at),
            ]),
          )
        );
      case 'string':
      case 'intOrString':
        return stringOf(random, at.message, at.field);
      case 'boolean':
        return random.chance(0.5);
      case 'number':
        return numberOf(random, at.message, at.field, shape.max ?? 1e9);
      case 'duration':
        return durationOf(random);
      case 'enum':
        return shape.values[random.integer(0, shape.values.length - 1)];
      case 'bytes':
        return 'Ynl0ZXM=';
      default:
        return undefined;
    }
  }

  #leftOut(group: readonly string[]): readonly string[] {
    if (group.length < 2) return [];
    // Most rules forward.
    const kept =
      group[group[0] === 'route' && this.#random.chance(0.5) ? 0 : this.#random.integer(0, group.length - 1)];
    return group.filter((name) => name !== kept);
  }
}

/** A resource that our checks accept; undefined when it could not be mended. */
export function randomResource(random: Random, kind: Kind, metadata: Json): AnyConfig | undefined {
  const definition: KindDefinition<unknown> = kinds[kind];
  let spec: unknown = new Generator(random).message(definition.schema.shape as MessageShape, 0);
  const apiVersion = definition.group
    ? `${definition.group}/${definition.versions[0]}`
    : definition.versions[0];
  for (let round = 0; round < 40; round++) {
    const { resource, findings } = readObject({
      apiVersion,
      kind: definition.writtenKind ?? kind,
      metadata,
      spec,
    });
    if (resource) return resource;
    spec = mended(spec, findings, 1);
    if (spec === undefined) return undefined;
  }
  return undefined;
}

export function randomMeshConfig(random: Random): NonNullable<ReturnType<typeof readMeshConfig>['value']> {
  let config: unknown = new Generator(random).message(meshConfigSchema.shape as MessageShape, 2);
  for (let round = 0; round < 40 && config !== undefined; round++) {
    const { value, findings } = readMeshConfig(config);
    if (value && !findings.some(isError)) return value;
    config = mended(config, findings, 0);
  }
  return {};
}

interface Finding {
  readonly code: IssueCode;
  readonly path: Path;
}

function isError({ code }: Finding): boolean {
  return catalogue[code].severity === 'error';
}

/**
 * Without what the first error is about: the field that it names, or the smallest thing around a field that
 * is missing.
 */
function mended(value: unknown, findings: readonly Finding[], skip: number): unknown {
  const wrong = findings.find(isError);
  return wrong && without(value, wrong.path.slice(skip));
}

/** How likely a field is to be set. */
function shareOf(name: string, field: Field, depth: number): number {
  if (field.required) return 1;
  if (field.noEffect !== undefined) return 0.02;
  return usual.has(name) ? 0.9 : 0.6 / (1 + depth / 4);
}

function without(value: unknown, [step, ...rest]: Path): unknown {
  if (step === undefined || typeof value !== 'object' || value === null) return undefined;
  const inner: unknown = Array.isArray(value) ? value[Number(step)] : (value as Json)[step];
  if (inner === undefined) return undefined;
  const changed = without(inner, rest);
  if (Array.isArray(value)) {
    const kept = changed === undefined ? [] : [changed];
    const items = value.flatMap((item, i) => (i === Number(step) ? kept : [item]));
    return items.length > 0 ? items : undefined;
  }
  const { [step]: _, ...others } = value as Json;
  return changed === undefined ? others : { ...others, [step]: changed };
}
