// Rules for the folders inside a folder: who imports whom, no rings among them, and what is for tests stays with tests.
import { dirname } from 'node:path';
import type { Rule } from './import-table.ts';
import { cycles, type SourceFile } from './source-files.ts';

export function innerFolderOf(root: string, path: string): string | undefined {
  const [folder, ...rest] = path.startsWith(`${root}/`) ? path.slice(root.length + 1).split('/') : [];
  return rest.length > 0 ? folder : undefined;
}

/** Files that stand in the root itself may be imported by all of it, and import all of it. */
export function forbiddenInside(
  root: string,
  inner: ReadonlyMap<string, Rule>,
  all: readonly SourceFile[],
): readonly string[] {
  return all.flatMap((file) => {
    const folder = innerFolderOf(root, file.path) ?? '';
    const targets = new Set(file.imports.flatMap((path) => innerFolderOf(root, path) ?? []));
    return [...targets]
      .filter((target) => target !== folder && !inner.get(folder)?.allowed.has(target))
      .map((target) => `${file.path} imports ${root}/${target}`);
  });
}

/** Rings among the folders of one folder. */
export function knots(all: readonly SourceFile[]): readonly string[] {
  const roots = new Set(all.map(({ path }) => dirname(dirname(path))).filter((path) => path !== '.'));
  return [...roots].flatMap((root) => {
    const edges = new Map<string, Set<string>>();
    for (const file of all) {
      const folder = innerFolderOf(root, file.path);
      if (folder === undefined) continue;
      const targets = edges.get(folder) ?? new Set();
      edges.set(folder, targets);
      for (const path of file.imports) {
        const target = innerFolderOf(root, path);
        if (target !== undefined && target !== folder) targets.add(target);
      }
    }
    const graph = [...edges].map(([path, targets]) => ({ path, imports: [...targets] }));
    return cycles(graph).map((ring) => `${root}: ${ring.join(' -> ')}`);
  });
}

/** Stand-ins and test data lie beside the tests that use them. */
export function isForTests(path: string): boolean {
  return /(?:^|\/)(?:testing\/|fake-|testdata-)/.test(path);
}

export function testImports({ path, imports }: SourceFile): readonly string[] {
  return imports.filter(isForTests).map((target) => `${path} imports ${target}`);
}
