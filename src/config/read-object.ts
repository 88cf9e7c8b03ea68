// One object, already parsed from YAML or JSON, to a resource: kind and version, metadata, content, checks.
import type { Origin } from '../base/index.ts';
import { type AnyConfig, type Kind, type KindDefinition, kinds } from './kinds/table.ts';
import type { Metadata } from './object.ts';
import {
  anything,
  boolean,
  decode,
  type Finding,
  Findings,
  field,
  ignored,
  isRecord,
  list,
  mapOf,
  message,
  number,
  type Path,
  type ResourceFacts,
  required,
  string,
  suggest,
  text,
  timestamp,
} from './schema/index.ts';

export interface ReadResult {
  /** Present when the object is of a kind that is read and nothing in it is an error. */
  readonly resource?: AnyConfig;
  /** Who it is, as far as that could be read. */
  readonly facts: ResourceFacts;
  readonly findings: readonly Finding[];
}

const metadataSchema = message(
  'ObjectMeta',
  {
    name: required(string, 'names of other resources lead to it'),
    namespace: field(string, 'names of other resources lead to it'),
    labels: field(mapOf(string), 'what selectors look at'),
    annotations: field(mapOf(text), 'those of Istio that concern traffic'),
    creationTimestamp: field(timestamp, 'the older of two that claim the same thing keeps it'),
    deletionTimestamp: ignored(timestamp, 'for people'),
    generation: ignored(number, 'for people'),
    resourceVersion: ignored(string, 'for people'),
    uid: ignored(string, 'for people'),
    ownerReferences: list(
      message(
        'OwnerReference',
        {
          kind: required(string, 'for people'),
          name: required(string, 'for people'),
          apiVersion: ignored(string, 'for people'),
          uid: ignored(string, 'for people'),
          controller: ignored(boolean, 'for people'),
        },
        { open: true },
      ),
    ),
    finalizers: ignored(anything, 'for Kubernetes'),
  },
  { open: true },
);

const nobody: ResourceFacts = { kind: '', namespace: '', name: '', labels: {}, annotations: {} };

export function readObject(
  value: unknown,
  base: Path = [],
  origin: Pick<Origin, 'file' | 'line'> = {},
): ReadResult {
  const findings = new Findings();
  const kind = isRecord(value) ? recogniseKind(value, base, findings) : undefined;
  if (!isRecord(value)) findings.add('MT0011', base, 'this document is not a resource: it is not a map');
  if (!isRecord(value) || !kind) return { facts: factsOf(value, ''), findings: findings.all };
  const definition: KindDefinition<unknown> = kinds[kind];
  const facts = factsOf(value, kind, definition);
  const metadata = readMetadata(value['metadata'], {
    definition,
    facts,
    path: [...base, 'metadata'],
    findings,
  });
  checkBeside(value, { definition, facts, path: base, findings });
  const spec = readContent(value, { definition, facts, path: base, findings });
  if (findings.hasError || !metadata) return { facts, findings: findings.all };
  const place: Origin = { kind, namespace: metadata.namespace, name: metadata.name, path: '', ...origin };
  // The schema of the kind has vouched for the content.
  const resource = {
    kind,
    apiVersion: String(value['apiVersion']),
    metadata,
    spec,
    origin: place,
  } as unknown as AnyConfig;
  return { resource, facts, findings: findings.all };
}

interface Place {
  readonly definition: KindDefinition<unknown>;
  readonly facts: ResourceFacts;
  readonly path: Path;
  readonly findings: Findings;
}

function readMetadata(value: unknown, place: Place): Metadata | undefined {
  const { path, facts, findings, definition } = place;
  if (!isRecord(value)) {
    findings.add('MT0009', path, 'the resource has no metadata; write metadata: {name: …}');
    return undefined;
  }
  const before = findings.all.length;
  const decoded = decode(metadataSchema, value, { path, resource: facts, findings });
  if (!decoded || findings.all.length > before) return undefined;
  // https://kubernetes.io/docs/concepts/overview/working-with-objects/names/
  if (decoded.name.length > 253 || !/^[a-zA-Z0-9:]([-_.:a-zA-Z0-9]*[a-zA-Z0-9:])?$/.test(decoded.name)) {
    findings.add(
      'MT0009',
      [...path, 'name'],
      `the name "${decoded.name.slice(0, 80)}" is not possible: letters, digits, "-" and "." only, 253 at most`,
    );
  }
  checkAnnotations(decoded.annotations ?? {}, place);
  const { finalizers: _, ...kept } = decoded;
  return {
    ...kept,
    namespace: definition.clusterScoped ? '' : facts.namespace,
    labels: decoded.labels ?? {},
    annotations: decoded.annotations ?? {},
  };
}

/** Annotations that Istio's webhook refuses from users. */
function checkAnnotations(
  annotations: Readonly<Record<string, string>>,
  { path, findings, definition }: Place,
): void {
  if (!definition.group.endsWith('istio.io')) return;
  const refused = [
    'istio.io/dry-run',
    'internal.istio.io/parents',
    'internal.istio.io/parent-namespace',
    'internal.istio.io/webhook-always-reject',
  ];
  for (const key of refused) {
    if (annotations[key] !== undefined)
      findings.add(
        'MT0009',
        [...path, 'annotations', key],
        `the annotation ${key} is not possible on this kind`,
      );
  }
}

function readContent(
  value: Readonly<Record<string, unknown>>,
  { definition, facts, path, findings }: Place,
): unknown {
  const { schema, content } = definition;
  if (content === 'root') {
    const { apiVersion: _a, kind: _k, metadata: _m, ...rest } = value;
    return decode(schema, rest, { path, resource: facts, findings });
  }
  const spec = value['spec'] ?? {};
  if (content === 'spec' || !isRecord(spec))
    return decode(schema, spec, { path: [...path, 'spec'], resource: facts, findings });
  const beside = Object.fromEntries(
    content.filter((key) => isRecord(value[key])).map((key) => [key, value[key]]),
  );
  return decode(schema, { ...spec, ...beside }, { path: [...path, 'spec'], resource: facts, findings });
}

/** What stands beside `spec`, mostly one level too far left. */
function checkBeside(value: Readonly<Record<string, unknown>>, { definition, path, findings }: Place): void {
  const { content, schema } = definition;
  if (content === 'root') return;
  const fields = schema.shape.kind === 'message' ? schema.shape.fields : new Map<string, unknown>();
  for (const key of Object.keys(value)) {
    if (besideSpec.has(key) || content.includes(key)) continue;
    const hint = fields.has(key) ? '; it belongs below spec' : suggestion(key);
    findings.add('MT0102', [...path, key], `unknown field "${key.slice(0, 80)}" beside spec${hint}`);
  }
}

function suggestion(key: string): string {
  const near = suggest(key, besideSpec);
  return near ? `; did you mean "${near}"?` : '';
}

const besideSpec: ReadonlySet<string> = new Set(['apiVersion', 'kind', 'metadata', 'spec', 'status']);

function factsOf(value: unknown, kind: string, definition?: KindDefinition<unknown>): ResourceFacts {
  if (!isRecord(value)) return nobody;
  const metadata = isRecord(value['metadata']) ? value['metadata'] : {};
  const word = (key: string): string => (typeof metadata[key] === 'string' ? metadata[key] : '');
  return {
    kind: kind || (typeof value['kind'] === 'string' ? value['kind'] : ''),
    name: word('name'),
    namespace: definition?.clusterScoped ? '' : word('namespace') || 'default',
    labels: stringsOf(metadata['labels']),
    annotations: stringsOf(metadata['annotations']),
  };
}

function stringsOf(value: unknown): Readonly<Record<string, string>> {
  if (!isRecord(value)) return {};
  return Object.fromEntries(
    Object.entries(value).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  );
}

function recogniseKind(
  value: Readonly<Record<string, unknown>>,
  base: Path,
  findings: Findings,
): Kind | undefined {
  const { kind, apiVersion } = value;
  if (typeof kind !== 'string' || kind === '' || typeof apiVersion !== 'string' || apiVersion === '') {
    reportNameless(kind, apiVersion, base, findings);
    return undefined;
  }
  const [group, version] = splitVersion(apiVersion);
  const found = byGroupAndKind.get(`${group}/${kind}`);
  if (!found) return reportUnknown(kind, apiVersion, group, base, findings);
  const versions: readonly string[] = kinds[found].versions;
  if (versions.includes(version)) {
    const definition: KindDefinition<unknown> = kinds[found];
    if (definition.noEffect) findings.add('MT0401', base, `${kind} has no effect: ${definition.noEffect}`);
    return found;
  }
  const known = versions.map((item) => (group === '' ? item : `${group}/${item}`)).join(', ');
  findings.add('MT0006', [...base, 'apiVersion'], `{}: ${kind} has no version "${version}"; write ${known}`);
  return undefined;
}

function reportNameless(kind: unknown, apiVersion: unknown, base: Path, findings: Findings): void {
  if (kind === undefined && apiVersion === undefined)
    findings.add('MT0011', base, 'this document is not a resource: it has neither apiVersion nor kind');
  else if (typeof kind !== 'string' || kind === '')
    findings.add('MT0004', [...base, 'kind'], 'the resource has no kind');
  else findings.add('MT0004', [...base, 'apiVersion'], `the ${kind.slice(0, 80)} has no apiVersion`);
}

/** Kinds of the Gateway API that are no misspelling of one that is read. */
const otherGatewayKinds = ['UDPRoute', 'XListenerSet'];
/** Kinds of Istio on which somebody may rely, and which do nothing here. */
const istioKindsNotRead = [
  'EnvoyFilter',
  'AuthorizationPolicy',
  'RequestAuthentication',
  'Telemetry',
  'WasmPlugin',
  'TrafficExtension',
];

function reportUnknown(
  kind: string,
  apiVersion: string,
  group: string,
  base: Path,
  findings: Findings,
): undefined {
  const sameGroup = [...byGroupAndKind.keys()]
    .filter((key) => key.startsWith(`${group}/`))
    .map((key) => key.slice(group.length + 1));
  const otherKind =
    group === '' || istioKindsNotRead.includes(kind) || otherGatewayKinds.includes(kind)
      ? undefined
      : suggest(kind, sameGroup);
  const otherGroup = groupsOfIstioKind.get(kind)
    ? suggest(group, groupsOfIstioKind.get(kind) ?? [])
    : undefined;
  const name = `${apiVersion.slice(0, 80)} ${kind.slice(0, 80)}`;
  if (istioKindsNotRead.includes(kind) && group.endsWith('istio.io'))
    findings.add('MT0402', base, `${kind} is not supported: this resource has no effect`);
  else if (group === '' && kind === 'Endpoints')
    findings.add(
      'MT0402',
      base,
      'Endpoints are not read: write an EndpointSlice with the label kubernetes.io/service-name',
    );
  else if (otherKind)
    findings.add(
      'MT0012',
      [...base, 'kind'],
      `${group} has no kind "${kind}" that is read here; did you mean "${otherKind}"?`,
    );
  else if (otherGroup)
    findings.add(
      'MT0012',
      [...base, 'apiVersion'],
      `unknown API group "${group}"; did you mean "${otherGroup}"?`,
    );
  else findings.add('MT0005', base, `${name} is not read here`);
  return undefined;
}

const groupsOfIstioKind: ReadonlyMap<string, readonly string[]> = new Map(
  Object.entries(kinds)
    .filter(([, { group }]) => group.endsWith('istio.io'))
    .map(([kind, { group }]) => [kind, [group]]),
);

const byGroupAndKind: ReadonlyMap<string, Kind> = new Map(
  (Object.keys(kinds) as Kind[]).map((kind) => {
    const definition: KindDefinition<unknown> = kinds[kind];
    return [`${definition.group}/${definition.writtenKind ?? kind}`, kind];
  }),
);

function splitVersion(apiVersion: string): [group: string, version: string] {
  const slash = apiVersion.indexOf('/');
  return slash === -1 ? ['', apiVersion] : [apiVersion.slice(0, slash), apiVersion.slice(slash + 1)];
}
