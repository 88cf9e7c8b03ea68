// The state-of-the-world protocol, driven by requests as a client sends them.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { AnySchema } from '@bufbuild/protobuf/wkt';
import {
  DiscoveryRequestSchema,
  type DiscoveryResponse,
  DiscoveryResponseSchema,
} from '@meltemi/envoy-api/envoy/service/discovery/v3/discovery';
import { type Derived, type Input, MemoEngine } from '../../../base/index.ts';
import { type ResourceTypeName, resourceTypes, typeOfUrl, typeUrlOf } from '../../resource-types.ts';
import { Feed, FeedHub, type ServedResource } from '../feed.ts';
import { ResponseBuilder } from './response.ts';
import { SotwSession } from './session.ts';

interface Ask {
  readonly names?: readonly string[];
  readonly nonce?: string;
  readonly refuse?: string;
}

/** A server over resources that the test sets by `type` and name, and a client that records what it is sent. */
class Bench {
  readonly #engine = new MemoEngine();
  readonly #hub = new FeedHub();
  readonly #names = new Map<ResourceTypeName, Input<readonly string[]>>();
  readonly #values = new Map<string, Input<string | undefined>>();
  readonly #feeds = new Map<ResourceTypeName, Feed>();
  readonly responses: DiscoveryResponse[] = [];
  readonly events: string[] = [];
  writable = true;
  readonly session = new SotwSession(
    {
      identify: () => ({ feed: (type) => this.#feed(type) }),
      send: (bytes) => {
        this.responses.push(fromBinary(DiscoveryResponseSchema, bytes));
        return this.writable;
      },
      accepted: (type) => void this.events.push(`accepted ${type}`),
      refused: (type, _version, message) => void this.events.push(`refused ${type}: ${message}`),
    },
    new ResponseBuilder(),
  );

  set(type: ResourceTypeName, values: Readonly<Record<string, string | undefined>>): void {
    for (const [name, value] of Object.entries(values)) this.#value(type, name).set(value);
    const names = new Set(this.#list(type).get());
    for (const [name, value] of Object.entries(values)) {
      if (value === undefined) names.delete(name);
      else names.add(name);
    }
    this.#list(type).set([...names].sort());
    this.#hub.process(this.#engine.takeTouched());
    this.session.flush();
  }

  ask(type: ResourceTypeName, { names = [], nonce = '', refuse }: Ask = {}): void {
    const request = create(DiscoveryRequestSchema, {
      typeUrl: typeUrlOf(type),
      resourceNames: [...names],
      responseNonce: nonce,
      node: { id: 'n' },
      errorDetail: refuse === undefined ? undefined : { message: refuse },
    });
    this.session.request(toBinary(DiscoveryRequestSchema, request));
  }

  /** Accepts the latest response of a type, asking for the same names. */
  accept(type: ResourceTypeName, names: readonly string[] = []): void {
    this.ask(type, { names, nonce: this.last(type).nonce });
  }

  last(type: ResourceTypeName): DiscoveryResponse {
    const found = this.responses.findLast((response) => typeOfUrl(response.typeUrl) === type);
    assert.ok(found, `no ${type} was sent`);
    return found;
  }

  /** What was sent since the last call, as `type: value value`. */
  take(): string[] {
    return this.responses
      .splice(0)
      .map((response) => `${typeOfUrl(response.typeUrl)}: ${response.resources.map((any) => Buffer.from(any.value).toString()).join(' ')}`);
  }

  #list(type: ResourceTypeName): Input<readonly string[]> {
    let list = this.#names.get(type);
    list ??= this.#engine.input<readonly string[]>([], (a, b) => a.join() === b.join());
    this.#names.set(type, list);
    return list;
  }

  #value(type: ResourceTypeName, name: string): Input<string | undefined> {
    const key = `${type}/${name}`;
    let value = this.#values.get(key);
    value ??= this.#engine.input<string | undefined>(undefined);
    this.#values.set(key, value);
    return value;
  }

  #feed(type: ResourceTypeName): Feed {
    let feed = this.#feeds.get(type);
    if (!feed) {
      const list = this.#list(type);
      const cells = new Map<string, Derived<ServedResource | undefined>>();
      feed = new Feed(this.#hub, {
        type,
        names: this.#engine.derive('names', () => list.get()),
        resource: (name) => {
          let cell = cells.get(name);
          cell ??= this.#engine.derive('resource', () => served(name, this.#value(type, name).get()));
          cells.set(name, cell);
          return cell;
        },
      });
      this.#feeds.set(type, feed);
    }
    return feed;
  }
}

function served(name: string, value: string | undefined): ServedResource | undefined {
  return value === undefined
    ? undefined
    : { name, version: value, any: toBinary(AnySchema, create(AnySchema, { typeUrl: 't', value: Buffer.from(value) })) };
}

test('everything of a type is sent at once, and again whole when one resource changes', () => {
  const bench = new Bench();
  bench.set('cluster', { a: 'a1', b: 'b1' });
  bench.ask('cluster');
  assert.deepEqual(bench.take(), ['cluster: a1 b1']);
  bench.set('cluster', { b: 'b2' });
  assert.deepEqual(bench.take(), ['cluster: a1 b2']);
  bench.set('cluster', { a: undefined });
  assert.deepEqual(bench.take(), ['cluster: b2']);
});

test('an acceptance is answered with nothing, and reported', () => {
  const bench = new Bench();
  bench.set('cluster', { a: 'a1' });
  bench.ask('cluster');
  bench.accept('cluster');
  assert.equal(bench.responses.length, 1);
  assert.deepEqual(bench.events, ['accepted cluster']);
});

test('a refused version is reported and not sent again; the next one is', () => {
  const bench = new Bench();
  bench.set('cluster', { a: 'bad' });
  bench.ask('cluster');
  bench.ask('cluster', { nonce: bench.last('cluster').nonce, refuse: 'no such policy' });
  assert.deepEqual(bench.events, ['refused cluster: no such policy']);
  assert.deepEqual(bench.take(), ['cluster: bad']);
  bench.set('cluster', { a: 'good' });
  assert.deepEqual(bench.take(), ['cluster: good']);
});

test('an answer to an older response is passed over', () => {
  const bench = new Bench();
  bench.set('cluster', { a: 'a1' });
  bench.ask('cluster');
  const { nonce } = bench.last('cluster');
  bench.set('cluster', { a: 'a2' });
  bench.take();
  bench.ask('cluster', { nonce, refuse: 'late' });
  assert.deepEqual(bench.events, []);
  assert.deepEqual(bench.take(), []);
});

test('of named resources only what the client lacks is sent', () => {
  const bench = new Bench();
  bench.set('endpoint', { a: 'a1', b: 'b1', c: 'c1' });
  bench.ask('endpoint', { names: ['a', 'b'] });
  assert.deepEqual(bench.take(), ['endpoint: a1 b1']);
  bench.set('endpoint', { c: 'c2' });
  assert.deepEqual(bench.take(), []);
  bench.set('endpoint', { b: 'b2' });
  assert.deepEqual(bench.take(), ['endpoint: b2']);
});

test('a name asked for later is sent alone, and one that appears later when it does', () => {
  const bench = new Bench();
  bench.set('route', { a: 'a1' });
  bench.ask('route', { names: ['a'] });
  bench.ask('route', { names: ['a', 'late'], nonce: bench.last('route').nonce });
  assert.deepEqual(bench.take(), ['route: a1']);
  bench.set('route', { late: 'l1' });
  assert.deepEqual(bench.take(), ['route: l1']);
});

test('asking again for what was accepted gets it again, as a client that warms a cluster anew needs', () => {
  const bench = new Bench();
  bench.set('endpoint', { a: 'a1' });
  bench.ask('endpoint', { names: ['a'] });
  bench.accept('endpoint', ['a']);
  bench.accept('endpoint', ['a']);
  assert.deepEqual(bench.take(), ['endpoint: a1', 'endpoint: a1']);
  assert.deepEqual(bench.events, ['accepted endpoint']);
});

test('routes wait until the client has dealt with a change of clusters', () => {
  const bench = new Bench();
  bench.set('cluster', { a: 'a1' });
  bench.set('route', { r: 'to a' });
  bench.ask('cluster');
  bench.accept('cluster');
  bench.ask('route', { names: ['r'] });
  bench.accept('route', ['r']);
  bench.take();
  bench.set('cluster', { b: 'b1' });
  bench.set('route', { r: 'to b' });
  const sent = bench.responses.at(-1);
  assert.deepEqual(bench.take(), ['cluster: a1 b1']);
  bench.ask('cluster', { nonce: sent?.nonce ?? '' });
  assert.deepEqual(bench.take(), ['route: to b']);
});

test('a full socket holds changes back and the latest state follows', () => {
  const bench = new Bench();
  bench.set('cluster', { a: 'a1' });
  bench.ask('cluster');
  bench.accept('cluster');
  bench.writable = false;
  bench.set('cluster', { a: 'a2' });
  bench.set('cluster', { a: 'a3' });
  bench.set('cluster', { a: 'a4' });
  assert.deepEqual(bench.take(), ['cluster: a1', 'cluster: a2']);
  bench.writable = true;
  bench.session.drained();
  assert.deepEqual(bench.take(), ['cluster: a4']);
});

test('a change back to what the client has sends nothing', () => {
  const bench = new Bench();
  bench.set('endpoint', { a: 'a1' });
  bench.ask('endpoint', { names: ['a'] });
  bench.take();
  bench.writable = false;
  bench.set('endpoint', { a: 'a1' });
  assert.deepEqual(bench.take(), []);
});

test('type names read back from their URLs', () => {
  for (const type of resourceTypes) assert.equal(typeOfUrl(typeUrlOf(type)), type);
});
