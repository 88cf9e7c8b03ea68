import assert from 'node:assert/strict';
import { once } from 'node:events';
import { PassThrough } from 'node:stream';
import { test } from 'node:test';
import { onLines } from './lines.ts';

const cases: readonly {
  readonly name: string;
  readonly chunks: readonly (string | Buffer)[];
  readonly lines: readonly string[];
}[] = [
  { name: 'whole lines', chunks: ['a\nb\n'], lines: ['a', 'b'] },
  { name: 'a line in pieces', chunks: ['a', 'b', 'c\nd'], lines: ['abc', 'd'] },
  { name: 'empty lines', chunks: ['\n\na\n'], lines: ['', '', 'a'] },
  { name: 'ends of Windows', chunks: ['a\r', '\nb\r\n'], lines: ['a', 'b'] },
  { name: 'a character in two chunks', chunks: [Buffer.from([0xc3]), Buffer.from([0xa9, 10])], lines: ['é'] },
  {
    name: 'a line without end is cut once',
    chunks: ['x'.repeat(20_000), 'y'.repeat(50_000), '\nnext\n'],
    lines: [`${'x'.repeat(16_384)}…`, 'next'],
  },
];

for (const { name, chunks, lines } of cases) {
  test(name, async () => {
    const stream = new PassThrough();
    const found: string[] = [];
    onLines(stream, (line) => found.push(line));
    for (const chunk of chunks) stream.write(chunk);
    stream.end();
    await once(stream, 'end');
    assert.deepEqual(found, lines);
  });
}
