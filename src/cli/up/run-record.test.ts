// What a run left behind that was ended by force: found by the next one for the same folder, and by no other.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { RunRecord } from './run-record.ts';

function places(t: TestContext): { readonly parent: string; readonly folder: string } {
  const parent = mkdtempSync(join(tmpdir(), 'meltemi-record-'));
  t.after(() => rmSync(parent, { recursive: true, force: true }));
  return { parent, folder: join(parent, 'mesh') };
}

/** A process of its own group that outlives whoever started it. */
function sleeper(t: TestContext): { readonly pid: number; readonly ended: Promise<unknown> } {
  const child = spawn('sleep', ['60'], { detached: true, stdio: 'ignore' });
  t.after(() => child.kill('SIGKILL'));
  return { pid: child.pid ?? 0, ended: once(child, 'exit') };
}

/** A run that records a process and ends without a word. */
function abandon(
  { parent, folder }: { readonly parent: string; readonly folder: string },
  pid: number,
): void {
  const program = `import { RunRecord } from ${JSON.stringify(join(import.meta.dirname, 'run-record.ts'))};
    new RunRecord(${JSON.stringify(folder)}, ${JSON.stringify(parent)}).add(${pid}); process.kill(process.pid, 'SIGKILL');`;
  spawnSync(process.execPath, ['--input-type=module', '-e', program]);
}

test('the next run ends what was left, once', async (t) => {
  const at = places(t);
  const { pid, ended } = sleeper(t);
  abandon(at, pid);
  assert.deepEqual(new RunRecord(join(at.parent, 'other'), at.parent).endLeftovers(), []);
  assert.deepEqual(new RunRecord(at.folder, at.parent).endLeftovers(), [pid]);
  await ended;
  assert.deepEqual(new RunRecord(at.folder, at.parent).endLeftovers(), []);
});

test('what a run that goes on has started stays', (t) => {
  const { parent, folder } = places(t);
  const { pid } = sleeper(t);
  const record = new RunRecord(folder, parent);
  record.add(pid);
  assert.deepEqual(new RunRecord(folder, parent).endLeftovers(), []);
  record.remove(pid);
  assert.deepEqual(readdirSync(join(parent, readdirSync(parent)[0] ?? '')), []);
});

test('records that others may write are not acted on', (t) => {
  const at = places(t);
  const { pid } = sleeper(t);
  mkdirSync(join(at.parent, `meltemi-up-${process.getuid?.() ?? 'user'}`));
  abandon(at, pid);
  chmodSync(join(at.parent, `meltemi-up-${process.getuid?.() ?? 'user'}`), 0o777);
  assert.deepEqual(new RunRecord(at.folder, at.parent).endLeftovers(), []);
});
