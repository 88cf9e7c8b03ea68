// Files to resources. Everything that is wrong becomes an issue with its place; the rest of the input is read
// all the same.
import type { Issue, Origin } from '../base/index.ts';
import { catalogue } from './catalogue.ts';
import type { AnyConfig } from './kinds/table.ts';
import { fileIssue, moved, type ParsedChunk, type ParsedObject, parseChunk } from './parse-chunk.ts';
import type { Position } from './position.ts';
import { parsePath, pathText } from './schema/index.ts';
import { parseYaml } from './yaml.ts';
import { type Chunk, splitDocuments } from './yaml-documents.ts';

export interface ParsedResources {
  readonly resources: readonly AnyConfig[];
  /** Resources with an error in them, so that whoever holds an earlier good version can keep it. */
  readonly rejected: readonly Origin[];
  readonly issues: readonly Issue[];
}

export interface SourceText {
  readonly file: string;
  readonly text: string;
}

/** What a file says, seen alone. */
export interface ParsedFile extends SourceText {
  readonly chunks: readonly { readonly chunk: Chunk; readonly parsed: ParsedChunk }[];
  readonly objects: readonly ParsedObject[];
  readonly issues: readonly Issue[];
  /** A part of it cannot be read, so it says nothing of what it held before. */
  readonly isDamaged: boolean;
}

/**
 * Parses a file document by document, a step each; documents that `before` has as well are not read again.
 */
export function* parseSteps({ file, text }: SourceText, before?: ParsedFile): Generator<void, ParsedFile> {
  if (text.includes('\0'))
    return unreadableFile(file, 'MT0002', 'the file is not text: it holds binary data');
  const known = new Map(before?.chunks.map((entry) => [entry.chunk.text, entry]));
  const chunks: { readonly chunk: Chunk; readonly parsed: ParsedChunk }[] = [];
  for (const chunk of splitDocuments(withoutMark(text))) {
    const old = known.get(chunk.text);
    chunks.push({
      chunk,
      parsed: old ? moved(old.parsed, chunk.line - old.chunk.line) : parseChunk(chunk, file),
    });
    yield;
  }
  return {
    file,
    text,
    chunks,
    objects: chunks.flatMap(({ parsed }) => parsed.objects),
    issues: chunks.flatMap(({ parsed }) => parsed.issues),
    isDamaged: chunks.some(({ parsed }) => parsed.isDamaged),
  };
}

export function parseFile(source: SourceText, before?: ParsedFile): ParsedFile {
  const steps = parseSteps(source, before);
  for (;;) {
    const { done, value } = steps.next();
    if (done) return value;
  }
}

export function parseDocuments(text: string, file: string): ParsedResources {
  return parseFiles([{ file, text }]);
}

/** All files of one load together: a resource given in two of them is found. */
export function parseFiles(sources: readonly SourceText[]): ParsedResources {
  const files = sources.map((source) => parseFile(source));
  const first = new Map<string, ParsedObject>();
  const resources: AnyConfig[] = [];
  const rejected: Origin[] = [];
  const issues = files.flatMap((file) => file.issues);
  for (const file of files) {
    for (const object of file.objects) {
      const earlier = object.id === '' ? undefined : first.get(object.id);
      if (earlier) issues.push(repeated(object, earlier, file));
      else {
        first.set(object.id, object);
        if (object.resource) resources.push(object.resource);
        else if (object.isRejected) rejected.push(object.origin);
      }
    }
  }
  return { resources, rejected, issues };
}

/** What there is to say of an object in `file` when `first` has its name already. */
export function repeated({ origin }: ParsedObject, first: ParsedObject, file: ParsedFile): Issue {
  const path = pathText([...parsePath(origin.path), 'metadata', 'name']);
  const where =
    first.origin.file === origin.file
      ? `line ${first.origin.line}`
      : `${first.origin.file}:${first.origin.line}`;
  return {
    code: 'MT0007',
    severity: catalogue.MT0007.severity,
    origin: { ...origin, ...locate(file, origin.line ?? 1, path), path },
    message: `${origin.kind} ${origin.namespace}/${origin.name} is given twice; the first, ${where}, is used`,
  };
}

/** Where a field of a resource stands in its file; `line` is the resource's own. */
export function locate({ chunks }: ParsedFile, line: number, path: string): Position | undefined {
  const chunk = chunks[lastAtOrBefore(chunks, line)]?.chunk;
  const document = chunk ? parseYaml(chunk)[0] : undefined;
  return document && 'value' in document ? document.positions().find(parsePath(path)) : undefined;
}

/**
 * An issue about a field, found after parsing, with its position filled in; its line so far is the
 * resource's.
 */
export function withPosition(issue: Issue, file: ParsedFile): Issue {
  const position =
    issue.origin.line === undefined ? undefined : locate(file, issue.origin.line, issue.origin.path);
  return position ? { ...issue, origin: { ...issue.origin, ...position } } : issue;
}

/** A file of which nothing can be read, for the reason given. */
export function unreadableFile(
  file: string,
  code: 'MT0002' | 'MT0003' | 'MT0010',
  message: string,
): ParsedFile {
  return {
    file,
    text: '',
    chunks: [],
    objects: [],
    issues: [fileIssue(code, code === 'MT0010' ? { file } : { file, line: 1, column: 1 }, message)],
    isDamaged: true,
  };
}

function lastAtOrBefore(chunks: ParsedFile['chunks'], line: number): number {
  let low = 0;
  let high = chunks.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((chunks[middle]?.chunk.line ?? 0) <= line) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

function withoutMark(text: string): string {
  return text.startsWith('\ufeff') ? text.slice(1) : text;
}
