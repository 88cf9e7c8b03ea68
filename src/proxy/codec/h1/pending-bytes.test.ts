import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { PendingBytes } from './pending-bytes.ts';

test('what is appended comes out in order, whatever is consumed in between', () => {
  const piece = fc.record({ text: fc.string({ unit: 'binary-ascii', maxLength: 700 }), taken: fc.nat(900) });
  fc.assert(
    fc.property(fc.array(piece), (pieces) => {
      const pending = new PendingBytes();
      let expected = '';
      for (const { text, taken } of pieces) {
        const bytes = Buffer.from(`-${text}-`, 'latin1');
        pending.append(bytes, 1, bytes.length - 1);
        bytes.fill(0);
        expected += text;
        const count = Math.min(taken, expected.length);
        pending.consume(count);
        expected = expected.slice(count);
        assert.equal(pending.bytes.toString('latin1', pending.start, pending.end), expected);
        assert.equal(pending.length, expected.length);
      }
    }),
  );
});
