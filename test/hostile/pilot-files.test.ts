// Files as nobody should write them, under a running pilot: each is a finding in bounded time and memory, and
// the next good file is in force.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, renameSync, rmSync, symlinkSync, truncateSync, unlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { entry, PilotProcess } from './pilot-process.ts';

const bomb = (indent: string): string =>
  `${indent}a: &a ["x","x","x","x","x","x","x","x","x","x"]\n${Array.from(
    { length: 9 },
    (_, i) =>
      `${indent}b${i}: &b${i} [${Array(10)
        .fill(i === 0 ? '*a' : `*b${i - 1}`)
        .join(',')}]\n`,
  ).join('')}`;

interface Row {
  readonly name: string;
  readonly extension?: string;
  readonly content: () => string | Uint8Array;
  /** Code of a finding about it; none for what is no mistake. */
  readonly code?: RegExp;
}

const rows: readonly Row[] = [
  { name: 'an alias bomb', content: () => bomb(''), code: /MT0003/ },
  {
    name: 'an alias bomb in a Service',
    content: () => `apiVersion: v1\nkind: Service\nmetadata: {name: x}\nspec:\n${bomb('  ')}`,
    code: /MT0003/,
  },
  {
    name: 'a bomb of merge keys',
    content: () =>
      `a: &a {x: 1}\n${Array.from(
        { length: 50 },
        (_, i) =>
          `m${i}: &m${i} {<<: [${Array(50)
            .fill(i === 0 ? '*a' : `*m${i - 1}`)
            .join(', ')}]}\n`,
      ).join('')}`,
    code: /MT00(03|11)/,
  },
  { name: 'aliases of themselves', content: () => 'a: &a [*a]\nb: &b {<<: *b}\n', code: /MT000[13]/ },
  { name: '100,000 brackets', content: () => '['.repeat(100_000), code: /MT000[13]/ },
  { name: '100,000 braces', content: () => '{a: '.repeat(100_000), code: /MT000[13]/ },
  {
    name: '2,000 levels of blocks',
    content: () => Array.from({ length: 2000 }, (_, i) => `${' '.repeat(i)}a:\n`).join(''),
    code: /MT000[13]/,
  },
  {
    name: 'deep JSON',
    extension: 'json',
    content: () => `${'{"a":'.repeat(50_000)}1${'}'.repeat(50_000)}`,
    code: /MT000[13]/,
  },
  {
    name: '20,000 times the same document',
    content: () => `---\n${entry('zz')}`.repeat(20_000),
    code: /MT0007/,
  },
  { name: 'one text of 40 MB', content: () => `x: ${'y'.repeat(40_000_000)}`, code: /MT0003/ },
  { name: 'two million document marks', content: () => '---\n'.repeat(2_000_000) },
  { name: '5 MB of dashes', content: () => '- '.repeat(2_500_000), code: /MT000[13]/ },
  { name: '1 MB of question marks', content: () => '? '.repeat(500_000), code: /MT000[13]/ },
  { name: '1 MB of anchors', content: () => '&a '.repeat(300_000), code: /MT000[13]/ },
  { name: '1 MB of blanks', content: () => `${' '.repeat(1_000_000)}#\n` },
  { name: '5,000 blank lines', content: () => `---${' \t\r\n'.repeat(5000)}x`, code: /MT0011/ },
  { name: '100,000 blank lines', content: () => `---${' \n'.repeat(100_000)}!`, code: /MT00(01|11)/ },
  { name: '100,000 comments', content: () => '# comment\n'.repeat(100_000) },
  { name: 'random bytes', content: () => randomBytes(200_000), code: /MT0002/ },
  {
    name: 'invalid UTF-8',
    content: () => Buffer.from('apiVersion: v1\nkind: Service\nmetadata: {name: \xff\xfe}\n', 'latin1'),
    code: /MT0002/,
  },
  { name: 'UTF-16', content: () => Buffer.from('\ufeffapiVersion: v1', 'utf16le'), code: /MT0002/ },
  {
    name: 'names of the prototype',
    content: () =>
      'apiVersion: v1\nkind: Service\n__proto__: {polluted: 1}\nmetadata: {name: x, labels: {__proto__: y, constructor: z}}\nspec: {__proto__: {a: 1}, ports: [{port: 80}]}\n',
    code: /MT01/,
  },
];

describe('hostile content', () => {
  let pilot: PilotProcess;
  let followed: ReturnType<PilotProcess['follow']>;
  before(async () => {
    pilot = await PilotProcess.start((folder) => {
      mkdirSync(folder);
      writeFileSync(join(folder, 'good.yaml'), entry('good'));
    });
    followed = pilot.follow();
    await pilot.until('serve', () => followed.hosts.has('good.example.com'));
  });
  after(() => pilot.stop());

  rows.forEach(({ name, extension = 'yaml', content, code }, i) => {
    test(name, async () => {
      const file = `bad${i}.${extension}`;
      const seen = pilot.issues.length;
      const next = `next${i}`;
      pilot.write(file, content());
      pilot.write(`${next}.yaml`, entry(next));
      await pilot.until(`the file after ${name}`, () => followed.hosts.has(`${next}.example.com`));
      if (code)
        await pilot.until(`a finding of ${name}`, () =>
          pilot.issues.slice(seen).some((issue) => code.test(issue.code)),
        );
      assert.ok(followed.hosts.has('good.example.com') && pilot.alive);
      unlinkSync(join(pilot.folder, file));
      await pause(0);
    });
  });

  test('its memory stayed in bounds', () => {
    // One file of 40 MB is held as bytes and as text for a moment.
    assert.ok(pilot.facts.peakMemory < 900, `${pilot.facts.peakMemory} MB`);
  });

  test('10,000 files are in force within a minute, and others are served meanwhile', async () => {
    for (let i = 0; i < 10_000; i++) pilot.write(`m${i}.yaml`, entry(`m${i}`));
    await pilot.until(
      '10,000 files',
      () => followed.hosts.has('m9999.example.com') && followed.hosts.size > 10_000,
    );
  });
});

interface Event {
  readonly name: string;
  readonly happen: (pilot: PilotProcess) => Promise<void> | void;
  readonly says?: RegExp;
  /** What is in force of the file that was there, after it and a second. */
  readonly keeps: boolean;
}

const events: readonly Event[] = [
  {
    name: 'a file is cut off in its document',
    happen: (pilot) => truncateSync(join(pilot.folder, 'good.yaml'), 150),
    says: /MT0001/,
    keeps: true,
  },
  {
    name: 'a file is emptied for good',
    happen: (pilot) => truncateSync(join(pilot.folder, 'good.yaml')),
    keeps: false,
  },
  {
    name: 'a file is written slowly',
    happen: async (pilot) => {
      pilot.write('good.yaml', '');
      await pause(200);
      pilot.write('good.yaml', entry('good'));
    },
    keeps: true,
  },
  { name: 'a file is removed', happen: (pilot) => unlinkSync(join(pilot.folder, 'good.yaml')), keeps: false },
  {
    name: 'the folder is renamed',
    happen: (pilot) => renameSync(pilot.folder, `${pilot.folder}.old`),
    says: /MT0010.*stays in force/,
    keeps: true,
  },
  {
    name: 'the folder is removed',
    happen: (pilot) => rmSync(pilot.folder, { recursive: true }),
    says: /MT0010.*stays in force/,
    keeps: true,
  },
  {
    name: 'a file moves into a folder below',
    happen: (pilot) => {
      mkdirSync(join(pilot.folder, 'below'));
      renameSync(join(pilot.folder, 'good.yaml'), join(pilot.folder, 'below', 'good.yaml'));
    },
    keeps: true,
  },
  {
    name: 'a link leads back',
    happen: (pilot) => symlinkSync('.', join(pilot.folder, 'loop.yaml')),
    says: /MT0010/,
    keeps: true,
  },
  {
    name: 'two links lead back',
    happen: (pilot) =>
      ['a.yaml', 'b.yaml'].forEach((name) => void symlinkSync('.', join(pilot.folder, name))),
    says: /MT0010/,
    keeps: true,
  },
  {
    name: 'a link leads to itself',
    happen: (pilot) => symlinkSync('self.yaml', join(pilot.folder, 'self.yaml')),
    says: /MT0010/,
    keeps: true,
  },
  {
    name: 'there is a FIFO',
    happen: (pilot) => void execFileSync('mkfifo', [join(pilot.folder, 'f.yaml')]),
    says: /MT0010.*pipe/,
    keeps: true,
  },
  {
    name: 'there is a socket',
    happen: (pilot) =>
      new Promise<void>((done) => void createServer().unref().listen(join(pilot.folder, 's.yaml'), done)),
    says: /MT0010.*socket/,
    keeps: true,
  },
  {
    name: 'there is a folder that is called x.yaml',
    happen: (pilot) => void mkdirSync(join(pilot.folder, 'x.yaml')),
    keeps: true,
  },
  {
    name: 'there is a device',
    happen: (pilot) => symlinkSync('/dev/zero', join(pilot.folder, 'z.yaml')),
    says: /MT0010.*device/,
    keeps: true,
  },
];

describe('hostile changes', { concurrency: 3 }, () => {
  for (const { name, happen, says, keeps } of events)
    test(name, async () => {
      const pilot = await PilotProcess.start((folder) => {
        mkdirSync(folder);
        writeFileSync(join(folder, 'good.yaml'), entry('good'));
      });
      try {
        const followed = pilot.follow();
        await pilot.until('serve', () => followed.hosts.has('good.example.com'));
        await happen(pilot);
        if (says)
          await pilot.until(String(says), () =>
            pilot.issues.some(({ code, message }) => says.test(`${code} ${message}`)),
          );
        if (keeps) await pause(1200);
        else await pilot.until('the removal', () => !followed.hosts.has('good.example.com'));
        assert.equal(followed.hosts.has('good.example.com'), keeps);
        mkdirSync(pilot.folder, { recursive: true });
        pilot.write('later.yaml', entry('later'));
        await pilot.until('the next file', () => followed.hosts.has('later.example.com'));
      } finally {
        await pilot.stop();
      }
    });
});
