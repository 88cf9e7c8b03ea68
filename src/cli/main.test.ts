// The command line as scripts meet it: exit codes, and messages that say what to do.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';

const main = join(import.meta.dirname, 'main.ts');

function meltemi(args: readonly string[]): Promise<{ readonly code: number; readonly output: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, [main, ...args], { timeout: 60_000 }, (error, stdout, stderr) => {
      resolve({ code: typeof error?.code === 'number' ? error.code : 0, output: stdout + stderr });
    });
  });
}

const cases: readonly { readonly args: readonly string[]; readonly code: number; readonly says: RegExp }[] = [
  { args: ['--help'], code: 0, says: /up \[options\] <folder>/ },
  { args: ['--version'], code: 0, says: /^\d+\.\d+\.\d+$/m },
  { args: ['nope'], code: 2, says: /unknown command 'nope'/ },
  { args: ['validate'], code: 2, says: /missing required argument 'path'/ },
  { args: ['validate', 'no-such-file.yaml'], code: 2, says: /MT0010/ },
  { args: ['pilot', '--help'], code: 0, says: /Examples:/ },
  { args: ['pilot', '--config', 'no-such-folder'], code: 2, says: /there is no such file or folder/ },
  { args: ['pilot', '--unknown'], code: 2, says: /unknown option '--unknown'/ },
  { args: ['proxy'], code: 2, says: /give a bootstrap with -c FILE/ },
  {
    args: ['proxy', '-c', 'no-such-file.json'],
    code: 2,
    says: /no-such-file\.json is not a bootstrap that can be read/,
  },
  { args: ['proxy', '--config-yaml', '{"node": 7}'], code: 2, says: /is not a bootstrap that can be read/ },
  { args: ['up', 'no-such-folder'], code: 2, says: /there is no folder no-such-folder/ },
];

test('exit codes and messages', { concurrency: 2 }, async (t) => {
  await Promise.all(
    cases.map(({ args, code, says }) =>
      t.test(`meltemi ${args.join(' ')}`, async () => {
        const result = await meltemi(args);
        assert.match(result.output, says);
        assert.equal(result.code, code);
        assert.doesNotMatch(result.output, /^\s+at .*\.ts:\d+/m, 'a stack trace is no message');
      }),
    ),
  );
});
