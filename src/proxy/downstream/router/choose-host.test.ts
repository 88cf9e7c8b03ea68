import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LbContext } from '../../decide/lb/index.ts';
import { Host } from '../../upstream/host.ts';
import { rawTransport } from '../../upstream/transport/dial.ts';
import { type Choice, chooseHost } from './choose-host.ts';

const host = (n: number, more: { priority?: number; canary?: boolean } = {}): Host => {
  const metadata: Host['metadata'] = more.canary ? { 'envoy.lb': { canary: true } } : {};
  const address = `10.0.0.${n}:80`;
  const one = new Host({
    ip: `10.0.0.${n}`,
    port: 80,
    address,
    hostname: '',
    weight: 1,
    health: 'healthy',
    metadata,
    addedAt: 0,
    transport: rawTransport,
  });
  one.priority = more.priority ?? 0;
  return one;
};

const plan = {
  avoidPreviousHosts: false,
  omitCanaryHosts: false,
  previousPriorities: undefined,
  hostSelectionAttempts: 5,
};

/** What the balancer is asked with. */
function asked(
  retry: object | undefined,
  tried: readonly Host[],
  match: { route?: object; weighted?: object } = {},
): LbContext<Host> {
  let context: LbContext<Host> | undefined;
  const cluster = {
    plan: { discovery: 'eds' },
    choose: (given: LbContext<Host>) => {
      context = given;
    },
  };
  const choice = {
    stream: { connection: { env: { random: Math.random, clock: { now: () => 7 } }, info: {} } },
    decision: {
      route: { metadataMatch: match.route },
      weighted: match.weighted && { metadataMatch: match.weighted },
    },
    hash: undefined,
    retry: retry && { ...plan, ...retry },
    tried,
  };
  chooseHost(cluster as unknown as Parameters<typeof chooseHost>[0], choice as unknown as Choice);
  assert.ok(context);
  return context;
}

test('a first try has nothing to avoid', () => {
  const context = asked(
    { avoidPreviousHosts: true, omitCanaryHosts: true, previousPriorities: { updateFrequency: 1 } },
    [],
  );
  assert.deepEqual([context.avoid, context.avoidPriorities, context.now], [undefined, undefined, 7]);
});

test('hosts that were tried, and canaries', () => {
  const [first, other, canary] = [host(1), host(2), host(3, { canary: true })];
  const previous = asked({ avoidPreviousHosts: true }, [first]);
  assert.deepEqual(
    [previous.avoid?.(first), previous.avoid?.(other), previous.avoid?.(canary), previous.maxAttempts],
    [true, false, false, 5],
  );
  const omitting = asked({ omitCanaryHosts: true }, [first]);
  assert.deepEqual([omitting.avoid?.(first), omitting.avoid?.(canary)], [false, true]);
  assert.equal(asked({}, [first]).avoid, undefined);
});

test('priorities are given up in rounds', () => {
  const tried = [host(1, { priority: 0 }), host(2, { priority: 1 }), host(3, { priority: 2 })];
  const avoided = (rounds: number, count: number): readonly number[] | undefined =>
    asked({ previousPriorities: { updateFrequency: rounds } }, tried.slice(0, count)).avoidPriorities;
  assert.deepEqual(
    [avoided(1, 1), avoided(1, 3), avoided(2, 1), avoided(2, 2), avoided(2, 3)],
    [[0], [0, 1, 2], undefined, [0, 1], [0, 1]],
  );
});

test('metadata of the weighted entry before that of the route', () => {
  assert.deepEqual(asked(undefined, [], { route: { a: 1 } }).match, { a: 1 });
  assert.deepEqual(asked(undefined, [], { route: { a: 1 }, weighted: { a: 1, b: 2 } }).match, { a: 1, b: 2 });
  assert.equal(asked(undefined, []).match, undefined);
});
