// Texts of refusals, as Envoy and gRPC write them.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { namedIn } from './named-in.ts';

const cases: readonly (readonly [text: string, names: readonly string[], named: readonly string[]])[] = [
  ['Error adding/updating listener(s) 10.0.0.1_80: bad filter', ['10.0.0.1_80', '80'], ['10.0.0.1_80']],
  ['Error adding/updating cluster(s) a: bad, b: worse', ['a', 'b', 'c'], ['a', 'b']],
  [
    'outbound|80||cart.default: no',
    ['cart', 'outbound|80||cart', 'outbound|80||cart.default'],
    ['outbound|80||cart.default'],
  ],
  ['unknown cluster in route http.80.', ['80', 'http.80'], ['http.80']],
  ['bad resource "v1/x"', ['x', 'v1/x'], ['x', 'v1/x']],
  ['it is wrong', ['a', 'b'], ['a', 'b']],
  ['', ['a', ''], ['a', '']],
];
for (const [text, names, named] of cases)
  test(text || 'no text', () => {
    const resources = names.map((name) => ({ name, version: '1', any: new Uint8Array() }));
    assert.deepEqual(
      namedIn(text, resources).map(({ name }) => name),
      named,
    );
  });
