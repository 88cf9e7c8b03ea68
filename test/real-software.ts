// Tests with software that is not ours: where Envoy is, and what to do when something is not there.
import { existsSync } from 'node:fs';
import { installedEnvoy, prepareEngine } from '../conformance/runner/engine.ts';

const isCi = !['', '0', 'false', undefined].includes(process.env['CI']);

interface Needed {
  readonly isThere: () => boolean;
  readonly install: () => void;
  /** The tests, as the line about them says. */
  readonly tests: string;
  readonly advice: string;
}

/** What `test` takes as `skip`: in CI nothing is skipped, and what is not there is installed. */
export function reasonToSkipWithout({ isThere, install, tests, advice }: Needed): string | false {
  if (isThere()) return false;
  if (isCi) {
    install();
    return false;
  }
  process.stderr.write(`\n*** SKIPPED: ${tests}. Reason: ${advice}. ***\n\n`);
  return advice;
}

export function envoyBinary(): string | undefined {
  const own = process.env['ENVOY'];
  return own && existsSync(own) ? own : installedEnvoy();
}

export function reasonToSkipWithoutEnvoy(): string | false {
  return reasonToSkipWithout({
    isThere: () => envoyBinary() !== undefined,
    install: () => void prepareEngine('envoy'),
    tests: 'tests with a real Envoy',
    advice: 'no Envoy: set ENVOY, or run npm run conformance -- --engine envoy once',
  });
}
