import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fromJson, type JsonObject } from '@bufbuild/protobuf';
import { OutlierDetectionSchema } from '@meltemi/envoy-api/envoy/config/cluster/v3/outlier_detection';
import fc from 'fast-check';
import { planOutlier } from '../../plan/cluster/outlier-plan.ts';
import { OutlierDetector, type OutlierEvent, type OutlierVerdict } from './detector.ts';

const names = (count: number) => Array.from({ length: count }, (_, i) => `h${i}`);

function detector(json: JsonObject, hosts = 4, random = () => 0.5): OutlierDetector {
  const made = new OutlierDetector(planOutlier(fromJson(OutlierDetectionSchema, json)), random);
  made.setHosts(names(hosts));
  return made;
}

const status = (code: number): OutlierEvent => ({ kind: 'response', status: code });
const all: JsonObject = { max_ejection_percent: 100 };

/** The events of one host in turn; the verdicts they led to, in words. */
function check(config: JsonObject, events: readonly OutlierEvent[], expected: readonly string[]): void {
  const made = detector({ ...all, ...config });
  const verdicts = events.flatMap((event, now) => made.report('h0', event, now) ?? []);
  assert.deepEqual(verdicts.map(words), expected, JSON.stringify({ config, events }));
}

function words(verdict: OutlierVerdict): string {
  return verdict.kind === 'uneject'
    ? `uneject ${verdict.host}`
    : `${verdict.kind} ${verdict.host} ${verdict.reason}`;
}

const reset: OutlierEvent = { kind: 'reset' };
const refused: OutlierEvent = { kind: 'localFailure' };
const timeout: OutlierEvent = { kind: 'localTimeout' };
const connected: OutlierEvent = { kind: 'localSuccess' };

test('failures in a row', () => {
  const two = { consecutive_5xx: 2 };
  check({}, Array(4).fill(status(500)), []);
  check({}, Array(5).fill(status(500)), ['eject h0 consecutive5xx']);
  check(two, [status(500), status(200), status(500)], []);
  check(two, [status(500), reset], ['eject h0 consecutive5xx']);
  check(two, [refused, connected, timeout], ['eject h0 consecutive5xx']);
  check(two, [status(499), status(499)], []);
  check({ consecutive_5xx: 0 }, Array(50).fill(status(500)), []);
  check({ ...two, enforcing_consecutive_5xx: 0 }, [status(500), status(500)], ['spared h0 consecutive5xx']);
  check({ ...two, enforcing_consecutive_5xx: 50 }, [status(500), status(500)], ['spared h0 consecutive5xx']);
  check({ ...two, enforcing_consecutive_5xx: 51 }, [status(500), status(500)], ['eject h0 consecutive5xx']);
});

test('gateway failures', () => {
  const gateway = { consecutive_gateway_failure: 2, enforcing_consecutive_gateway_failure: 100 };
  check(gateway, [status(502), status(504)], ['eject h0 consecutiveGatewayFailure']);
  check(gateway, [status(502), status(500), status(503)], []);
  check(gateway, [refused, timeout], ['eject h0 consecutiveGatewayFailure']);
  check(
    { ...gateway, consecutive_5xx: 2 },
    [status(502), status(502)],
    ['eject h0 consecutiveGatewayFailure'],
  );
  check(
    { consecutive_gateway_failure: 2, consecutive_5xx: 2 },
    [status(502), status(502)],
    ['eject h0 consecutive5xx'],
  );
});

test('local errors apart', () => {
  const split = {
    split_external_local_origin_errors: true,
    consecutive_local_origin_failure: 2,
    consecutive_5xx: 2,
  };
  check(split, [refused, timeout], ['eject h0 consecutiveLocalOriginFailure']);
  check(split, [refused, connected, refused], []);
  check(split, [refused, status(500), status(500)], ['eject h0 consecutive5xx']);
});

test('no more than the allowed part is ejected', () => {
  const eject = (config: JsonObject, hosts: number) => {
    const made = detector({ consecutive_5xx: 1, ...config }, hosts);
    return names(hosts).filter((name) => made.report(name, status(500), 0)?.kind === 'eject').length;
  };
  assert.equal(eject({}, 4), 0);
  assert.equal(eject({}, 10), 1);
  assert.equal(eject({ always_eject_one_host: true }, 4), 1);
  assert.equal(eject({ max_ejection_percent: 50 }, 4), 2);
  assert.equal(eject({ max_ejection_percent: 100 }, 4), 4);
});

test('a host comes back after its time, which grows with every ejection', () => {
  const made = detector({ ...all, consecutive_5xx: 1, base_ejection_time: '10s', max_ejection_time: '15s' });
  const ejectAt = (now: number) => made.report('h0', status(500), now)?.kind;
  assert.equal(ejectAt(0), 'eject');
  assert.equal(made.report('h0', status(500), 1), undefined);
  assert.deepEqual(made.tick(9_999), []);
  assert.deepEqual(made.tick(10_000).map(words), ['uneject h0']);
  assert.equal(ejectAt(10_001), 'eject');
  assert.deepEqual(made.tick(20_002), []);
  assert.deepEqual(made.tick(25_001).map(words), ['uneject h0']);
});

test('quiet intervals shorten the next ejection', () => {
  const made = detector({ ...all, consecutive_5xx: 1, base_ejection_time: '10s' });
  made.report('h0', status(500), 0);
  made.tick(10_000);
  made.tick(20_000);
  made.report('h0', status(500), 20_000);
  assert.deepEqual(made.tick(30_000).map(words), ['uneject h0']);
});

test('success rate and failure percentage', () => {
  const run = (config: JsonObject) => {
    const made = detector({ ...all, consecutive_5xx: 0, ...config }, 5);
    for (const name of names(5))
      for (let i = 0; i < 100; i++) made.report(name, status(name === 'h3' && i < 90 ? 500 : 200), 0);
    return made.tick(1000).map(words);
  };
  assert.deepEqual(run({}), ['eject h3 successRate']);
  assert.deepEqual(run({ enforcing_success_rate: 0, enforcing_failure_percentage: 100 }), [
    'spared h3 successRate',
    'eject h3 failurePercentage',
  ]);
  assert.deepEqual(run({ success_rate_minimum_hosts: 6, failure_percentage_minimum_hosts: 6 }), []);
  assert.deepEqual(run({ success_rate_request_volume: 101, failure_percentage_request_volume: 101 }), []);
});

test('a member that leaves frees its place', () => {
  const made = detector({ consecutive_5xx: 1, max_ejection_percent: 50 }, 2);
  made.report('h0', status(500), 0);
  assert.deepEqual([made.ejectedCount, made.isEjected('h0')], [1, true]);
  made.setHosts(['h1', 'h2']);
  assert.deepEqual([made.ejectedCount, made.isEjected('h0')], [0, false]);
  assert.equal(made.report('h0', status(500), 1), undefined);
});

test('whatever happens, the number of ejected hosts fits the limit and the books agree', () => {
  const event = fc.constantFrom(status(200), status(500), status(503), reset, refused, timeout, connected);
  const step = fc.record({ host: fc.integer({ min: 0, max: 9 }), event, tick: fc.boolean() });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 300 }), fc.integer({ min: 0, max: 100 }), (steps, percent) => {
      const made = detector(
        { consecutive_5xx: 2, max_ejection_percent: percent, base_ejection_time: '1s' },
        10,
      );
      const ejected = new Set<string>();
      for (const [i, { host, event, tick }] of steps.entries()) {
        const verdicts = [made.report(`h${host}`, event, i * 100), ...(tick ? made.tick(i * 100) : [])];
        for (const verdict of verdicts) {
          if (verdict?.kind === 'eject') ejected.add(verdict.host);
          if (verdict?.kind === 'uneject') ejected.delete(verdict.host);
        }
        assert.equal(made.ejectedCount, ejected.size);
        assert.ok(ejected.size * 10 <= percent);
      }
    }),
    { seed: 1 },
  );
});
