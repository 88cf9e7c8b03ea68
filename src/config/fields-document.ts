// The page docs/fields.md, made from the schemas: every field of every kind, and what becomes of it.
import { MeshConfig } from './kinds/mesh-config.ts';
import { type KindDefinition, kinds } from './kinds/table.ts';
import type { FieldShape, MessageShape, Shape } from './schema/index.ts';

const introduction = `# Fields

Every field that is read, and what becomes of it: the field of Envoy's API that it is translated to (\`RouteAction.timeout\`), or what else it decides. A field
without effect says why; one marked † is reported to whoever sets it (MT0401). A field that is not listed is unknown and reported (MT0102), except in kinds of
Kubernetes and of Gateway API, of which only what is listed is looked at.

Messages that several kinds share stand under the first. This page is written by \`scripts/fields-document.ts\`; \`src/translate/every-field.test.ts\` changes each field of
Istio's kinds that claims an effect and sees that some proxy's resources change.
`;

export function fieldsDocument(): string {
  const seen = new Set<MessageShape>();
  const sections = [
    ...Object.entries<KindDefinition<unknown>>(kinds),
    ['MeshConfig', { schema: MeshConfig }] as const,
  ].map(([kind, definition]) => section(kind, definition, seen));
  return [introduction, ...sections].join('\n');
}

function section(
  kind: string,
  { schema, noEffect }: Pick<KindDefinition<unknown>, 'schema' | 'noEffect'>,
  seen: Set<MessageShape>,
): string {
  const why = noEffect ? `\nThe kind has no effect: ${noEffect}.\n` : '';
  const messages = messagesOf(schema.shape, seen).filter(({ fields }) => fields.size > 0);
  const tables = messages.map(
    (message) => `### ${message.name}\n\n| field | becomes |\n| --- | --- |\n${rows(message).join('\n')}\n`,
  );
  return [`## ${kind}\n${why}`, ...tables].join('\n');
}

/**
 * The messages of a shape that have not been listed yet, outer ones first. What lies below a field without
 * effect is left out.
 */
export function messagesOf(shape: Shape, seen: Set<MessageShape>): readonly MessageShape[] {
  if (shape.kind === 'list') return messagesOf(shape.item, seen);
  if (shape.kind === 'map') return messagesOf(shape.value, seen);
  if (shape.kind !== 'message' || seen.has(shape)) return [];
  seen.add(shape);
  const below = [...shape.fields.values()].filter(
    (field) => field.noEffect === undefined && field.ignored === undefined,
  );
  return [shape, ...below.flatMap((field) => messagesOf(field.shape, seen))];
}

function rows({ name, fields }: MessageShape): readonly string[] {
  return [...fields].map(
    ([key, field]) => `| ${key} | ${statement(name, key, field).replaceAll('|', '\\|')} |`,
  );
}

/** Throws when a field says nothing: that is a mistake in a schema. */
export function statement(message: string, key: string, field: FieldShape): string {
  if (field.noEffect !== undefined) return `no effect †: ${field.noEffect}`;
  if (field.ignored !== undefined) return `no effect: ${field.ignored}`;
  const inner = innerMessage(field.shape);
  const own = field.effect === undefined ? [] : [code(field.effect)];
  const parts = [...own, ...(inner ? [`see ${inner}`] : [])];
  if (parts.length === 0) throw new TypeError(`${message}.${key} does not say what becomes of it`);
  return parts.join('; ') + (field.deprecated === undefined ? '' : `. Deprecated: use ${field.deprecated}`);
}

/** Envoy's names stand out from the words around them. */
function code(effect: string): string {
  return effect.replace(/\b[A-Z]\w*(\.\w+)+\b|\b[a-z]+(_[a-z0-9]+)+\b/g, (name) => `\`${name}\``);
}

function innerMessage(shape: Shape): string | undefined {
  if (shape.kind === 'list') return innerMessage(shape.item);
  if (shape.kind === 'map') return innerMessage(shape.value);
  return shape.kind === 'message' ? shape.name : undefined;
}
