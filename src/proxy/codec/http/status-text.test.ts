import assert from 'node:assert/strict';
import { STATUS_CODES } from 'node:http';
import { test } from 'node:test';
import { statusTexts } from './status-text.ts';

test('the phrases that node:http has', () => {
  assert.deepEqual({ ...statusTexts }, STATUS_CODES);
});
