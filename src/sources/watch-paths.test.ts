import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { watchPaths } from './watch-paths.ts';

const folder = mkdtempSync(join(tmpdir(), 'meltemi-watch-'));
const file = join(folder, 'a.yaml');
writeFileSync(file, 'first');

let wake = (): void => {};
after(() => rmSync(folder, { recursive: true, force: true }));

function replace(text: string): void {
  writeFileSync(join(folder, '.a.swap'), text);
  renameSync(join(folder, '.a.swap'), file);
}

for (const { name, path, change } of [
  { name: 'a file written in place', path: folder, change: (text: string) => writeFileSync(file, text) },
  { name: 'a file that an editor replaces', path: folder, change: replace },
  { name: 'a file given by name that an editor replaces', path: file, change: replace },
  {
    name: 'a file in a folder that came later',
    path: folder,
    change: (text: string) => {
      mkdirSync(join(folder, 'later'), { recursive: true });
      writeFileSync(join(folder, 'later', 'b.yaml'), text);
    },
  },
]) {
  test(`${name} is noticed, each time`, { timeout: 5000 }, async () => {
    const stop = watchPaths([path], () => wake());
    for (const text of ['one', 'two', 'three']) {
      const noticed = new Promise<void>((resolve) => {
        wake = resolve;
      });
      change(text);
      await noticed;
      // What else the change caused is over once nothing has come for a while.
      await quiet(50);
    }
    stop();
  });
}

async function quiet(ms: number): Promise<void> {
  for (let again = true; again; ) {
    again = await new Promise<boolean>((resolve) => {
      const timer = setTimeout(() => resolve(false), ms);
      wake = () => {
        clearTimeout(timer);
        resolve(true);
      };
    });
  }
}
