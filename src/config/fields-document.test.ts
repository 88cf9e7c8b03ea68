import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fieldsDocument } from './index.ts';

test('docs/fields.md is what the schemas say', () => {
  const written = readFileSync(join(import.meta.dirname, '../../docs/fields.md'), 'utf8');
  assert.equal(written, fieldsDocument(), 'run node scripts/fields-document.ts');
});
