import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { catalogueDocument } from './index.ts';

test('docs/issues.md is what the catalogue says', () => {
  const written = readFileSync(join(import.meta.dirname, '../../docs/issues.md'), 'utf8');
  assert.equal(written, catalogueDocument(), 'run node scripts/issues-document.ts');
});
