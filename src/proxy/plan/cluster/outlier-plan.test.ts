import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fromJson, type JsonValue } from '@bufbuild/protobuf';
import { OutlierDetectionSchema } from '@meltemi/envoy-api/envoy/config/cluster/v3/outlier_detection';
import { type OutlierPlan, planOutlier } from './outlier-plan.ts';

function check(json: object, expected: Partial<OutlierPlan>): void {
  const plan = planOutlier(fromJson(OutlierDetectionSchema, json as JsonValue));
  assert.deepEqual({ ...plan, ...expected }, plan);
}

test("Envoy's defaults", () => {
  check(
    {},
    {
      interval: 10_000,
      baseEjectionTime: 30_000,
      maxEjectionTime: 300_000,
      maxEjectionPercent: 10,
      consecutive5xx: 5,
      consecutiveGatewayFailure: 5,
      enforcing: {
        consecutive5xx: 100,
        consecutiveGatewayFailure: 0,
        consecutiveLocalOriginFailure: 100,
        successRate: 100,
        successRateLocalOrigin: 100,
        failurePercentage: 0,
        failurePercentageLocalOrigin: 0,
      },
    },
  );
});

test('nobody is ejected for less than the base time, nor more than all', () => {
  check(
    { base_ejection_time: '600s', max_ejection_percent: 100 },
    { maxEjectionTime: 600_000, maxEjectionPercent: 100 },
  );
  check({ base_ejection_time: '1s', max_ejection_time: '2s' }, { maxEjectionTime: 2000 });
});

test('thresholds of comparisons', () => {
  check(
    { success_rate_stdev_factor: 1000, failure_percentage_threshold: 50, consecutive_5xx: 0 },
    {
      successRate: { minimumHosts: 5, requestVolume: 100, stdevFactor: 1 },
      failurePercentage: { minimumHosts: 5, requestVolume: 50, threshold: 50 },
      consecutive5xx: 0,
    },
  );
});
