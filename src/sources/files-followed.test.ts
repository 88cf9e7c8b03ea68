// A source that follows its files: real folders, real edits, in all the ways in which programs make them.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import type { ConfigUpdate } from './config-update.ts';
import { FileSource } from './files.ts';

const graceMs = 150;

/** A followed folder and what its updates have added up to. */
class Followed {
  readonly folder: string;
  readonly source: FileSource;
  readonly inForce = new Map<string, string>();
  readonly everRemoved: string[] = [];
  issues: ConfigUpdate['issues'] = [];
  #wake: () => void = () => {};

  constructor(
    t: TestContext,
    prepare: (folder: string) => void,
    paths: (folder: string) => readonly string[] = (folder) => [folder],
    quietMs = 5,
  ) {
    const parent = mkdtempSync(join(tmpdir(), 'meltemi-followed-'));
    this.folder = join(parent, 'config');
    mkdirSync(this.folder);
    prepare(this.folder);
    this.source = new FileSource({ paths: paths(this.folder), quietMs, graceMs });
    t.after(() => {
      this.source.close();
      rmSync(parent, { recursive: true, force: true });
    });
    this.#take(this.source.load());
    this.source.watch((update) => this.#take(update));
  }

  at(name: string): string {
    return join(this.folder, name);
  }

  write(name: string, text: string): void {
    writeFileSync(this.at(name), text);
  }

  /** Resolves once this holds. */
  async until(condition: () => boolean): Promise<void> {
    while (!condition())
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
  }

  names(): string {
    return [...this.inForce.keys()].sort().join();
  }

  #take({ changed, removed, issues }: ConfigUpdate): void {
    for (const { name } of removed) {
      this.inForce.delete(name);
      this.everRemoved.push(name);
    }
    for (const object of changed) this.inForce.set(object.metadata.name, JSON.stringify(object.spec));
    this.issues = issues;
    this.#wake();
  }
}

const service = (name: string, port = 80): string =>
  `apiVersion: v1\nkind: Service\nmetadata: {name: ${name}}\nspec: {clusterIP: 10.0.0.1, ports: [{name: http, port: ${port}}]}\n`;
const one = (folder: string): void => writeFileSync(join(folder, 'a.yaml'), service('a'));
const two = (folder: string): void =>
  writeFileSync(join(folder, 'a.yaml'), `${service('a')}---\n${service('b')}`);

const edits: readonly { readonly name: string; readonly edit: (folder: string, text: string) => void }[] = [
  { name: 'written in place', edit: (folder, text) => writeFileSync(join(folder, 'a.yaml'), text) },
  {
    name: 'replaced, as editors do',
    edit: (folder, text) => {
      writeFileSync(join(folder, '.a.swap'), text);
      renameSync(join(folder, '.a.swap'), join(folder, 'a.yaml'));
    },
  },
  {
    name: 'unlinked and made anew, as git does',
    edit: (folder, text) => {
      unlinkSync(join(folder, 'a.yaml'));
      writeFileSync(join(folder, 'a.yaml'), text);
    },
  },
];

for (const { name, edit } of edits) {
  for (const root of ['the folder', 'the file']) {
    test(`a file that is ${name} is noticed each time, followed by ${root}`, { timeout: 5000 }, async (t) => {
      const followed = new Followed(t, one, (folder) => [
        root === 'the file' ? join(folder, 'a.yaml') : folder,
      ]);
      for (const port of [81, 82, 83]) {
        edit(followed.folder, service('a', port));
        await followed.until(() => followed.inForce.get('a')?.includes(`${port}`) === true);
      }
      assert.deepEqual(followed.everRemoved, []);
    });
  }
}

for (const { name, edit } of edits) {
  test(`a file that is ${name} after a calm moment waits for no quiet time, whatever number of events that is`, {
    timeout: 5000,
  }, async (t) => {
    const followed = new Followed(t, one, (folder) => [folder], 60_000);
    edit(followed.folder, service('a', 81));
    await followed.until(() => followed.inForce.get('a')?.includes('81') === true);
  });
}

test('files in a folder that came later are noticed', { timeout: 5000 }, async (t) => {
  const followed = new Followed(t, one);
  mkdirSync(followed.at('later/deeper'), { recursive: true });
  followed.write('later/deeper/b.yaml', service('b'));
  await followed.until(() => followed.names() === 'a,b');
  followed.write('later/deeper/b.yaml', service('b', 81));
  await followed.until(() => followed.inForce.get('b')?.includes('81') === true);
});

const removals: readonly {
  readonly name: string;
  readonly remove: (folder: string) => void;
  readonly restore: (folder: string) => void;
}[] = [
  { name: 'a file', remove: (folder) => unlinkSync(join(folder, 'a.yaml')), restore: two },
  { name: 'the text of a file', remove: (folder) => truncateSync(join(folder, 'a.yaml')), restore: two },
  {
    name: 'a document of a file',
    remove: (folder) => writeFileSync(join(folder, 'a.yaml'), service('b')),
    restore: two,
  },
];

for (const { name, remove, restore } of removals) {
  test(`${name} that goes away for a moment is no removal`, { timeout: 5000 }, async (t) => {
    const followed = new Followed(t, two);
    remove(followed.folder);
    await pause(graceMs / 3);
    restore(followed.folder);
    followed.write('z.yaml', service('z'));
    await followed.until(() => followed.inForce.has('z'));
    await pause(graceMs * 1.5);
    assert.deepEqual([followed.names(), followed.everRemoved], ['a,b,z', []]);
  });

  test(`${name} that stays away is one`, { timeout: 5000 }, async (t) => {
    const followed = new Followed(t, two);
    remove(followed.folder);
    await followed.until(() => !followed.inForce.has('a'));
  });
}

for (const { name, away, back } of [
  {
    name: 'renamed',
    away: (path: string) => renameSync(path, `${path}.old`),
    back: (path: string) => renameSync(`${path}.old`, path),
  },
  {
    name: 'removed',
    away: (path: string) => rmSync(path, { recursive: true }),
    back: (path: string) => {
      mkdirSync(path);
      two(path);
    },
  },
]) {
  test(`a root that is ${name} keeps what it held in force, says so, and is followed again when it is back`, {
    timeout: 8000,
  }, async (t) => {
    const followed = new Followed(t, two);
    away(followed.folder);
    await followed.until(() =>
      followed.issues.some(({ code, message }) => code === 'MT0010' && message.includes('stays in force')),
    );
    await pause(graceMs * 1.5);
    assert.equal(followed.names(), 'a,b');
    back(followed.folder);
    await followed.until(() => followed.issues.length === 0);
    followed.write('a.yaml', service('a', 99));
    await followed.until(
      () => followed.inForce.get('a')?.includes('99') === true && !followed.inForce.has('b'),
    );
  });
}

test('a root that comes back with less has lost it', { timeout: 5000 }, async (t) => {
  const followed = new Followed(t, (folder) => {
    one(folder);
    writeFileSync(join(folder, 'b.yaml'), service('b'));
  });
  rmSync(followed.folder, { recursive: true });
  await followed.until(() => followed.issues.length > 0);
  mkdirSync(followed.folder);
  one(followed.folder);
  await followed.until(() => followed.names() === 'a');
});

test('a ConfigMap that is mounted and exchanged takes nothing away', { timeout: 5000 }, async (t) => {
  const put = (folder: string, version: string, text: string): void => {
    mkdirSync(join(folder, version));
    writeFileSync(join(folder, version, 'a.yaml'), text);
    symlinkSync(version, join(folder, '..data_tmp'));
    renameSync(join(folder, '..data_tmp'), join(folder, '..data'));
  };
  const followed = new Followed(t, (folder) => {
    put(folder, '..one', service('a', 81));
    symlinkSync('..data/a.yaml', join(folder, 'a.yaml'));
  });
  put(followed.folder, '..two', service('a', 82));
  rmSync(followed.at('..one'), { recursive: true });
  await followed.until(() => followed.inForce.get('a')?.includes('82') === true);
  assert.deepEqual(followed.everRemoved, []);
});

test('a link to a file elsewhere is followed', { timeout: 5000 }, async (t) => {
  const elsewhere = mkdtempSync(join(tmpdir(), 'meltemi-elsewhere-'));
  t.after(() => rmSync(elsewhere, { recursive: true }));
  writeFileSync(join(elsewhere, 'real.yaml'), service('a'));
  const followed = new Followed(t, (folder) =>
    symlinkSync(join(elsewhere, 'real.yaml'), join(folder, 'a.yaml')),
  );
  writeFileSync(join(elsewhere, 'real.yaml'), service('a', 81));
  await followed.until(() => followed.inForce.get('a')?.includes('81') === true);
});

const oddThings: readonly {
  readonly name: string;
  readonly make: (at: (name: string) => string) => void;
  readonly says: RegExp;
}[] = [
  { name: 'a named pipe', make: (at) => execFileSync('mkfifo', [at('x.yaml')]), says: /x\.yaml.*named pipe/ },
  {
    name: 'a link to the folder that it is in',
    make: (at) => symlinkSync('.', at('x.yaml')),
    says: /x\.yaml.*same folder/,
  },
  {
    name: 'two links to the folder that they are in',
    make: (at) => {
      for (const name of ['x.yaml', 'y.yaml']) symlinkSync('.', at(name));
    },
    says: /y\.yaml.*same folder/,
  },
  {
    name: 'a link to itself',
    make: (at) => symlinkSync('x.yaml', at('x.yaml')),
    says: /x\.yaml.*leads back to itself/,
  },
  {
    name: 'bytes that are not UTF-8',
    make: (at) => writeFileSync(at('x.yaml'), Buffer.from([97, 58, 32, 255, 254])),
    says: /x\.yaml.*UTF-8/,
  },
  {
    name: 'UTF-16',
    make: (at) => writeFileSync(at('x.yaml'), Buffer.from('\ufeffa: b', 'utf16le')),
    says: /x\.yaml.*(UTF-8|binary)/,
  },
];

for (const { name, make, says } of oddThings) {
  test(`${name} is a finding, and the rest is followed`, { timeout: 5000 }, async (t) => {
    const followed = new Followed(t, one);
    make((path) => followed.at(path));
    await followed.until(() =>
      followed.issues.some(({ origin, message }) => says.test(`${origin.file} ${message}`)),
    );
    followed.write('later.yaml', service('later'));
    await followed.until(() => followed.names() === 'a,later');
  });
}

test('a file that cannot be read any more is a finding and keeps what it held', {
  timeout: 5000,
}, async (t) => {
  const followed = new Followed(t, one);
  symlinkSync('a.yaml', followed.at('.loop'));
  renameSync(followed.at('.loop'), followed.at('a.yaml'));
  await followed.until(() => followed.issues.some(({ message }) => message.includes('leads back to itself')));
  await pause(graceMs * 1.5);
  assert.equal(followed.names(), 'a');
});

test('half of a file that is being written is no finding', { timeout: 5000 }, async (t) => {
  const followed = new Followed(t, one);
  const found: string[] = [];
  const whole = `${service('a', 81)}---\n${service('b')}`;
  followed.write('a.yaml', whole.slice(0, 60));
  followed.write('a.yaml', whole);
  await followed.until(() => {
    found.push(...followed.issues.map(({ code }) => code));
    return followed.names() === 'a,b';
  });
  assert.deepEqual(found, []);
});

test('a document that is cut off before its kind or name says nothing of what it held', {
  timeout: 5000,
}, async (t) => {
  for (const rest of ['apiVersion: v1\n', 'apiVersion: v1\nkind: Service\n']) {
    const followed = new Followed(t, one);
    followed.write('a.yaml', rest);
    await followed.until(() => followed.issues.some(({ severity }) => severity === 'error'));
    await pause(graceMs * 1.5);
    assert.deepEqual([followed.names(), followed.everRemoved], ['a', []]);
  }
});

test('findings are placed where the resource stands now', (t) => {
  const followed = new Followed(t, two);
  const issue = (): number | undefined =>
    followed.source.place({
      code: 'MT0201',
      severity: 'error',
      message: '',
      origin: {
        kind: 'Service',
        namespace: 'default',
        name: 'b',
        file: 'old',
        line: 1,
        path: 'spec.ports[0].port',
      },
    }).origin.line;
  assert.equal(issue(), 9);
  followed.write('a.yaml', `# a comment\n${readFileSync(followed.at('a.yaml'), 'utf8')}`);
  assert.deepEqual(followed.source.load().changed, []);
  assert.equal(issue(), 10);
});
