import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  clusterName,
  clusterSni,
  detectedRouteName,
  parseClusterName,
  parseSidecarRouteName,
  sidecarRouteName,
} from './names.ts';

const port = fc.integer({ min: 0, max: 65_535 });
const host = fc.stringMatching(/^(\*\.)?[a-z0-9]([a-z0-9.-]{0,20})$/);
const subset = fc.stringMatching(/^[a-z0-9-]{0,10}$/);

test('cluster names read back', () => {
  fc.assert(
    fc.property(
      fc.constantFrom('outbound' as const, 'inbound' as const),
      port,
      subset,
      host,
      (direction, number, name, hostname) => {
        const cluster = { direction, port: number, subset: name, host: hostname };
        assert.deepEqual(parseClusterName(clusterName(cluster)), cluster);
      },
    ),
  );
});

test('what is no cluster of a service is not read as one', () => {
  for (const name of [
    '',
    'PassthroughCluster',
    'outbound|x||h',
    'outbound|80|h',
    'outbound|80||h|more',
    'sideways|80||h',
    'outbound|||h',
  ])
    assert.equal(parseClusterName(name), undefined);
});

test('names are those of Istio', () => {
  const cluster = {
    direction: 'outbound',
    port: 9080,
    subset: 'v1',
    host: 'reviews.default.svc.cluster.local',
  } as const;
  assert.equal(clusterName(cluster), 'outbound|9080|v1|reviews.default.svc.cluster.local');
  assert.equal(clusterSni(cluster), 'outbound_.9080_.v1_.reviews.default.svc.cluster.local');
});

test('route names of sidecars read back', () => {
  fc.assert(
    fc.property(port, host, (number, hostname) => {
      assert.deepEqual(parseSidecarRouteName(sidecarRouteName(number)), { port: number });
      assert.deepEqual(parseSidecarRouteName(detectedRouteName(hostname, number)), {
        host: hostname,
        port: number,
      });
    }),
  );
  assert.equal(parseSidecarRouteName('http_proxy'), undefined);
});
