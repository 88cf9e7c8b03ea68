import assert from 'node:assert/strict';
import { test } from 'node:test';
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { NodeSchema } from '@meltemi/envoy-api/envoy/config/core/v3/base';
import {
  type DiscoveryRequest,
  DiscoveryRequestSchema,
  DiscoveryResponseSchema,
} from '@meltemi/envoy-api/envoy/service/discovery/v3/discovery';
import { type ByteStreamEvents, SotwClient } from './sotw-client.ts';

const type = 'type.example/T';
const other = 'type.example/U';

/** A server under the test's control, and a clock that runs when told. */
class Bench {
  readonly requests: DiscoveryRequest[] = [];
  readonly waits: number[] = [];
  readonly client: SotwClient;
  events: ByteStreamEvents | undefined;
  #due: (() => void) | undefined;

  constructor() {
    this.client = new SotwClient({
      node: create(NodeSchema, { id: 'n' }),
      open: (events) => {
        this.events = events;
        return {
          send: (bytes) => void this.requests.push(fromBinary(DiscoveryRequestSchema, bytes)),
          end: () => undefined,
        };
      },
      timers: {
        after: (ms, run) => {
          this.waits.push(ms);
          this.#due = run;
          return { cancel: () => undefined };
        },
        random: () => 1,
      },
    });
  }

  respond(versionInfo: string, nonce: string, typeUrl = type): void {
    this.events?.onMessage(
      toBinary(DiscoveryResponseSchema, create(DiscoveryResponseSchema, { versionInfo, nonce, typeUrl })),
    );
  }

  wake(): void {
    this.#due?.();
  }

  take(): readonly (readonly [string, string, string, string | undefined, string])[] {
    return this.requests
      .splice(0)
      .map(
        (one) =>
          [
            one.typeUrl,
            one.versionInfo,
            one.responseNonce,
            one.errorDetail?.message,
            one.resourceNames.join(),
          ] as const,
      );
  }
}

test('the first request carries the node, later ones do not', () => {
  const bench = new Bench();
  bench.client.start();
  bench.client.subscribe(type, [], () => []);
  bench.client.subscribe(other, ['a'], () => []);
  assert.deepEqual(
    bench.requests.map((one) => one.node?.id),
    ['n', undefined],
  );
});

test('acknowledges with version and nonce', () => {
  const bench = new Bench();
  bench.client.subscribe(type, ['a'], () => []);
  bench.client.start();
  bench.respond('v1', 'n1');
  assert.deepEqual(bench.take(), [
    [type, '', '', undefined, 'a'],
    [type, 'v1', 'n1', undefined, 'a'],
  ]);
});

test('refuses with the last good version and every problem, then accepts the repair', () => {
  const bench = new Bench();
  let problems: string[] = [];
  bench.client.subscribe(type, [], () => problems);
  bench.client.start();
  bench.respond('v1', 'n1');
  problems = ['a: bad', 'b: worse'];
  bench.respond('v2', 'n2');
  problems = [];
  bench.respond('v3', 'n3');
  assert.deepEqual(bench.take().slice(1), [
    [type, 'v1', 'n1', undefined, ''],
    [type, 'v1', 'n2', 'a: bad\nb: worse', ''],
    [type, 'v3', 'n3', undefined, ''],
  ]);
});

test('an exception while applying is a refusal', () => {
  const bench = new Bench();
  bench.client.subscribe(type, [], () => {
    throw new Error('boom');
  });
  bench.client.start();
  bench.respond('v1', 'n1');
  assert.deepEqual(bench.take().at(-1), [type, '', 'n1', 'boom', '']);
});

test('changed names are asked for once, with the nonce in force', () => {
  const bench = new Bench();
  bench.client.subscribe(type, ['a'], () => []);
  bench.client.start();
  bench.respond('v1', 'n1');
  bench.take();
  bench.client.rename(type, ['b', 'a']);
  bench.client.rename(type, ['a', 'b']);
  assert.deepEqual(bench.take(), [[type, 'v1', 'n1', undefined, 'b,a']]);
});

test('reconnects with growing waits, keeping versions and forgetting nonces', () => {
  const bench = new Bench();
  bench.client.subscribe(type, ['a'], () => []);
  bench.client.start();
  bench.respond('v1', 'n1');
  bench.take();
  bench.events?.onClosed('gone');
  bench.wake();
  assert.deepEqual(bench.take(), [[type, 'v1', '', undefined, 'a']]);
  bench.events?.onClosed('gone');
  bench.wake();
  bench.events?.onClosed('gone');
  assert.deepEqual(bench.waits, [500, 1000, 2000]);
  bench.wake();
  bench.respond('v2', 'n1');
  bench.events?.onClosed('gone');
  assert.equal(bench.waits.at(-1), 500);
});

test('a stream that was replaced is not listened to', () => {
  const bench = new Bench();
  const applied: string[] = [];
  bench.client.subscribe(type, [], (_resources, version) => {
    applied.push(version);
    return [];
  });
  bench.client.start();
  const old = bench.events;
  old?.onClosed('gone');
  bench.wake();
  old?.onMessage(
    toBinary(
      DiscoveryResponseSchema,
      create(DiscoveryResponseSchema, { versionInfo: 'late', typeUrl: type }),
    ),
  );
  bench.respond('v1', 'n1');
  assert.deepEqual(applied, ['v1']);
});
