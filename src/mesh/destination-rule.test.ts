// Which DestinationRules for one host in one namespace become one, and what each client then gets of them.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseDocuments } from '../config/index.ts';
import type { ObjectOf } from '../registry/index.ts';
import { type DestinationRuleModel, mergeRules, resolveDestinationRule } from './destination-rule.ts';

/** Rules `a`, `b`, … from the oldest to the youngest, each with a subset of its own name. */
function rules(...specs: readonly string[]): readonly DestinationRuleModel[] {
  const text = specs.map((spec, i) => {
    const name = 'abcdef'[i];
    const metadata = `{name: ${name}, namespace: shop, creationTimestamp: "2024-0${i + 1}-01T00:00:00Z"}`;
    return `apiVersion: networking.istio.io/v1\nkind: DestinationRule\nmetadata: ${metadata}\nspec: {host: cart, subsets: [{name: ${name}}]${spec && `, ${spec}`}}`;
  });
  const { resources } = parseDocuments(text.join('\n---\n'), 'test.yaml');
  assert.equal(resources.length, specs.length);
  return resources.map((object) =>
    resolveDestinationRule(object as ObjectOf<'DestinationRule'>, 'cluster.local'),
  );
}

const selector = (app: string): string => `workloadSelector: {matchLabels: {app: ${app}}}`;

// Of each rule that is left: its name and the subsets that it has in the end.
const cases: readonly {
  readonly name: string;
  readonly specs: readonly string[];
  readonly expected: readonly string[];
}[] = [
  { name: 'the same export set', specs: ['', ''], expected: ['a: a b'] },
  {
    name: 'the same export set, spelt out',
    specs: ['exportTo: [x, y]', 'exportTo: [y, x]'],
    expected: ['a: a b'],
  },
  {
    name: 'export sets that differ stay apart',
    specs: ['exportTo: [x]', 'exportTo: [y]'],
    expected: ['a: a', 'b: b'],
  },
  {
    name: 'a wider set is added to a narrower one',
    specs: ['exportTo: [x]', 'exportTo: [x, y]'],
    expected: ['a: a b'],
  },
  {
    name: 'a narrower set is not added to a wider one',
    specs: ['exportTo: [x, y]', 'exportTo: [x]'],
    expected: ['a: a', 'b: b'],
  },
  { name: 'selectors that are equal', specs: [selector('x'), selector('x')], expected: ['a: a b'] },
  {
    name: 'selectors that differ stay apart',
    specs: [selector('x'), selector('y')],
    expected: ['a: a', 'b: b'],
  },
  {
    name: 'a rule for everyone is added to one with a selector, which comes first, and vanishes in it where the sets are the same',
    specs: ['exportTo: ["."]', `${selector('x')}, exportTo: ["."]`],
    expected: ['b: b a'],
  },
  {
    name: 'a public rule for everyone is added to a private one with a selector and stays',
    specs: ['exportTo: [".", x]', `${selector('x')}, exportTo: ["."]`],
    expected: ['b: b a', 'a: a'],
  },
];

for (const { name, specs, expected } of cases)
  test(`rules for one host: ${name}`, () => {
    const merged = mergeRules(rules(...specs));
    assert.deepEqual(
      merged.map((rule) => `${rule.name}: ${rule.subsets.map((subset) => subset.name).join(' ')}`),
      expected,
    );
  });
