// Files as a source: what changed, what stays in force, and every kind of bad input.
import assert from 'node:assert/strict';
import { mkdtempSync, renameSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { ConfigUpdate } from './config-update.ts';
import { FileSource } from './files.ts';

const service = (name: string, port = 80): string =>
  `apiVersion: v1\nkind: Service\nmetadata: {name: ${name}}\nspec: {clusterIP: 10.0.0.1, ports: [{name: http, port: ${port}}]}\n`;

function folder(t: TestContext): { readonly path: string; write(name: string, text: string | Buffer): void } {
  const path = mkdtempSync(join(tmpdir(), 'meltemi-files-'));
  t.after(() => rmSync(path, { recursive: true }));
  return { path, write: (name, text) => writeFileSync(join(path, name), text) };
}

const names = (update: ConfigUpdate): unknown => ({
  changed: update.changed.map((object) => object.metadata.name),
  removed: update.removed.map((id) => id.name),
});

test('a load returns what differs from the one before', (t) => {
  const files = folder(t);
  files.write('a.yaml', `${service('a')}---\n${service('b')}`);
  const source = new FileSource({ paths: [files.path] });
  assert.deepEqual(names(source.load()), { changed: ['a', 'b'], removed: [] });
  assert.deepEqual(names(source.load()), { changed: [], removed: [] });
  files.write('a.yaml', service('a', 81));
  assert.deepEqual(names(source.load()), { changed: ['a'], removed: ['b'] });
});

test('a resource moves from file to file without leaving', (t) => {
  const files = folder(t);
  files.write('a.yaml', service('a'));
  const source = new FileSource({ paths: [files.path] });
  source.load();
  renameSync(join(files.path, 'a.yaml'), join(files.path, 'z.yaml'));
  assert.deepEqual(source.load().removed, []);
  assert.equal(source.found, 1);
});

const aliasBomb = `a: &a [x,x,x,x,x,x,x,x,x,x]\n${Array.from(
  { length: 9 },
  (_, i) =>
    `b${i}: &b${i} [${Array(10)
      .fill(i === 0 ? '*a' : `*b${i - 1}`)
      .join(',')}]`,
).join('\n')}\n`;

const badInputs: readonly {
  readonly name: string;
  readonly text: string | Buffer;
  readonly code: RegExp | undefined;
}[] = [
  { name: 'an empty file', text: '', code: undefined },
  { name: 'a binary file', text: Buffer.from([0, 1, 2, 255, 254, 0, 10]), code: /MT0002/ },
  {
    name: 'a file cut off in the middle',
    text: 'apiVersion: v1\nkind: Service\nmetadata: {name: a',
    code: /MT0001/,
  },
  {
    name: 'a key given twice',
    text: 'apiVersion: v1\nkind: Service\nkind: Service\nmetadata: {name: a}\n',
    code: /MT0008/,
  },
  { name: 'an alias bomb', text: aliasBomb, code: /MT0003/ },
  { name: 'deep nesting', text: `${'['.repeat(5000)}${']'.repeat(5000)}`, code: /MT000[13]/ },
  { name: 'ten megabytes of one text', text: `x: ${'y'.repeat(10_000_000)}\n`, code: /MT00(04|11)/ },
  {
    name: 'a wrong field',
    text: 'apiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec: {ports: seven}\n',
    code: /MT0101/,
  },
];

for (const { name, text, code } of badInputs) {
  test(`bad input: ${name} is a finding, and what another file holds stays`, (t) => {
    const files = folder(t);
    files.write('good.yaml', service('good'));
    const source = new FileSource({ paths: [files.path] });
    source.load();
    files.write('bad.yaml', text);
    const update = source.load();
    assert.deepEqual(names(update), { changed: [], removed: [] });
    if (code) assert.match(update.issues.map((issue) => issue.code).join(), code);
    else assert.deepEqual(update.issues, []);
    for (const issue of update.issues) assert.equal(issue.origin.file, join(files.path, 'bad.yaml'));
  });

  test(`bad input: ${name} in place of a good file leaves the last good version in force`, (t) => {
    const files = folder(t);
    files.write('a.yaml', service('a'));
    const source = new FileSource({ paths: [files.path] });
    source.load();
    files.write('a.yaml', text);
    const { changed, removed } = source.load();
    assert.deepEqual(changed, []);
    // An empty file says that there is nothing any more; a damaged one says nothing.
    const said = typeof text === 'string' && (text === '' || text.startsWith('x: '));
    assert.deepEqual(
      removed.map((id) => id.name),
      said ? ['a'] : [],
    );
    assert.equal(source.found, said ? 0 : 1);
  });
}

test('the same name twice: the first stays, the second is a finding at its line', (t) => {
  const files = folder(t);
  files.write('a.yaml', `${service('a', 80)}---\n${service('a', 81)}`);
  const source = new FileSource({ paths: [files.path] });
  const { changed, issues } = source.load();
  assert.equal(changed.length, 1);
  assert.deepEqual(
    issues.map((issue) => [issue.code, issue.origin.line]),
    [['MT0007', 8]],
  );
});

test('what cannot be read is a finding', (t) => {
  const files = folder(t);
  symlinkSync(join(files.path, 'nowhere'), join(files.path, 'dangling.yaml'));
  const codes = (paths: readonly string[]): readonly string[] =>
    new FileSource({ paths }).load().issues.map((issue) => issue.code);
  assert.deepEqual(codes([files.path]), ['MT0010']);
  assert.deepEqual(codes([join(files.path, 'missing')]), ['MT0010']);
});

test('an edit is noticed', async (t) => {
  const files = folder(t);
  files.write('a.yaml', service('a'));
  const source = new FileSource({ paths: [files.path], quietMs: 1 });
  t.after(() => source.close());
  source.load();
  const seen = new Promise<ConfigUpdate>((resolve) =>
    source.watch((update) => update.changed.length > 0 && resolve(update)),
  );
  files.write('b.yaml', service('b'));
  assert.deepEqual(names(await seen), { changed: ['b'], removed: [] });
  const gone = new Promise<ConfigUpdate>((resolve) =>
    source.watch((update) => update.removed.length > 0 && resolve(update)),
  );
  unlinkSync(join(files.path, 'b.yaml'));
  assert.deepEqual(names(await gone), { changed: [], removed: ['b'] });
});
