// What pure files reach by their imports, and theirs: no module of the system, none but known packages.
import type { SourceFile } from './source-files.ts';

/** What only an edge of the program may touch. */
const impure =
  /(?<![\w.$#])(?:process\.(?:env|argv|exit|cwd|pid|platform|std\w+|hrtime|on|once)\b|console\.|Date\.now\(|new Date\(\)|performance\.now\(|Math\.random\(|setTimeout\(|setInterval\()/;

/** Of the files alone. */
export function impurities(files: readonly SourceFile[]): readonly string[] {
  return files.flatMap((file) => {
    const modules = file.specifiers
      .filter((one) => one.startsWith('node:'))
      .map((one) => `${file.path} imports ${one}`);
    const used = impure.exec(withoutStrings(file.code));
    return used ? [...modules, `${file.path} uses ${used[0]}`] : modules;
  });
}

export interface Reach {
  readonly files: readonly SourceFile[];
  /** Where the walk begins. */
  readonly from: readonly SourceFile[];
}

/** The trails of imports, for types alone included, that lead to each file. */
export function reached({ files, from }: Reach): ReadonlyMap<string, readonly string[]> {
  const byPath = new Map(files.map((file) => [file.path, file]));
  const trails = new Map(from.map(({ path }) => [path, [path]]));
  for (const [path, trail] of trails)
    for (const next of byPath.get(path)?.imports ?? [])
      if (byPath.has(next) && !trails.has(next)) trails.set(next, [...trail, next]);
  return trails;
}

/** What is impure in anything that is reached, and by which way. */
export function reachedImpurities(reach: Reach): readonly string[] {
  const trails = reached(reach);
  return reach.files.flatMap((file) => {
    const trail = trails.get(file.path);
    return trail ? impurities([file]).map((found) => told(found, trail)) : [];
  });
}

/** Packages other than these that anything reached imports. */
export function reachedPackages(reach: Reach, allowed: RegExp): readonly string[] {
  const trails = reached(reach);
  return reach.files.flatMap(({ path, specifiers }) => {
    const trail = trails.get(path);
    const others = specifiers.filter((one) => !/^(?:\.|node:)/.test(one) && !allowed.test(one));
    return trail ? others.map((one) => told(`${path} imports ${one}`, trail)) : [];
  });
}

function told(found: string, trail: readonly string[]): string {
  return trail.length > 1 ? `${found} (by way of ${trail.slice(0, -1).join(' -> ')})` : found;
}

function withoutStrings(code: string): string {
  return code.replace(/'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"/g, "''").replace(/\/\/.*$/gm, '');
}
