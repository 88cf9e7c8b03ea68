import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fromJson, type JsonValue } from '@bufbuild/protobuf';
import { Cluster_LbSubsetConfigSchema } from '@meltemi/envoy-api/envoy/config/cluster/v3/cluster';
import { planSubsets, type SubsetPlan } from './subset-plan.ts';

const planned = (json: object): SubsetPlan | undefined =>
  planSubsets(fromJson(Cluster_LbSubsetConfigSchema, json as JsonValue));

test('without selectors there are no subsets', () => {
  assert.equal(planSubsets(undefined), undefined);
  assert.equal(planned({ fallback_policy: 'ANY_ENDPOINT' }), undefined);
});

for (const [fallback_policy, fallback] of [
  ['NO_FALLBACK', 'none'],
  ['ANY_ENDPOINT', 'any'],
  ['DEFAULT_SUBSET', 'default'],
] as const)
  test(`fallback: ${fallback}`, () =>
    assert.equal(planned({ fallback_policy, subset_selectors: [{ keys: ['a'] }] })?.fallback, fallback));

test('selectors, with fallbacks of their own', () => {
  const subset_selectors = [
    { keys: ['b', 'a'], fallback_policy: 'KEYS_SUBSET', fallback_keys_subset: ['a'] },
    { keys: ['c'] },
  ];
  assert.deepEqual(planned({ subset_selectors, list_as_any: true, default_subset: { v: '1' } }), {
    fallback: 'none',
    defaultSubset: { v: '1' },
    selectors: [
      { keys: ['a', 'b'], fallback: 'keys', fallbackKeys: ['a'] },
      { keys: ['c'], fallback: undefined, fallbackKeys: [] },
    ],
    listAsAny: true,
    panicAny: false,
  });
});
