// `npm run check`: everything that needs neither root nor network: format, lint, types, layering, unit tests.
import { binary, type Counts, conclude, tests, testsTogether, together } from './steps.ts';

/** Tests under `test/` that start whole programs, ours or others', are left to CI. */
const unit = testsTogether(
  'unit',
  'src/**/*.test.ts',
  'conformance/runner/**/*.test.ts',
  'test/corpora/**/*.test.ts',
);

export function check(): Promise<Counts> {
  return together([
    { name: 'format and lint', command: [binary('biome'), 'check', '--error-on-warnings'] },
    { name: 'types', command: [binary('tsc'), '--noEmit'] },
    tests('layering', 'test/layering/*.test.ts'),
    unit,
  ]);
}

if (import.meta.main) conclude(await check());
