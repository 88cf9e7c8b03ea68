// Writes docs/issues.md from the catalogue of findings. Run it after a change of src/config/catalogue.ts.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { catalogueDocument } from '../src/config/index.ts';

writeFileSync(join(import.meta.dirname, '..', 'docs', 'issues.md'), catalogueDocument());
