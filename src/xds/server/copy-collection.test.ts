// When copies of responses are left to pile up, by what the process weighs.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { CopyCollection } from './copy-collection.ts';

const megabyte = 2 ** 20;

test('copies pile up while the process is small, are collected when it is not, and it is looked at now and then', () => {
  let resident = 300 * megabyte;
  let looks = 0;
  const told: boolean[] = [];
  const collection = new CopyCollection({
    resident: () => {
      looks++;
      return resident;
    },
    setLazy: (lazy) => told.push(lazy),
  });
  collection.copied(1);
  assert.deepEqual(told, [true]);
  for (let i = 0; i < 64; i++) collection.copied(megabyte);
  assert.deepEqual([told, looks], [[true], 3]);
  resident = 900 * megabyte;
  for (let i = 0; i < 64; i++) collection.copied(megabyte);
  assert.deepEqual(told, [true, false]);
  resident = 300 * megabyte;
  for (let i = 0; i < 32; i++) collection.copied(megabyte);
  assert.deepEqual(told, [true, false, true]);
});

test('the switch is one that this Node knows', () => {
  const { stdout } = spawnSync(process.execPath, ['--v8-options'], { encoding: 'utf8' });
  assert.match(stdout, /--external-memory-accounted-in-global-limit/);
});
