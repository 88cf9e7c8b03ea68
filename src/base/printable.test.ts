import assert from 'node:assert/strict';
import { test } from 'node:test';
import { printable } from './printable.ts';

for (const { name, text, shown } of [
  { name: 'plain text stays', text: 'sidecar~10.0.0.1~a.b', shown: 'sidecar~10.0.0.1~a.b' },
  {
    name: 'lines and colours are escaped',
    text: 'a\n\u001b[31mproxy x connected',
    shown: 'a\\u000a\\u001b[31mproxy x connected',
  },
  { name: 'so are line ends of Unicode', text: 'a\u2028b\u0085', shown: 'a\\u2028b\\u0085' },
  { name: 'long text is cut', text: 'y'.repeat(600), shown: `${'y'.repeat(500)}… (600 characters)` },
])
  test(name, () => assert.equal(printable(text), shown));
