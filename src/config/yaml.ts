// One YAML or JSON document to plain values; nothing throws.
import {
  CORE_SCHEMA,
  constructFromEvents,
  EVENT_ID,
  type Event,
  mergeTag,
  parseEvents,
  YAMLException,
} from 'js-yaml';
import type { IssueCode } from './catalogue.ts';
import { type Repaired, readRepaired } from './flow-indentation.ts';
import { PositionMap } from './position.ts';
import type { Chunk } from './yaml-documents.ts';

export interface YamlProblem {
  readonly code: IssueCode;
  readonly message: string;
  readonly line: number;
  readonly column: number;
}

export type ParsedDocument =
  | { readonly value: unknown; readonly positions: () => PositionMap }
  | { readonly problem: YamlProblem };

const schema = CORE_SCHEMA.withTags(mergeTag);
/**
 * An alias bomb is small as text and huge when walked; a resource has a few hundred values, a Kubernetes List
 * some hundred thousand.
 */
const mostValues = 5_000_000;
const mostDepth = 100;
/** Of one document: it is read in one go, and everything else waits meanwhile. */
const mostCharacters = 32_000_000;

/** The values of a document: one, or several where the text holds `...`. */
export function parseYaml(chunk: Pick<Chunk, 'text' | 'line'>): ParsedDocument[] {
  if (chunk.text.length > mostCharacters)
    return [
      problem(
        chunk,
        'MT0003',
        `a document of more than ${mostCharacters} characters: give it as several documents`,
      ),
    ];
  const repaired = readRepaired(
    chunk.text,
    (text) => parseEvents(text, { maxDepth: mostDepth }),
    lineOfIndentation,
  );
  if ('error' in repaired) return [{ problem: toProblem(repaired.error, chunk.line, repaired) }];
  const { text, padding, value: events } = repaired;
  try {
    const values = constructFromEvents(events, { source: text, schema, maxAliases: 10_000 });
    if (events.some(isAlias) && values.some((value) => countValues(value, new Map()) > mostValues))
      return [
        problem(chunk, 'MT0003', 'the aliases of this document stand for too many values, or for themselves'),
      ];
    let map: PositionMap | undefined;
    const positions = (): PositionMap =>
      (map ??= new PositionMap({ text, line: chunk.line, padding }, events));
    return values.map((value) => ({ value, positions }));
  } catch (error) {
    return [{ problem: toProblem(error, chunk.line, repaired) }];
  }
}

function lineOfIndentation(error: unknown): number | undefined {
  return error instanceof YAMLException && error.reason === 'deficient indentation'
    ? error.mark?.line
    : undefined;
}

function problem({ line }: Pick<Chunk, 'line'>, code: IssueCode, message: string): ParsedDocument {
  return { problem: { code, message, line, column: 1 } };
}

function isAlias(event: Event): boolean {
  return event.type === EVENT_ID.ALIAS;
}

/** Values as a walk would meet them, aliases followed; infinite for a value that contains itself. */
function countValues(value: unknown, known: Map<object, number>): number {
  if (typeof value !== 'object' || value === null) return 1;
  const seen = known.get(value);
  if (seen !== undefined) return seen;
  known.set(value, Number.POSITIVE_INFINITY);
  let count = 1;
  for (const item of Object.values(value)) count += countValues(item, known);
  known.set(value, count);
  return count;
}

function toProblem(error: unknown, firstLine: number, { text, padding }: Repaired): YamlProblem {
  if (!(error instanceof YAMLException))
    return { code: 'MT0001', message: `cannot be read: ${String(error)}`, line: firstLine, column: 1 };
  const { line = 0, column = 0, position = 0 } = error.mark ?? {};
  return {
    ...explain(error.reason, text, position),
    line: firstLine + line,
    column: Math.max(0, column - (padding.get(line) ?? 0)) + 1,
  };
}

function explain(reason: string, text: string, position: number): { code: IssueCode; message: string } {
  if (reason.includes('duplicated mapping key')) {
    const key = /^["']?[^:\n"']*/.exec(text.slice(position, position + 80))?.[0] ?? '';
    return { code: 'MT0008', message: `the key ${key.replace(/^["']/, '')} is given twice` };
  }
  if (/depth|aliases|merge keys/i.test(reason))
    return { code: 'MT0003', message: `too deep or too many aliases: ${reason}` };
  const lineText = text.slice(text.lastIndexOf('\n', position - 1) + 1, position + 1);
  const hint = /^\s*\t/.test(lineText) ? '; indent with spaces, YAML does not take tabs' : '';
  return { code: 'MT0001', message: `syntax: ${reason}${hint}` };
}
