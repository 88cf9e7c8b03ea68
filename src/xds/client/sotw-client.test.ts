import assert from 'node:assert/strict';
import { test } from 'node:test';
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { NodeSchema } from '@meltemi/envoy-api/envoy/config/core/v3/base';
import {
  type DiscoveryRequest,
  DiscoveryRequestSchema,
  DiscoveryResponseSchema,
} from '@meltemi/envoy-api/envoy/service/discovery/v3/discovery';
import { type ByteStreamEvents, SotwClient, type SotwEvent } from './sotw-client.ts';

const type = 'type.example/T';
const other = 'type.example/U';

/** A server under the test's control, and a clock that runs when told. */
class Bench {
  readonly requests: DiscoveryRequest[] = [];
  readonly waits: number[] = [];
  readonly client: SotwClient;
  readonly notes: SotwEvent[] = [];
  events: ByteStreamEvents | undefined;
  /** Streams close as they open. */
  refusing = false;
  chance = 1;
  ends = 0;
  cancelled = 0;
  #due: (() => void) | undefined;

  constructor() {
    this.client = new SotwClient({
      node: create(NodeSchema, { id: 'n' }),
      open: (events) => {
        this.events = events;
        if (this.refusing) events.onClosed('refused');
        return {
          send: (bytes) => void this.requests.push(fromBinary(DiscoveryRequestSchema, bytes)),
          end: () => void this.ends++,
        };
      },
      note: (event) => this.notes.push(event),
      timers: {
        after: (ms, run) => {
          this.waits.push(ms);
          this.#due = run;
          return { cancel: () => void this.cancelled++ };
        },
        random: () => this.chance,
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

test('a response that cannot be read ends its stream, and a new one begins', () => {
  const bench = new Bench();
  bench.client.subscribe(type, ['a'], () => []);
  bench.client.start();
  bench.respond('v1', 'n1');
  bench.take();
  bench.events?.onMessage(new Uint8Array([255]));
  assert.deepEqual([bench.ends, bench.waits.length, bench.take()], [1, 1, []]);
  bench.wake();
  assert.deepEqual(bench.take(), [[type, 'v1', '', undefined, 'a']]);
});

test('a type that nobody asked for is not answered', () => {
  const bench = new Bench();
  bench.client.subscribe(type, [], () => []);
  bench.client.start();
  bench.take();
  bench.respond('v1', 'n1', other);
  assert.deepEqual(bench.take(), []);
});

test('each type has its own version and nonce', () => {
  const bench = new Bench();
  bench.client.subscribe(type, [], () => []);
  bench.client.subscribe(other, [], () => ['bad']);
  bench.client.start();
  bench.take();
  bench.respond('v1', 'n1', type);
  bench.respond('v9', 'n2', other);
  bench.client.rename(type, ['x']);
  bench.client.rename(other, ['y']);
  assert.deepEqual(bench.take(), [
    [type, 'v1', 'n1', undefined, ''],
    [other, '', 'n2', 'bad', ''],
    [type, 'v1', 'n1', undefined, 'x'],
    [other, '', 'n2', undefined, 'y'],
  ]);
});

test('names change also while there is no stream, and before a subscription they are nobody’s', () => {
  const bench = new Bench();
  bench.client.rename(type, ['a']);
  bench.client.subscribe(type, ['b'], () => []);
  bench.client.start();
  bench.take();
  bench.events?.onClosed('gone');
  bench.client.rename(type, ['c']);
  assert.deepEqual(bench.take(), []);
  bench.wake();
  assert.deepEqual(bench.take(), [[type, '', '', undefined, 'c']]);
});

test('a stream that closes while it opens is tried again', () => {
  const bench = new Bench();
  bench.refusing = true;
  bench.client.subscribe(type, [], () => []);
  bench.client.start();
  assert.deepEqual([bench.waits.length, bench.take()], [1, []]);
  bench.refusing = false;
  bench.wake();
  assert.equal(bench.take().length, 1);
});

test('the wait has a limit, and chance in it', () => {
  const bench = new Bench();
  bench.client.start();
  for (let i = 0; i < 12; i++) {
    bench.events?.onClosed('gone');
    bench.wake();
  }
  assert.equal(bench.waits.at(-1), 30_000);
  bench.chance = 0;
  bench.events?.onClosed('gone');
  assert.equal(bench.waits.at(-1), 15_000);
});

test('a stream that closes twice is one that closed', () => {
  const bench = new Bench();
  bench.client.start();
  const { events } = bench;
  events?.onClosed('gone');
  events?.onClosed('gone');
  assert.equal(bench.waits.length, 1);
  bench.wake();
  // The one before has nothing to say of the one in use.
  events?.onClosed('gone');
  assert.equal(bench.waits.length, 1);
});

test('one that is stopped neither listens nor connects again', () => {
  const bench = new Bench();
  const applied: string[] = [];
  bench.client.subscribe(type, [], (_resources, version) => {
    applied.push(version);
    return [];
  });
  bench.client.start();
  bench.client.stop();
  bench.respond('v1', 'n1');
  bench.events?.onClosed('gone');
  assert.deepEqual([applied, bench.waits, bench.ends], [[], [], 1]);
});

test('one that is stopped while it waits does not connect again', () => {
  const bench = new Bench();
  bench.client.start();
  bench.events?.onClosed('gone');
  bench.client.stop();
  assert.equal(bench.cancelled, 1);
});

test('what became of each response is told', () => {
  const bench = new Bench();
  let problems: string[] = [];
  bench.client.subscribe(type, [], () => problems);
  bench.client.start();
  bench.respond('v1', 'n1');
  problems = ['bad'];
  bench.respond('v2', 'n2');
  bench.events?.onClosed('gone');
  assert.deepEqual(bench.notes, [
    { kind: 'accepted', typeUrl: type, version: 'v1' },
    { kind: 'refused', typeUrl: type, version: 'v2', problems: ['bad'] },
    { kind: 'lost', detail: 'gone', retryMs: 500 },
  ]);
});
