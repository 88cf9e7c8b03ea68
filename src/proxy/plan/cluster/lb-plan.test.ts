import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fromJson, type JsonValue } from '@bufbuild/protobuf';
import { ClusterSchema } from '@meltemi/envoy-api/envoy/config/cluster/v3/cluster';
import { type LbPlan, planLb } from './lb-plan.ts';

function check(cluster: JsonValue, expected: Partial<LbPlan>, problem?: RegExp): void {
  const { plan, problems } = planLb(fromJson(ClusterSchema, cluster));
  assert.deepEqual({ ...plan, ...expected }, plan);
  if (problem) assert.match(problems.join(), problem);
  else assert.deepEqual(problems, []);
}

test('policies and their defaults', () => {
  check(
    {},
    {
      policy: { kind: 'roundRobin', slowStart: undefined },
      panicThreshold: 50,
      overprovisioning: 140,
      localityWeighted: false,
    },
  );
  check(
    { lb_policy: 'LEAST_REQUEST' },
    { policy: { kind: 'leastRequest', choices: 2, bias: 1, slowStart: undefined } },
  );
  check(
    { lb_policy: 'RANDOM', common_lb_config: { healthy_panic_threshold: {} } },
    { policy: { kind: 'random' }, panicThreshold: 0 },
  );
  check(
    { lb_policy: 'RING_HASH', ring_hash_lb_config: { minimum_ring_size: '64' } },
    { policy: { kind: 'ringHash', minSize: 64, maxSize: 8_388_608 } },
  );
  check({ lb_policy: 'MAGLEV' }, { policy: { kind: 'maglev', tableSize: 65_537 } });
  check(
    { lb_policy: 'CLUSTER_PROVIDED', common_lb_config: { locality_weighted_lb_config: {} } },
    { policy: { kind: 'clusterProvided' }, localityWeighted: true },
  );
  const slow = {
    slow_start_config: {
      slow_start_window: '600s',
      aggression: { default_value: 1.5, runtime_key: 'k' },
      min_weight_percent: { value: 50 },
    },
  };
  check(
    { round_robin_lb_config: slow },
    { policy: { kind: 'roundRobin', slowStart: { window: 600_000, aggression: 1.5, minWeight: 0.5 } } },
  );
});

test('what is refused', () => {
  check({ lb_policy: 'MAGLEV', maglev_lb_config: { table_size: '65536' } }, {}, /prime/);
  check(
    { lb_policy: 'RING_HASH', ring_hash_lb_config: { minimum_ring_size: '9', maximum_ring_size: '8' } },
    {},
    /minimum_ring_size/,
  );
  check({ lb_policy: 'RING_HASH', ring_hash_lb_config: { hash_function: 'MURMUR_HASH_2' } }, {}, /MURMUR/);
});
