import assert from 'node:assert/strict';
import { test } from 'node:test';
import { clusterStatName } from './stat-name.ts';

const subject = {
  hostname: 'shop.default.svc.cluster.local',
  port: 80,
  portName: 'http',
  targetPort: 8080,
  subset: 'v1',
};
const cases: readonly (readonly [pattern: string | undefined, expected: string])[] = [
  [undefined, 'outbound|80|v1|shop;'],
  ['%SERVICE%', 'shop.default;'],
  ['%SERVICE_FQDN%_%SERVICE_PORT%', 'shop.default.svc.cluster.local_80;'],
  ['%TARGET_PORT%-%SERVICE_PORT_NAME%-%SUBSET_NAME%', '8080-http-v1;'],
  ['%UNKNOWN%', '%UNKNOWN%;'],
];

for (const [pattern, expected] of cases) {
  test(`name in statistics: ${pattern ?? 'none'}`, () => {
    assert.equal(clusterStatName(pattern, 'outbound|80|v1|shop', subject, 'cluster.local'), expected);
  });
}
