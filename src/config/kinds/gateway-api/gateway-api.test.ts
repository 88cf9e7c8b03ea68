import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findingsOf, type SpecCase } from '../../findings-of.ts';

const rule = (fields: string): string => `{parentRefs: [{name: a}], rules: [{${fields}}]}`;

/** What the API server lets through and Envoy refuses. */
const cases: readonly SpecCase[] = [
  {
    name: 'plain',
    spec: rule('matches: [{path: {type: PathPrefix, value: /}}], backendRefs: [{name: a, port: 80}]'),
    expected: [],
  },
  {
    name: 'an expression',
    spec: rule('matches: [{path: {type: RegularExpression, value: "/(a"}}]'),
    expected: ['MT0110 rules[0].matches[0].path.value'],
  },
  {
    name: 'an empty expression',
    spec: rule('matches: [{headers: [{type: RegularExpression, name: x}]}]'),
    expected: ['MT0128 rules[0].matches[0].headers[0].value'],
  },
  {
    name: 'a weight',
    spec: rule('backendRefs: [{name: a, port: 80, weight: 1000001}]'),
    expected: ['MT0105 rules[0].backendRefs[0].weight'],
  },
  {
    name: 'a header',
    spec: rule(
      'filters: [{type: RequestHeaderModifier, requestHeaderModifier: {set: [{name: a b, value: c}]}}]',
    ),
    expected: ['MT0113 rules[0].filters[0].requestHeaderModifier.set[0].name'],
  },
];

for (const item of cases)
  test(`HTTPRoute: ${item.name}`, () => assert.deepEqual(findingsOf('HTTPRoute', item), item.expected));
