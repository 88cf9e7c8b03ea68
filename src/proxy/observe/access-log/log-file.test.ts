import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { LinePlan } from '../../plan/access-log/access-log-plan.ts';
import { AccessLogs } from './access-logs.ts';
import { LogFile } from './log-file.ts';

const folder = mkdtempSync(join(tmpdir(), 'meltemi-log-'));
after(() => rmSync(folder, { recursive: true }));
const at = (name: string): string => join(folder, name);

test('lines wait, and are written when the file is closed', () => {
  const file = new LogFile(at('a'));
  file.write('one\n');
  assert.equal(readFileSync(at('a'), 'utf8'), '');
  file.close();
  assert.equal(readFileSync(at('a'), 'utf8'), 'one\n');
});

test('bytes are written as they are', () => {
  const file = new LogFile(at('bytes'));
  file.write(`${Buffer.from('é').toString('latin1')}\n`);
  file.close();
  assert.equal(readFileSync(at('bytes'), 'utf8'), 'é\n');
});

test('a file that was moved away is made anew', () => {
  const file = new LogFile(at('b'));
  file.write('one\n');
  renameSync(at('b'), at('b.1'));
  file.reopen();
  file.write('two\n');
  file.close();
  assert.deepEqual([readFileSync(at('b.1'), 'utf8'), readFileSync(at('b'), 'utf8')], ['one\n', 'two\n']);
});

test('logs of one path share a file, and one that cannot be opened is a problem', () => {
  const logs = new AccessLogs(() => 0);
  const line: LinePlan = { kind: 'text', format: ['x\n'], omitEmpty: false };
  const plan = { name: 'x', path: at('shared'), line, filter: undefined };
  const problems: string[] = [];
  const log = logs.open([plan, plan], problems);
  log?.({
    request: { method: '', path: '', authority: '', scheme: '', get: () => undefined, getAll: () => [] },
  });
  logs.close();
  assert.equal(readFileSync(at('shared'), 'utf8'), 'x\nx\n');
  assert.deepEqual(problems, []);
  logs.open([{ ...plan, path: at('none/here') }], problems);
  assert.match(problems.join(), /^unable to open file/);
  assert.equal(logs.open([], problems), undefined);
});
