// Writes docs/fields.md from the schemas of the kinds. Run it after a change of a field in src/config/kinds.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fieldsDocument } from '../src/config/index.ts';

writeFileSync(join(import.meta.dirname, '..', 'docs', 'fields.md'), fieldsDocument());
