// YAML and JSON text to plain values: documents are split first, so that a broken one does not take the others with it; nothing throws.
import { CORE_SCHEMA, constructFromEvents, EVENT_ID, type Event, mergeTag, parseEvents, YAMLException } from 'js-yaml';
import type { IssueCode } from './catalogue.ts';
import { PositionMap } from './position.ts';

/** A part of a file between two `---`. `line` is where its text begins, 1-based. */
export interface Chunk {
  readonly text: string;
  readonly line: number;
}

export interface YamlProblem {
  readonly code: IssueCode;
  readonly message: string;
  readonly line: number;
  readonly column: number;
}

export type ParsedDocument = { readonly value: unknown; readonly positions: () => PositionMap } | { readonly problem: YamlProblem };

const schema = CORE_SCHEMA.withTags(mergeTag);
/** An alias bomb is small as text and huge when walked; a resource has a few hundred values, a Kubernetes List some hundred thousand. */
const mostValues = 5_000_000;
const mostDepth = 100;

/** A `---` in the first column ends a document whatever stands around it: https://yaml.org/spec/1.2.2/#rule-c-forbidden */
export function splitDocuments(text: string): Chunk[] {
  const chunks: Chunk[] = [];
  let start = 0;
  let line = 1;
  const push = (end: number): void => {
    const part = text.slice(start, end);
    if (hasContent(part)) chunks.push({ text: part, line });
    line += countLines(part);
    start = end;
  };
  for (const match of text.matchAll(/^---(?=[ \t\r\n]|$)/gm)) if (match.index > start) push(match.index);
  push(text.length);
  return chunks;
}

export function parseYaml(chunk: Chunk): ParsedDocument[] {
  const { text } = chunk;
  try {
    const events = parseEvents(text, { maxDepth: mostDepth });
    const values = constructFromEvents(events, { source: text, schema, maxAliases: 10_000 });
    if (events.some(isAlias) && values.some((value) => countValues(value, new Map()) > mostValues)) {
      return [
        {
          problem: {
            code: 'MT0003',
            message: 'the aliases of this document stand for too many values, or for themselves',
            line: chunk.line,
            column: 1,
          },
        },
      ];
    }
    let map: PositionMap | undefined;
    const positions = (): PositionMap => (map ??= new PositionMap(chunk, events));
    return values.map((value) => ({ value, positions }));
  } catch (error) {
    return [{ problem: toProblem(error, chunk) }];
  }
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

function toProblem(error: unknown, chunk: Chunk): YamlProblem {
  if (!(error instanceof YAMLException))
    return { code: 'MT0001', message: `cannot be read: ${String(error)}`, line: chunk.line, column: 1 };
  const line = chunk.line + (error.mark?.line ?? 0);
  const column = (error.mark?.column ?? 0) + 1;
  return { ...explain(error.reason, chunk.text, error.mark?.position ?? 0), line, column };
}

function explain(reason: string, text: string, position: number): { code: IssueCode; message: string } {
  if (reason.includes('duplicated mapping key')) {
    const key = /^["']?[^:\n"']*/.exec(text.slice(position, position + 80))?.[0] ?? '';
    return { code: 'MT0008', message: `the key ${key.replace(/^["']/, '')} is given twice` };
  }
  if (/depth|aliases|merge keys/i.test(reason)) return { code: 'MT0003', message: `too deep or too many aliases: ${reason}` };
  const lineText = text.slice(text.lastIndexOf('\n', position - 1) + 1, position + 1);
  const hint = /^\s*\t/.test(lineText) ? '; indent with spaces, YAML does not take tabs' : '';
  return { code: 'MT0001', message: `syntax: ${reason}${hint}` };
}

function hasContent(part: string): boolean {
  return !/^(?:---)?(?:[ \t\r\n]*(?:[#%][^\n]*)?(?:\n|$))*$/.test(part);
}

function countLines(text: string): number {
  let lines = 0;
  for (let i = text.indexOf('\n'); i !== -1; i = text.indexOf('\n', i + 1)) lines++;
  return lines;
}
