// One document of a file to the objects in it. Everything that is wrong becomes an issue with its place.
import type { Issue, Origin } from '../base/index.ts';
import { catalogue, type IssueCode } from './catalogue.ts';
import { type AnyConfig, kinds } from './kinds/table.ts';
import type { PositionMap } from './position.ts';
import { readObject } from './read-object.ts';
import { type Finding, isRecord, type Path, pathText, type ResourceFacts } from './schema/index.ts';
import { parseYaml } from './yaml.ts';
import type { Chunk } from './yaml-documents.ts';

/** An object as its document gives it, right or wrong. */
export interface ParsedObject {
  /**
   * `kind/namespace/name` of an object of a kind that is read here; empty for any other, and for one without
   * a name.
   */
  readonly id: string;
  readonly origin: Origin;
  /** Absent when something in it is an error, or when it is of no kind that is read. */
  readonly resource?: AnyConfig;
  /** It has an error in it, so that whoever holds an earlier good version can keep that. */
  readonly isRejected: boolean;
}

export interface ParsedChunk {
  readonly objects: readonly ParsedObject[];
  readonly issues: readonly Issue[];
  /** Nothing can be said of what it holds. */
  readonly isDamaged: boolean;
}

export function parseChunk(chunk: Chunk, file: string): ParsedChunk {
  const reader = new ChunkReader(file);
  for (const document of parseYaml(chunk)) {
    if ('problem' in document) {
      const { code, line, column, message } = document.problem;
      return {
        ...reader,
        issues: [...reader.issues, fileIssue(code, { file, line, column }, message)],
        isDamaged: true,
      };
    }
    reader.document(document.value, chunk.contentLine, document.positions);
  }
  // Who it is that has the error is not known: it may be anyone that the document held before.
  const isNameless = reader.issues.some(({ severity, origin }) => severity === 'error' && origin.name === '');
  return { objects: reader.objects, issues: reader.issues, isDamaged: isNameless };
}

/** The same chunk, so many lines further down. */
export function moved(chunk: ParsedChunk, lines: number): ParsedChunk {
  if (lines === 0) return chunk;
  const move = (origin: Origin): Origin =>
    origin.line === undefined ? origin : { ...origin, line: origin.line + lines };
  return {
    ...chunk,
    objects: chunk.objects.map(({ resource, ...object }) => ({
      ...object,
      origin: move(object.origin),
      ...(resource ? { resource: { ...resource, origin: move(resource.origin) } } : {}),
    })),
    issues: chunk.issues.map((issue) => ({ ...issue, origin: move(issue.origin) })),
  };
}

/** A finding about a file, or a place in it, rather than about a resource. */
export function fileIssue(
  code: IssueCode,
  place: { file: string; line?: number; column?: number },
  message: string,
): Issue {
  return {
    code,
    severity: catalogue[code].severity,
    origin: { kind: '', namespace: '', name: '', path: '', ...place },
    message,
  };
}

class ChunkReader {
  readonly objects: ParsedObject[] = [];
  readonly issues: Issue[] = [];
  readonly #file: string;

  constructor(file: string) {
    this.#file = file;
  }

  document(value: unknown, line: number, positions: () => PositionMap): void {
    if (value === null || value === undefined) return;
    if (!isRecord(value) || !isList(value)) {
      this.#object(value, [], line, positions);
      return;
    }
    value['items'].forEach((item, index) => {
      const path = ['items', index];
      this.#object(item, path, positions().find(path).line, positions);
    });
  }

  #object(value: unknown, path: Path, line: number, positions: () => PositionMap): void {
    const place = { file: this.#file, line };
    const { facts, findings, resource } = readObject(value, path, place);
    const origin: Origin = { ...originOf(facts), ...place, path: pathText(path) };
    const issues = findings.map((finding): Issue => {
      const { code, path: field } = finding;
      const position = positions().find(beside(value, path, field));
      const place = { ...origin, ...position, path: pathText(field) };
      return {
        code,
        severity: catalogue[code].severity,
        origin: place,
        message: messageOf(finding, positions),
      };
    });
    this.issues.push(...issues);
    const id =
      facts.kind in kinds && facts.name !== '' ? `${facts.kind}/${facts.namespace}/${facts.name}` : '';
    const isRejected = !resource && issues.some((issue) => issue.severity === 'error');
    this.objects.push({ id, origin, isRejected, ...(resource ? { resource: { ...resource, origin } } : {}) });
  }
}

function originOf({ kind, namespace, name }: ResourceFacts): Origin {
  return { kind, namespace, name, path: '' };
}

/**
 * Advice repeats what is written: `1.10` in a file is the number 1.1, and would be another label in quotes.
 */
function messageOf({ message, said, path }: Finding, positions: () => PositionMap): string {
  const written = said === undefined ? undefined : positions().textOf(path);
  if (said === undefined || written === undefined || written === said) return message;
  const about = message.indexOf(' must be ');
  return message.slice(0, about) + message.slice(about).replaceAll(said, written);
}

/** `status` is read as a part of the content, and stands beside `spec` in the file. */
function beside(value: unknown, base: Path, path: Path): Path {
  const [spec, field] = path.slice(base.length);
  const isBeside =
    spec === 'spec' &&
    field === 'status' &&
    isRecord(value) &&
    'status' in value &&
    value['kind'] !== 'WorkloadGroup';
  return isBeside ? [...base, ...path.slice(base.length + 1)] : path;
}

function isList(
  value: Readonly<Record<string, unknown>>,
): value is { readonly kind: string; readonly items: readonly unknown[] } {
  return typeof value['kind'] === 'string' && value['kind'].endsWith('List') && Array.isArray(value['items']);
}
