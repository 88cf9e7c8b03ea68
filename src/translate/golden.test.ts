// Golden pairs: testdata/NAME.in.yaml holds a client, the parts to show and a configuration; NAME.out.yaml
// what they become.
// UPDATE_GOLDENS=1 rewrites the outputs and deletes stale ones.
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parseDocument, stringify } from 'yaml';
import { translateText } from './testdata-mesh.ts';

const folder = join(import.meta.dirname, 'testdata');
const update = process.env['UPDATE_GOLDENS'] === '1';
const names = readdirSync(folder).flatMap((file) =>
  file.endsWith('.in.yaml') ? [file.slice(0, -'.in.yaml'.length)] : [],
);

for (const name of names) {
  test(name, () => {
    const [head = '', ...documents] = readFileSync(join(folder, `${name}.in.yaml`), 'utf8').split(/^---$/m);
    const actual = stringify(translateText(parseDocument(head).toJSON(), documents.join('---')), {
      lineWidth: 160,
      flowCollectionPadding: false,
    });
    const file = join(folder, `${name}.out.yaml`);
    if (update) writeFileSync(file, actual);
    assert.equal(
      actual,
      existsSync(file) ? readFileSync(file, 'utf8') : '',
      'run with UPDATE_GOLDENS=1 if the change is meant',
    );
  });
}

test('every output has an input', () => {
  const stale = readdirSync(folder).filter(
    (file) => file.endsWith('.out.yaml') && !names.includes(file.slice(0, -'.out.yaml'.length)),
  );
  if (update) for (const file of stale) rmSync(join(folder, file));
  assert.deepEqual(update ? [] : stale, []);
  assert.ok(names.length > 0);
});
