import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { MemoEngine } from './memo.ts';
import { Table } from './table.ts';

test('a value is computed once and again only when what it read changed', () => {
  const engine = new MemoEngine();
  const a = engine.input(1);
  const b = engine.input(10);
  let runs = 0;
  const sum = engine.derive('sum', () => {
    runs++;
    return a.get() + b.get();
  });
  assert.equal(sum.get(), 11);
  assert.equal(sum.get(), 11);
  assert.equal(runs, 1);
  a.set(2);
  assert.equal(sum.get(), 12);
  assert.equal(runs, 2);
});

test('an equal intermediate value stops the change', () => {
  const engine = new MemoEngine();
  const n = engine.input(1);
  const parity = engine.derive('parity', () => n.get() % 2);
  let runs = 0;
  const text = engine.derive('text', () => {
    runs++;
    return parity.get() === 0 ? 'even' : 'odd';
  });
  assert.equal(text.get(), 'odd');
  n.set(3);
  assert.equal(text.get(), 'odd');
  assert.equal(runs, 1);
});

test('only watched values that a change may reach are touched', () => {
  const engine = new MemoEngine();
  const a = engine.input(1);
  const b = engine.input(1);
  const left = engine.derive('left', () => a.get());
  const right = engine.derive('right', () => b.get());
  left.watch();
  const unwatch = right.watch();
  left.get();
  right.get();
  a.set(2);
  assert.deepEqual(engine.takeTouched(), [left]);
  b.set(2);
  assert.deepEqual(engine.takeTouched(), [right]);
  right.get();
  unwatch();
  b.set(3);
  assert.deepEqual(engine.takeTouched(), []);
});

test('a computation that throws fails for its readers alone, and is tried again when what it read changes', () => {
  const engine = new MemoEngine();
  const [a, b] = [engine.input(1), engine.input(1)];
  let runs = 0;
  const root = engine.derive('root', () => {
    runs++;
    if (a.get() < 0) throw new Error('negative');
    return Math.sqrt(a.get());
  });
  const reader = engine.derive('reader', () => root.get() + b.get());
  const other = engine.derive('other', () => b.get());
  for (const watched of [root, reader, other]) watched.watch();
  assert.deepEqual([reader.get(), other.get()], [2, 1]);
  a.set(-4);
  assert.deepEqual(new Set(engine.takeTouched()), new Set([root, reader]));
  for (const failed of [root, reader, root]) assert.throws(() => failed.get(), /negative/);
  assert.equal(runs, 2);
  assert.equal(other.get(), 1);
  a.set(4);
  assert.deepEqual(new Set(engine.takeTouched()), new Set([root, reader]));
  assert.deepEqual([root.get(), reader.get()], [2, 3]);
});

test('after a failure the value of before is news to the readers', () => {
  const engine = new MemoEngine();
  const a = engine.input(1);
  const root = engine.derive('root', () => {
    if (a.get() < 0) throw new Error('negative');
    return 'fine';
  });
  const reader = engine.derive('reader', () => root.get());
  assert.equal(reader.get(), 'fine');
  a.set(-1);
  assert.throws(() => reader.get());
  a.set(2);
  assert.equal(reader.get(), 'fine');
});

test('a value that reads itself is an error, and the engine goes on', () => {
  const engine = new MemoEngine();
  const family = engine.family('loop', (key: string): number => (key === 'a' ? family.get('a') : 1));
  assert.throws(() => family.get('a'), /depends on itself/);
  assert.equal(family.get('b'), 1);
});

test('sources are dropped and taken up as branches change', () => {
  const engine = new MemoEngine();
  const useLeft = engine.input(true);
  const left = engine.input('l');
  const right = engine.input('r');
  let runs = 0;
  const chosen = engine.derive('chosen', () => {
    runs++;
    return useLeft.get() ? left.get() : right.get();
  });
  chosen.get();
  useLeft.set(false);
  assert.equal(chosen.get(), 'r');
  left.set('x');
  chosen.get();
  assert.equal(runs, 2);
  right.set('y');
  assert.equal(chosen.get(), 'y');
});

test('a source that is read twice and then once is still a source', () => {
  const engine = new MemoEngine();
  const a = engine.input(1);
  const b = engine.derive('b', () => (a.get() > 1 ? 0 : a.get()));
  assert.equal(b.get(), 1);
  a.set(2);
  assert.equal(b.get(), 0);
  a.set(-1);
  assert.equal(b.get(), -1);
});

test('sweep drops what nobody uses', () => {
  const engine = new MemoEngine();
  const base = engine.family('base', (key: string) => key.length);
  const top = engine.family('top', (key: string) => base.get(key) + 1);
  const unwatch = top.at('abc').watch();
  top.get('abc');
  top.get('zz');
  assert.equal(top.sweep() + base.sweep(), 2);
  assert.equal(top.get('abc'), 4);
  unwatch();
  assert.equal(top.sweep() + base.sweep(), 2);
  assert.equal(engine.statistics().live, 0);
});

test('random edits: memoised equals recomputed', () => {
  const outcome = (read: () => number): unknown => {
    try {
      return read();
    } catch (error) {
      return String(error);
    }
  };
  const edit = fc.record({ cell: fc.nat(7), value: fc.nat(3) });
  fc.assert(
    fc.property(fc.array(edit, { maxLength: 40 }), (edits) => {
      const engine = new MemoEngine();
      const cells = Array.from({ length: 8 }, (_, i) => engine.input(i % 4));
      const cell = (i: number): number => cells[i % 8]?.get() ?? 0;
      const compute = (key: string, next: (key: string) => number): number => {
        const n = Number(key);
        if (n % 3 === 0 && cell(n) === 3) throw new Error(`failed at ${n}`);
        if (n >= 16) return cell(n);
        if (cell(n) === 0) return cell(n + 3);
        return (next(String(n + 1 + cell(n))) + next(String(n + 2))) % 5;
      };
      const family = engine.family('f', (key: string): number => compute(key, (k) => family.get(k)));
      const plain = (key: string): number => engine.untracked(() => compute(key, plain));
      for (const { cell: index, value } of edits) {
        cells[index]?.set(value);
        for (const key of ['0', '5', '11'])
          assert.equal(
            outcome(() => family.get(key)),
            outcome(() => plain(key)),
          );
      }
    }),
  );
});

test('a table touches readers of the written key and bucket only', () => {
  const engine = new MemoEngine();
  const table = new Table<{ host: string; weight: number }>(engine);
  const byHost = table.index((value) => [value.host]);
  table.set('a', { host: 'x', weight: 1 });
  table.set('b', { host: 'y', weight: 1 });
  const x = engine.derive('x', () => byHost.get('x').length);
  const y = engine.derive('y', () =>
    byHost
      .get('y')
      .map((v) => v.weight)
      .join(),
  );
  x.watch();
  y.watch();
  assert.equal(x.get(), 1);
  assert.equal(y.get(), '1');
  assert.equal(table.set('b', { host: 'y', weight: 1 }), false);
  assert.deepEqual(engine.takeTouched(), []);
  table.set('b', { host: 'y', weight: 2 });
  assert.deepEqual(engine.takeTouched(), [y]);
  assert.equal(y.get(), '2');
  table.set('a', { host: 'y', weight: 5 });
  assert.equal(x.get(), 0);
  assert.equal(y.get(), '2,5');
  table.delete('b');
  assert.equal(y.get(), '5');
});
