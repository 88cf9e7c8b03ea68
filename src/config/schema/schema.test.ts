import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  boolean,
  bytes,
  decode,
  deprecated,
  duration,
  durationOrZero,
  enumOf,
  Findings,
  field,
  ignored,
  int32,
  intOrString,
  list,
  mapOf,
  message,
  noEffect,
  parsePath,
  pathText,
  required,
  type Schema,
  string,
  suggest,
  text,
  timestamp,
  uint32,
} from './index.ts';

const resource = { kind: 'Thing', namespace: 'default', name: 'a', labels: {}, annotations: {} };

function read<T>(schema: Schema<T>, value: unknown): { value: T | undefined; findings: string[] } {
  const findings = new Findings();
  const decoded = decode(schema, value, { path: [], resource, findings });
  return { value: decoded, findings: findings.all.map(({ code, message: text }) => `${code} ${text}`) };
}

const scalars: readonly {
  schema: Schema<unknown>;
  good: readonly (readonly [unknown, unknown])[];
  bad: readonly unknown[];
}[] = [
  {
    schema: string,
    good: [
      ['a', 'a'],
      ['', ''],
    ],
    bad: [1, true, {}, [], 'a\nb', 'a\rb', 'a\0b'],
  },
  { schema: text, good: [['a\r\nb', 'a\r\nb']], bad: [1, null] },
  {
    schema: boolean,
    good: [
      [true, true],
      ['yes', true],
      ['off', false],
    ],
    bad: [1, 'maybe', null],
  },
  {
    schema: int32,
    good: [
      [5, 5],
      [-1, -1],
    ],
    bad: ['5', 1.5, 2 ** 31, Number.NaN],
  },
  { schema: uint32, good: [[0, 0]], bad: [-1] },
  {
    schema: duration,
    good: [
      ['1s', 1000],
      ['1h30m', 5_400_000],
      ['1.001s', 1001],
      ['1ms', 1],
    ],
    bad: ['0s', '1.5ms', '-1s', 'a', 5, ''],
  },
  { schema: durationOrZero, good: [['0s', 0]], bad: ['-1s'] },
  { schema: timestamp, good: [['1970-01-01T00:00:01Z', 1000]], bad: ['yesterday', 5] },
  {
    schema: intOrString,
    good: [
      [80, 80],
      ['http', 'http'],
    ],
    bad: [1.5, {}],
  },
  { schema: enumOf(['A', 'B']), good: [['A', 'A']], bad: ['C', 0, null] },
  { schema: bytes, good: [['AQI=', new Uint8Array([1, 2])]], bad: ['%', 5] },
];

for (const { schema, good, bad } of scalars) {
  test(`scalar ${schema.shape.kind}`, () => {
    for (const [written, expected] of good)
      assert.deepEqual(read(schema, written), { value: expected, findings: [] });
    for (const written of bad)
      assert.equal(read(schema, written).findings.length, 1, JSON.stringify(written));
  });
}

const Inner = message('Inner', {
  host: required(string, 'x'),
  tags: field(list(string), 'x'),
  extra: field(mapOf(int32), 'x'),
});
const Thing = message(
  'Thing',
  {
    name: required(string, 'x'),
    inner: list(Inner),
    oldField: deprecated(string, 'name', 'x'),
    meshMTLS: field(string, 'x', { aliases: ['mesh_mTLS'] }),
    idle: noEffect(string, 'nothing reads it'),
    theirs: ignored(string, 'nothing reads it'),
  },
  {
    rules: [
      ({ name, inner = [] }, context) =>
        name === 'bad' && context.report('MT0116', ['inner', inner.length], 'is bad'),
    ],
  },
);

test('messages: null is absent, names in snake case and aliases are read', () => {
  assert.deepEqual(read(Thing, { name: 'a', inner: null, mesh_mTLS: 'x' }), {
    value: { name: 'a', meshMTLS: 'x' },
    findings: [],
  });
  assert.deepEqual(read(Thing, { name: 'a', old_field: 'x' }).findings, [
    'MT0302 old_field is deprecated; use name',
  ]);
  assert.deepEqual(read(Thing, { name: 'a', idle: 'x' }).findings, [
    'MT0401 idle has no effect: nothing reads it',
  ]);
  assert.deepEqual(read(Thing, { name: 'a', theirs: 'x' }).findings, []);
});

test('messages: everything wrong is found at once', () => {
  assert.deepEqual(
    read(Thing, { inner: [{ tags: [1, null], extra: { a: 'x' }, hots: 1 }, 5], neme: 'a' }).findings,
    [
      'MT0101 inner[0].tags[0] must be a string, not number 1; write it in quotes: "1"',
      'MT0101 inner[0].tags[1] must be a value, not nothing',
      'MT0101 inner[0].extra.a must be a number, not string "x"',
      'MT0102 unknown field "hots" in inner[0]; did you mean "host"?',
      'MT0103 inner[0].host is missing; it is required',
      'MT0101 inner[1] must be a map (Inner), not number 5',
      'MT0102 unknown field "neme" in Thing; did you mean "name"?',
      'MT0103 name is missing; it is required',
    ],
  );
});

test('rules run on what decoded cleanly, and only then', () => {
  assert.deepEqual(read(Thing, { name: 'bad' }).findings, ['MT0116 inner[0]: is bad']);
  assert.deepEqual(read(Thing, { name: 'bad', inner: [5] }).findings.length, 1);
});

test('paths as text and back', () => {
  for (const path of [
    ['spec', 'http', 1, 'headers', 'x.y', 'exact'],
    ['items', 3],
    ['a b', 'c"d', 0, '1'],
  ])
    assert.deepEqual(parsePath(pathText(path)).map(String), path.map(String));
  assert.equal(pathText(['spec', 'http', 1, 'headers', 'x.y']), 'spec.http[1].headers["x.y"]');
});

test('suggestions are near or none', () => {
  const words = ['timeout', 'retries', 'route'];
  assert.equal(suggest('timout', words), 'timeout');
  assert.equal(suggest('tiemout', words), 'timeout');
  assert.equal(suggest('rout', words), 'route');
  assert.equal(suggest('mirror', words), undefined);
});
