// What a view lists, it can make: for every configuration of the golden pairs.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parseDocument } from 'yaml';
import { readMeshConfig } from '../config/index.ts';
import { meshOfText, type TestHead, testClient } from './testdata-mesh.ts';

const folder = join(import.meta.dirname, 'testdata');
const listed = ['cluster', 'listener'] as const;

for (const file of readdirSync(folder).filter((name) => name.endsWith('.in.yaml')))
  test(file, () => {
    const [head = '', ...documents] = readFileSync(join(folder, file), 'utf8').split(/^---$/m);
    const { mesh = {}, client } = parseDocument(head).toJSON() as TestHead;
    const { translator } = meshOfText(documents.join('---'), readMeshConfig(mesh).value ?? {});
    const view = translator.viewOf({ ...testClient, ...client });
    assert.equal(translator.viewOf({ ...testClient, ...client }), view);
    for (const type of listed) {
      const names = translator.names(type, view).get();
      assert.equal(new Set(names).size, names.length, `${type} names are listed once`);
      for (const name of names)
        assert.equal(translator.resource(type, view, name).get()?.name, name, `${type} ${name}`);
    }
  });
