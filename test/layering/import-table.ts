// Reads the map of folders in ARCHITECTURE.md: who may import whom, and which folders are pure.

export interface Rule {
  readonly folder: string;
  /** Folders of src, and packages, that it may import. */
  readonly allowed: ReadonlySet<string>;
  readonly isPure: boolean;
}

/** A line of the map: `  folder/   description   allowed imports`, parted by two spaces or more. */
const line = /^ {2}([a-z-]+)\/ {2,}(.+?) {2,}(\S.*)$/;

/** The rules of the block that begins with a line such as `src/`. */
export function readImportTable(text: string, root = 'src/'): ReadonlyMap<string, Rule> {
  const rows = (blocks(text).get(root) ?? []).flatMap((row) => {
    const [, folder, description, imports] = line.exec(row) ?? [];
    return folder && description && imports ? [{ folder, description, imports: imports.trim() }] : [];
  });
  const folders = rows.map((row) => row.folder);
  return new Map(
    rows.map(({ folder, description, imports }) => [
      folder,
      { folder, allowed: new Set(allowedOf(imports, folders)), isPure: /;\s*pure$/.test(description) },
    ]),
  );
}

/** The folders whose own folders have a map, relative to src: `proxy`, `translate`. */
export function mappedFolders(text: string): readonly string[] {
  return [...blocks(text).keys()].flatMap((root) => /^src\/(.+)\/$/.exec(root)?.[1] ?? []);
}

/** The lines of each map below its heading, a folder at the start of a line. */
function blocks(text: string): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, string[]>();
  let rows: string[] | undefined;
  for (const row of text.split('\n')) {
    if (/^src\/(?:[a-z-]+\/)*$/.test(row)) {
      rows = [];
      found.set(row, rows);
    } else if (row.startsWith('```')) rows = undefined;
    else rows?.push(row);
  }
  return found;
}

/** Inner folders that the text calls pure: `route/, cluster/lb/ pure` in the row of their parent. */
export function innerPureFolders(text: string): readonly string[] {
  return text.split('\n').flatMap((row) => {
    const [, folder, description] = line.exec(row) ?? [];
    const list = /;\s*((?:[a-z-]+(?:\/[a-z-]+)*\/,?\s*)+)pure/.exec(description ?? '')?.[1];
    return list ? list.split(',').map((inner) => `${folder}/${inner.trim().replace(/\/$/, '')}`) : [];
  });
}

function allowedOf(imports: string, folders: readonly string[]): readonly string[] {
  if (imports === 'imports nothing') return [];
  const everything = [...folders, 'envoy-api'];
  const [, exceptions] = /^everything(?: but (.+))?$/.exec(imports) ?? [];
  if (!imports.startsWith('everything')) return imports.split(/[\s,]+/);
  return everything.filter((folder) => !exceptions?.split(/[\s,]+/).includes(folder));
}
