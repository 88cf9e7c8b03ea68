// Compiled code kept between starts: most of what a start takes is compiling. `npm ci` fills it
// (scripts/warm-up.ts).
import { existsSync } from 'node:fs';
import { enableCompileCache } from 'node:module';
import { join } from 'node:path';

const modules = join(import.meta.dirname, '..', '..', 'node_modules');

/** In the checkout's own folder when there is one, else where Node keeps it. */
export function useCompileCache(): void {
  enableCompileCache(existsSync(modules) ? join(modules, '.cache', 'meltemi') : undefined);
}
