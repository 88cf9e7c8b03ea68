// Feeds over values that cannot always be computed.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Input, MemoEngine } from '../../base/index.ts';
import { Feed, type FeedFailure, FeedHub, type ServedResource } from './feed.ts';

interface Bench {
  readonly feed: Feed;
  readonly failures: FeedFailure[];
  /** The version of each resource; a negative one cannot be made. */
  readonly versions: Readonly<Record<'a' | 'b', Input<number>>>;
  readonly names: Input<readonly string[] | undefined>;
  /** Brings the feed up to date and says what changed, and what it holds then. */
  push(): { readonly changed: readonly string[]; readonly all: readonly string[] };
}

function bench(start = 1): Bench {
  const engine = new MemoEngine();
  const versions = { a: engine.input(start), b: engine.input(1) };
  const names = engine.input<readonly string[] | undefined>(['a', 'b']);
  const failures: FeedFailure[] = [];
  const hub = new FeedHub((failure) => failures.push(failure));
  const family = engine.family('resource', (name: string): ServedResource | undefined => {
    const version = versions[name as 'a' | 'b'].get();
    if (version < 0) throw new Error(`no ${name}`);
    return { name, version: String(version), any: new Uint8Array() };
  });
  const list = engine.derive<readonly string[]>('names', () => {
    const found = names.get();
    if (!found) throw new Error('no list');
    return found;
  });
  const feed = new Feed(hub, { type: 'cluster', names: list, resource: (name) => family.at(name) });
  let changed: readonly string[] = [];
  feed.attach((told) => {
    changed = told;
  });
  feed.useAll();
  return {
    feed,
    failures,
    versions,
    names,
    push: () => {
      changed = [];
      hub.process(engine.takeTouched());
      return { changed, all: feed.all().map(({ name, version }) => `${name}${version}`) };
    },
  };
}

test('a resource that cannot be made keeps its last version, and the others go on', () => {
  const { versions, failures, push } = bench();
  versions.a.set(-1);
  versions.b.set(2);
  assert.deepEqual(push(), { changed: ['b'], all: ['a1', 'b2'] });
  assert.deepEqual(
    failures.map(({ type, name, error }) => [type, name, String(error)]),
    [['cluster', 'a', 'Error: no a']],
  );
  versions.a.set(3);
  assert.deepEqual(push(), { changed: ['a'], all: ['a3', 'b2'] });
});

test('one that never could be made comes when it can', () => {
  const { versions, push, feed } = bench(-1);
  assert.deepEqual(
    feed.all().map(({ name }) => name),
    ['b'],
  );
  versions.a.set(1);
  assert.deepEqual(push(), { changed: ['a'], all: ['a1', 'b1'] });
});

test('without a list of names the last one holds', () => {
  const { names, failures, push } = bench();
  names.set(undefined);
  assert.deepEqual(push(), { changed: [], all: ['a1', 'b1'] });
  assert.deepEqual(
    failures.map(({ name }) => name),
    ['*'],
  );
  names.set(['b']);
  assert.deepEqual(push(), { changed: ['a'], all: ['b1'] });
});
