// Files to resources. Everything that is wrong becomes an issue with its place; the rest of the input is read all the same.
import type { Issue, Origin } from '../base/index.ts';
import { catalogue, type IssueCode } from './catalogue.ts';
import { type AnyConfig, kinds } from './kinds/table.ts';
import type { Position, PositionMap } from './position.ts';
import { type ReadResult, readObject } from './read-object.ts';
import { isRecord, type Path, parsePath, pathText, type ResourceFacts } from './schema/index.ts';
import { parseYaml, splitDocuments } from './yaml.ts';

export interface ParseOptions {
  /** Longest text taken, in characters. */
  readonly mostCharacters?: number;
}

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

export function parseDocuments(text: string, file: string, options: ParseOptions = {}): ParsedResources {
  return parseFiles([{ file, text }], options);
}

/** All files of one load together: a resource given in two of them is found. */
export function parseFiles(sources: readonly SourceText[], options: ParseOptions = {}): ParsedResources {
  const load = new Load();
  for (const source of sources) load.file(source, options);
  return load;
}

/** Where a field of a resource stands in its file; `line` is the resource's own. */
export function locate(text: string, line: number, path: string): Position | undefined {
  const chunk = splitDocuments(withoutMark(text)).findLast((item) => item.line <= line);
  const document = chunk ? parseYaml(chunk)[0] : undefined;
  return document && 'value' in document ? document.positions().find(parsePath(path)) : undefined;
}

/** An issue about a field, found after parsing, with its position filled in from the text of the file. */
export function withPosition(issue: Issue, text: string): Issue {
  const position = issue.origin.line === undefined ? undefined : locate(text, issue.origin.line, issue.origin.path);
  return position ? { ...issue, origin: { ...issue.origin, ...position } } : issue;
}

class Load implements ParsedResources {
  readonly resources: AnyConfig[] = [];
  readonly rejected: Origin[] = [];
  readonly issues: Issue[] = [];
  readonly #seen = new Map<string, Origin>();

  file({ file, text }: SourceText, { mostCharacters = 100_000_000 }: ParseOptions): void {
    if (text.length > mostCharacters) {
      this.#problem('MT0003', { file }, `the file has more than ${mostCharacters} characters`);
      return;
    }
    if (text.includes('\0')) {
      this.#problem('MT0002', { file }, 'the file is not text: it holds binary data');
      return;
    }
    for (const chunk of splitDocuments(withoutMark(text))) {
      for (const document of parseYaml(chunk)) {
        if ('problem' in document)
          this.#problem(
            document.problem.code,
            { file, line: document.problem.line, column: document.problem.column },
            document.problem.message,
          );
        else this.#document(document.value, { file, line: firstLine(chunk) }, document.positions);
      }
    }
  }

  #document(value: unknown, place: { file: string; line: number }, positions: () => PositionMap): void {
    if (value === null || value === undefined) return;
    if (isRecord(value) && isList(value)) {
      value['items'].forEach((item, index) => {
        const path = ['items', index];
        this.#object(item, path, { file: place.file, line: positions().find(path).line }, positions);
      });
    } else this.#object(value, [], place, positions);
  }

  #object(value: unknown, path: Path, place: { file: string; line: number }, positions: () => PositionMap): void {
    const result = readObject(value, path, place);
    for (const finding of result.findings) {
      const origin = {
        ...originOf(result.facts),
        file: place.file,
        ...positions().find(beside(value, path, finding.path)),
        path: pathText(finding.path),
      };
      this.issues.push({ code: finding.code, severity: catalogue[finding.code].severity, origin, message: finding.message });
    }
    this.#keep(result, place, path, positions);
  }

  #keep({ resource, facts, findings }: ReadResult, place: { file: string; line: number }, path: Path, positions: () => PositionMap): void {
    const isOurs = facts.kind in kinds && facts.name !== '';
    const key = `${facts.kind}/${facts.namespace}/${facts.name}`;
    const first = isOurs ? this.#seen.get(key) : undefined;
    if (first) {
      const origin = {
        ...originOf(facts),
        ...positions().find([...path, 'metadata', 'name']),
        file: place.file,
        path: pathText([...path, 'metadata', 'name']),
      };
      const where = first.file === place.file ? `line ${first.line}` : `${first.file}:${first.line}`;
      this.issues.push({
        code: 'MT0007',
        severity: 'error',
        origin,
        message: `${facts.kind} ${facts.namespace}/${facts.name} is given twice; the first, ${where}, is used`,
      });
      return;
    }
    const origin: Origin = { ...originOf(facts), ...place };
    if (isOurs) this.#seen.set(key, origin);
    if (resource) this.resources.push(path.length === 0 ? resource : { ...resource, origin: { ...resource.origin, path: pathText(path) } });
    else if (findings.some((finding) => catalogue[finding.code].severity === 'error')) this.rejected.push(origin);
  }

  #problem(code: IssueCode, place: { file: string; line?: number; column?: number }, message: string): void {
    const origin: Origin = { kind: '', namespace: '', name: '', line: 1, column: 1, ...place, path: '' };
    this.issues.push({ code, severity: catalogue[code].severity, origin, message });
  }
}

function originOf({ kind, namespace, name }: ResourceFacts): Origin {
  return { kind, namespace, name, path: '' };
}

/** `status` is read as a part of the content, and stands beside `spec` in the file. */
function beside(value: unknown, base: Path, path: Path): Path {
  const [spec, field] = path.slice(base.length);
  const isBeside = spec === 'spec' && field === 'status' && isRecord(value) && 'status' in value && value['kind'] !== 'WorkloadGroup';
  return isBeside ? [...base, ...path.slice(base.length + 1)] : path;
}

function isList(value: Readonly<Record<string, unknown>>): value is { readonly kind: string; readonly items: readonly unknown[] } {
  return typeof value['kind'] === 'string' && value['kind'].endsWith('List') && Array.isArray(value['items']);
}

function firstLine(chunk: { readonly text: string; readonly line: number }): number {
  const blank = /^(?:---[ \t]*(?:#[^\n]*)?\r?\n)?(?:[ \t]*(?:#[^\n]*)?\r?\n)*/.exec(chunk.text)?.[0] ?? '';
  return chunk.line + (blank.match(/\n/g)?.length ?? 0);
}

function withoutMark(text: string): string {
  return text.startsWith('\ufeff') ? text.slice(1) : text;
}
