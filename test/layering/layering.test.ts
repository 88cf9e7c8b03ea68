// Keeps the source to the map in ARCHITECTURE.md: who imports whom, what stays pure, and no file that imports
// itself in the end.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import { innerPureFolders, mappedFolders, readImportTable } from './import-table.ts';
import { forbiddenInside, innerFolderOf, isForTests, knots, testImports } from './inner-folders.ts';
import { impurities, reachedImpurities, reachedPackages } from './purity.ts';
import { cycles, readSources, type SourceFile, sourceFile } from './source-files.ts';

const checkout = resolve(import.meta.dirname, '../..');
const architecture = readFileSync(join(checkout, 'ARCHITECTURE.md'), 'utf8');
const rules = readImportTable(architecture);
const pureFolders = [
  ...[...rules.values()].filter((rule) => rule.isPure).map((rule) => rule.folder),
  ...innerPureFolders(architecture),
];
const files = readSources(join(checkout, 'src'));
const product = files.filter((file) => !file.isTest);
/** Without stand-ins, which may import what tests may. */
const shipped = product.filter(({ path }) => !isForTests(path));

const folderOf = (path: string): string => path.split('/')[0] ?? '';
const isPure = (file: SourceFile): boolean =>
  pureFolders.some((folder) => file.path.startsWith(`${folder}/`));
const packageOf = (specifier: string): string | undefined => /^@meltemi\/([a-z-]+)/.exec(specifier)?.[1];

function report(title: string, violations: readonly string[]): void {
  assert.equal(violations.length, 0, `${title}\n  ${violations.join('\n  ')}`);
}

function forbiddenEdges(all: readonly SourceFile[]): readonly string[] {
  return all.flatMap((file) => {
    const folder = folderOf(file.path);
    const allowed = rules.get(folder)?.allowed;
    const targets = [
      ...file.imports.map(folderOf),
      ...file.specifiers.flatMap((one) => packageOf(one) ?? []),
    ];
    return [...new Set(targets)]
      .filter((target) => target !== folder && !allowed?.has(target))
      .map((target) => `${file.path} imports ${target}`);
  });
}

/** Of a folder; the proxy has a second one, behind which nothing runs. */
const doors = /^(?:[a-z-]+\/index|proxy\/pure)\.ts$/;

function bypasses(all: readonly SourceFile[]): readonly string[] {
  return all.flatMap((file) =>
    file.imports
      .filter((path) => folderOf(path) !== folderOf(file.path) && !doors.test(path))
      .map((path) => `${file.path} imports ${path}, past its folder's index.ts`),
  );
}

/** The limit for files; the linter has the one for functions. */
const maxLines = 500;

function tooLong(all: readonly SourceFile[]): readonly string[] {
  return all.filter(({ lines }) => lines > maxLines).map(({ path, lines }) => `${path}: ${lines}`);
}

test('every folder of src has a row in the map, and every row a folder', () => {
  const present = [...new Set(product.map((file) => folderOf(file.path)))].sort();
  assert.deepEqual([...rules.keys()].sort(), present);
  assert.ok(
    pureFolders.includes('translate') && pureFolders.includes('proxy/decide'),
    `pure: ${pureFolders.join(' ')}`,
  );
});

test('folders import only what their row allows', () => {
  report('edges that the map does not have:', forbiddenEdges(product));
});

for (const root of mappedFolders(architecture)) {
  const inner = readImportTable(architecture, `src/${root}/`);
  const own = shipped.filter((file) => innerFolderOf(root, file.path) !== undefined);

  test(`every folder of ${root} has a row in its map, and every row a folder`, () => {
    const present = [...new Set(own.flatMap((file) => innerFolderOf(root, file.path) ?? []))].sort();
    assert.deepEqual([...inner.keys()].sort(), present);
  });

  test(`folders of ${root} import only what their row allows`, () => {
    report('edges that the map does not have:', forbiddenInside(root, inner, own));
  });
}

test('no folders that stand side by side import each other in a ring', () => {
  report('knots:', knots(shipped));
});

test('what is for tests is imported by tests alone', () => {
  const imports = shipped.flatMap(testImports);
  report('of the product:', imports);
});

test('a folder is imported through its index.ts', () => {
  report('imports that go past it:', bypasses(product));
});

test('no file imports itself by way of others', () => {
  report(
    'rings of imports:',
    cycles(product).map((ring) => ring.join(' -> ')),
  );
});

test('pure folders reach nothing of the outside world, by whatever way', () => {
  report('impure:', reachedImpurities({ files: product, from: product.filter(isPure) }));
});

test("the proxy's pure door stands in front of known packages only", () => {
  const inner = product.filter(({ path }) => /^proxy\/(?:pure\.ts$|plan\/|decide\/|codec\/)/.test(path));
  const reach = { files: product, from: inner };
  const allowed = /^(?:@meltemi\/envoy-api|@bufbuild\/protobuf|re2js$|ipaddr\.js$)/;
  report('impure:', [...reachedImpurities(reach), ...reachedPackages(reach, allowed)]);
});

test('files stay short enough to hold in mind', () => {
  report(`longer than ${maxLines} lines:`, tooLong(files));
});

test('the checks find what they are for', () => {
  assert.deepEqual(
    tooLong([sourceFile('mesh/long.ts', '\n'.repeat(maxLines)), sourceFile('mesh/short.ts', '')]),
    ['mesh/long.ts: 501'],
  );
  const bad = sourceFile(
    'mesh/bad.ts',
    "import { readFileSync } from 'node:fs';\nimport type { X } from '../proxy/http/request.ts';\nconst now = Date.now();\nawait import('../cli/main.ts');\n",
  );
  assert.deepEqual(bad.imports, ['proxy/http/request.ts', 'cli/main.ts']);
  assert.deepEqual(forbiddenEdges([bad]), ['mesh/bad.ts imports proxy', 'mesh/bad.ts imports cli']);
  assert.equal(bypasses([bad]).length, 2);
  assert.deepEqual(
    cycles([sourceFile('a/x.ts', "import './y.ts';"), sourceFile('a/y.ts', "export * from './x.ts';")]),
    [['a/x.ts', 'a/y.ts', 'a/x.ts']],
  );
  const [up, down] = [
    sourceFile('mesh/a/x.ts', "import '../b/y.ts';"),
    sourceFile('mesh/b/z.ts', "import '../a/w.ts';"),
  ];
  assert.deepEqual(knots([up, down]), ['mesh: a -> b -> a']);
  const rows = new Map([['a', { folder: 'a', allowed: new Set<string>(), isPure: false }]]);
  assert.deepEqual(forbiddenInside('mesh', rows, [up]), ['mesh/a/x.ts imports mesh/b']);
  assert.deepEqual(testImports(sourceFile('mesh/x.ts', "import './fake-y.ts';")), [
    'mesh/x.ts imports mesh/fake-y.ts',
  ]);
  assert.deepEqual(impurities([bad]), ['mesh/bad.ts imports node:fs', 'mesh/bad.ts uses Date.now(']);
  const good = sourceFile('mesh/good.ts', "import type { Y } from './middle.ts';");
  const middle = sourceFile('mesh/middle.ts', "import './bad.ts';\nimport 'left-pad';");
  const reach = { files: [good, middle, bad], from: [good] };
  assert.deepEqual(reachedImpurities(reach), [
    'mesh/bad.ts imports node:fs (by way of mesh/good.ts -> mesh/middle.ts)',
    'mesh/bad.ts uses Date.now( (by way of mesh/good.ts -> mesh/middle.ts)',
  ]);
  assert.deepEqual(reachedPackages(reach, /^right-pad/), [
    'mesh/middle.ts imports left-pad (by way of mesh/good.ts)',
  ]);
});
