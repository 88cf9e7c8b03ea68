// Whatever comes in: nothing throws, and what is kept has no error.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { dump } from 'js-yaml';
import { hasErrors } from '../base/index.ts';
import { type KindDefinition, kinds, parseDocuments, parseMeshConfig, readObject } from './index.ts';
import type { Shape } from './schema/index.ts';

const runs = 300;
const seed = 20261122;

/** Values that mostly fit a shape, with anything at all now and then. */
function arbitraryOf(shape: Shape): fc.Arbitrary<unknown> {
  const odd = {
    weight: 1,
    arbitrary: fc.oneof(
      fc.jsonValue({ maxDepth: 1 }),
      fc.constantFrom(null, '', '*', 0, -1, 'a'.repeat(300)),
    ),
  };
  const fitting = { weight: 9, arbitrary: fittingValue(shape) };
  return fc.oneof({ maxDepth: 12 }, fitting, odd);
}

function fittingValue(shape: Shape): fc.Arbitrary<unknown> {
  switch (shape.kind) {
    case 'message':
      return fc
        .record(
          Object.fromEntries(
            [...shape.fields].map(([name, field]) => [
              name,
              fc.option(arbitraryOf(field.shape), { nil: undefined, freq: 2 }),
            ]),
          ),
        )
        .map(withoutUndefined);
    case 'list':
      return fc.array(arbitraryOf(shape.item), { maxLength: 2 });
    case 'map':
      return fc.dictionary(
        fc.constantFrom('a', 'x-y', '@request.auth.claims.z', '80', ':path', ''),
        arbitraryOf(shape.value),
        {
          maxKeys: 2,
        },
      );
    case 'enum':
      return fc.constantFrom(...shape.values);
    case 'boolean':
      return fc.boolean();
    case 'number':
      return shape.integer
        ? fc.integer({ min: shape.min ?? -10, max: Math.min(shape.max ?? 100, 70_000) })
        : fc.double({ noNaN: true });
    case 'duration':
      return fc.constantFrom('1s', '0s', '1.5ms', '250ms', '-1s', 'soon');
    default:
      return fc.constantFrom(
        'a',
        'a.b.c',
        '*.a.b',
        '10.0.0.1',
        'unix:///a',
        '[',
        'GET',
        '%',
        'istio-system/a',
        '.',
        '*',
      );
  }
}

function withoutUndefined(value: object): object {
  return Object.fromEntries(Object.entries(value).filter(([, item]) => item !== undefined));
}

const kindAndSpec = fc
  .constantFrom(...Object.entries(kinds))
  .chain(([kind, definition]: [string, KindDefinition<unknown>]) =>
    arbitraryOf(definition.schema.shape).map((spec) => ({
      apiVersion: definition.group ? `${definition.group}/${definition.versions[0]}` : definition.versions[0],
      kind: definition.writtenKind ?? kind,
      metadata: { name: 'a' },
      ...(definition.content === 'root' && typeof spec === 'object' ? spec : { spec }),
    })),
  );

test('resources of every kind, right and wrong, as YAML', () => {
  fc.assert(
    fc.property(kindAndSpec, (object) => {
      const { resources, rejected, issues } = parseDocuments(dump(object), 'f');
      assert.equal(resources.length, hasErrors(issues) ? 0 : 1);
      assert.equal(resources.length + rejected.length, 1);
      for (const { origin } of issues) assert.ok((origin.line ?? 0) >= 1 && (origin.column ?? 0) >= 1);
    }),
    { numRuns: runs, seed },
  );
});

test('any JSON value', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      readObject(value);
      parseMeshConfig(JSON.stringify(value), 'f');
    }),
    { numRuns: runs, seed },
  );
});

test('any text, and YAML with something cut out or put in', () => {
  const text =
    'apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: a}\nspec:\n  hosts: &h [a]\n  http:\n  - route:\n    - destination: {host: "a"}\n---\n- *h\n';
  const edited = fc.tuple(
    fc.nat(text.length),
    fc.nat(20),
    fc.string({ unit: fc.constantFrom(...'-:{}[]"\'&*!|>%@` \n\t#?,a0') }),
  );
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (any) => void parseDocuments(any, 'f')),
    { seed },
  );
  fc.assert(
    fc.property(
      edited,
      ([at, cut, put]) => void parseDocuments(text.slice(0, at) + put + text.slice(at + cut), 'f'),
    ),
    { numRuns: runs, seed },
  );
});
