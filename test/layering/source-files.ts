// The imports of source files, and the files that import each other in a ring.
import { globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

export interface SourceFile {
  /** Relative to src. */
  readonly path: string;
  readonly code: string;
  readonly lines: number;
  /** What is imported, as it is written. */
  readonly specifiers: readonly string[];
  /** The files of src among them, those imported for their types alone included. */
  readonly imports: readonly string[];
  readonly isTest: boolean;
}

const specifier =
  /(?:^|[\s;}])(?:import|export)\s*(?:type\s+)?(?:[\w*{][^'";]*?\bfrom\s*)?['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]\s*\)/g;

export function readSources(root: string): readonly SourceFile[] {
  return globSync('**/*.ts', { cwd: root })
    .sort()
    .map((path) => sourceFile(path, readFileSync(join(root, path), 'utf8')));
}

export function sourceFile(path: string, text: string): SourceFile {
  const withoutComments = text.replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, '');
  const specifiers = [...withoutComments.matchAll(specifier)].flatMap(
    ([, from, dynamic]) => from ?? dynamic ?? [],
  );
  const imports = specifiers.filter((one) => one.startsWith('.')).map((one) => join(dirname(path), one));
  return {
    path,
    code: withoutComments,
    lines: text.split('\n').length,
    specifiers,
    imports,
    isTest: /\.test\.ts$/.test(path),
  };
}

/** The rings of files, each in order of import; imports of types count as well. */
export function cycles(
  files: readonly Pick<SourceFile, 'path' | 'imports'>[],
): readonly (readonly string[])[] {
  const graph = new Map(files.map((file) => [file.path, file.imports]));
  const found: string[][] = [];
  const state = new Map<string, 'open' | 'done'>();
  const trail: string[] = [];
  const visit = (path: string): void => {
    state.set(path, 'open');
    trail.push(path);
    for (const next of graph.get(path) ?? []) {
      if (state.get(next) === 'open') found.push([...trail.slice(trail.indexOf(next)), next]);
      else if (!state.has(next) && graph.has(next)) visit(next);
    }
    trail.pop();
    state.set(path, 'done');
  };
  for (const path of graph.keys()) if (!state.has(path)) visit(path);
  return found;
}
