// Loads every command once, so that the first start of a fresh installation finds its code compiled.
import { flushCompileCache } from 'node:module';
import { useCompileCache } from '../src/cli/compile-cache.ts';

useCompileCache();
await Promise.all([
  import('../src/cli/commands/pilot.ts'),
  import('../src/cli/commands/proxy.ts'),
  import('../src/cli/commands/up.ts'),
  import('../src/cli/commands/validate.ts'),
]);
flushCompileCache();
