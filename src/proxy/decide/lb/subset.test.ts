import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fromJson, type JsonValue } from '@bufbuild/protobuf';
import { ClusterSchema } from '@meltemi/envoy-api/envoy/config/cluster/v3/cluster';
import { planLb } from '../../plan/cluster/lb-plan.ts';
import { createLoadBalancer } from './balancer.ts';
import { host, localities, seeded } from './fake-host.ts';

const labelled = (index: number, lb: Readonly<Record<string, unknown>>): ReturnType<typeof host> =>
  host(index, { metadata: { 'envoy.lb': lb } });
const all = [
  labelled(1, { stage: 'prod', version: 'v1' }),
  labelled(2, { stage: 'prod', version: 'v2' }),
  labelled(3, { stage: 'dev', version: 'v1' }),
  labelled(4, { stage: 'dev', version: ['v7', 'v8'] }),
];

/** The last number of the addresses that serve requests with these criteria. */
function check(
  subsets: object,
  match: Readonly<Record<string, unknown>> | undefined,
  expected: readonly number[],
): void {
  const source = fromJson(ClusterSchema, { name: 'c', lb_subset_config: subsets } as JsonValue);
  const { plan, problems } = planLb(source);
  assert.deepEqual(problems, []);
  const balancer = createLoadBalancer(plan, localities(all));
  const random = seeded(1);
  const chosen = Array.from(
    { length: 40 },
    () => balancer.choose({ random, ...(match ? { match } : {}) })?.address ?? 'none',
  );
  assert.deepEqual(
    [...new Set(chosen)].sort(),
    expected.length === 0 ? ['none'] : expected.map((n) => `10.0.0.${n}:80`),
  );
}

const selectors = [{ keys: ['stage'] }, { keys: ['version', 'stage'] }];

test('a subset is chosen by exactly the keys of a selector', () => {
  check({ subset_selectors: selectors }, { stage: 'prod' }, [1, 2]);
  check({ subset_selectors: selectors }, { version: 'v1', stage: 'dev' }, [3]);
  check({ subset_selectors: selectors }, { version: 'v1' }, []);
  check({ subset_selectors: selectors }, { stage: 'none' }, []);
  check({ subset_selectors: selectors }, undefined, []);
  check({}, { stage: 'prod' }, [1, 2, 3, 4]);
});

test('fallbacks of the cluster and of a selector', () => {
  check({ subset_selectors: selectors, fallback_policy: 'ANY_ENDPOINT' }, { stage: 'none' }, [1, 2, 3, 4]);
  const byDefault = {
    subset_selectors: selectors,
    fallback_policy: 'DEFAULT_SUBSET',
    default_subset: { stage: 'dev' },
  };
  check(byDefault, undefined, [3, 4]);
  check(byDefault, { stage: 'none' }, [3, 4]);
  check(byDefault, { stage: 'prod' }, [1, 2]);
  const own = [{ keys: ['stage'], fallback_policy: 'NO_FALLBACK' }];
  check({ ...byDefault, subset_selectors: own }, { stage: 'none' }, []);
  const keys = [
    { keys: ['stage'] },
    { keys: ['stage', 'version'], fallback_policy: 'KEYS_SUBSET', fallback_keys_subset: ['stage'] },
  ];
  check({ subset_selectors: keys }, { stage: 'prod', version: 'v9' }, [1, 2]);
  check({ subset_selectors: selectors, panic_mode_any: true }, { stage: 'none' }, [1, 2, 3, 4]);
});

test('lists', () => {
  check({ subset_selectors: [{ keys: ['version'] }] }, { version: 'v7' }, []);
  check({ subset_selectors: [{ keys: ['version'] }], list_as_any: true }, { version: 'v7' }, [4]);
});

test('subsets follow their hosts', () => {
  const source = fromJson(ClusterSchema, { name: 'c', lb_subset_config: { subset_selectors: selectors } });
  const balancer = createLoadBalancer(planLb(source).plan, localities(all));
  const choose = (): string | undefined =>
    balancer.choose({ random: () => 0, match: { stage: 'prod' } })?.address;
  assert.equal(choose(), '10.0.0.1:80');
  balancer.update(localities([labelled(9, { stage: 'prod' })]));
  assert.equal(choose(), '10.0.0.9:80');
  balancer.update(localities([]));
  assert.equal(choose(), undefined);
  balancer.update(localities([labelled(8, { stage: 'prod' })]));
  assert.equal(choose(), '10.0.0.8:80');
});
