// For tests: a session of either protocol over resources that the test sets, and a client that keeps what it
// is sent.
import assert from 'node:assert/strict';
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import type { Any } from '@bufbuild/protobuf/wkt';
import {
  DeltaDiscoveryRequestSchema,
  DeltaDiscoveryResponseSchema,
  DiscoveryRequestSchema,
  DiscoveryResponseSchema,
} from '@meltemi/envoy-api/envoy/service/discovery/v3/discovery';
import { hasWildcard, type ResourceTypeName, typeOfUrl, typeUrlOf } from '../../resource-types.ts';
import { DeltaSession, DeltaSharing } from '../delta/session.ts';
import type { Session, SessionEvents } from '../session.ts';
import { SotwSession, SotwSharing } from '../sotw/session.ts';
import { type ResourceChange, TestResources } from './test-resources.ts';

export type Protocol = 'sotw' | 'delta';
export const protocols: readonly Protocol[] = ['sotw', 'delta'];

export interface Request {
  readonly subscribe?: readonly string[];
  readonly unsubscribe?: readonly string[];
  readonly nonce?: string;
  readonly refuse?: string | undefined;
  /** Delta: what the client has from an earlier stream. */
  readonly has?: Readonly<Record<string, string>>;
}

export interface Received {
  readonly type: ResourceTypeName;
  readonly nonce: string;
  readonly names: readonly string[];
  readonly removed: readonly string[];
  /** What it did to the client: `cluster +a1 ~b2 -c`; `cluster =` for nothing. */
  readonly effect: string;
}

export class Exchange {
  readonly protocol: Protocol;
  readonly session: Session;
  readonly events: string[] = [];
  #isFull = false;
  #fillsUp = false;
  readonly #resources = new TestResources();
  readonly #received: Received[] = [];
  readonly #has = new Map<ResourceTypeName, Map<string, string>>();
  readonly #names = new Map<ResourceTypeName, Set<string>>();
  #patience: (() => void) | undefined;
  #taken = 0;

  constructor(protocol: Protocol) {
    this.protocol = protocol;
    const events: SessionEvents = {
      identify: () => this.#resources,
      maySend: () => !this.#isFull,
      send: (bytes) => this.#receive(bytes),
      acknowledged: (type) => void this.events.push(`acknowledged ${type}`),
      refused: (type, resources, reason) =>
        void this.events.push(`refused ${type} ${resources.map(({ name }) => name).join(' ')}: ${reason}`),
      later: (run) => {
        this.#patience = run;
        return () => {
          this.#patience = undefined;
        };
      },
    };
    this.session =
      protocol === 'sotw'
        ? new SotwSession(events, new SotwSharing())
        : new DeltaSession(events, new DeltaSharing());
  }

  /**
   * One change of the server's resources; undefined removes. A cluster whose value starts with `eds` needs
   * endpoints.
   */
  set(change: ResourceChange): this {
    this.#resources.set(change);
    this.session.flush();
    return this;
  }

  ask(type: ResourceTypeName, request: Request = {}): this {
    const names = this.#names.get(type) ?? new Set<string>();
    this.#names.set(type, names);
    for (const name of request.subscribe ?? []) names.add(name);
    for (const name of request.unsubscribe ?? []) names.delete(name);
    const shared = {
      typeUrl: typeUrlOf(type),
      responseNonce: request.nonce ?? '',
      node: { id: 'n' },
      errorDetail: request.refuse === undefined ? undefined : { message: request.refuse },
    };
    this.session.request(
      this.protocol === 'sotw'
        ? toBinary(
            DiscoveryRequestSchema,
            create(DiscoveryRequestSchema, { ...shared, resourceNames: [...names] }),
          )
        : toBinary(
            DeltaDiscoveryRequestSchema,
            create(DeltaDiscoveryRequestSchema, {
              ...shared,
              resourceNamesSubscribe: [...(request.subscribe ?? [])],
              resourceNamesUnsubscribe: [...(request.unsubscribe ?? [])],
              initialResourceVersions: request.has ?? {},
            }),
          ),
    );
    return this;
  }

  /** The client has a resource from an earlier stream. */
  keep(type: ResourceTypeName, values: Readonly<Record<string, string>>): void {
    for (const [name, value] of Object.entries(values)) this.has(type).set(name, value);
  }

  /** Accepts the latest response of each type. */
  accept(...types: readonly ResourceTypeName[]): this {
    for (const type of types) this.ask(type, { nonce: this.last(type).nonce });
    return this;
  }

  refuse(type: ResourceTypeName, message: string): this {
    return this.ask(type, { nonce: this.last(type).nonce, refuse: message });
  }

  last(type: ResourceTypeName): Received {
    const found = this.#received.findLast((response) => response.type === type);
    assert.ok(found, `no ${type} was sent`);
    return found;
  }

  /** The effects of the responses since the last call. */
  take(): string[] {
    const news = this.#received.slice(this.#taken);
    this.#taken = this.#received.length;
    return news.map((response) => response.effect);
  }

  /** Looks away from what was sent so far. */
  discard(): this {
    this.take();
    return this;
  }

  has(type: ResourceTypeName): Map<string, string> {
    const known = this.#has.get(type) ?? new Map<string, string>();
    this.#has.set(type, known);
    return known;
  }

  /** The client gives a resource up. */
  forget(type: ResourceTypeName, name: string): this {
    this.has(type).delete(name);
    return this;
  }

  /** The same resources from feeds of their own, as in another view. */
  replaceFeeds(): this {
    this.session.replaceFeeds(this.#resources.again());
    return this;
  }

  expectSettled(): void {
    assert.ok(this.session.settled);
  }

  /** The time in which a client asks for what follows is over. */
  runOutOfPatience(): void {
    const run = this.#patience;
    this.#patience = undefined;
    run?.();
  }

  /** The socket takes the next response and is full then. */
  fill(): this {
    this.#fillsUp = true;
    return this;
  }

  drain(): void {
    this.#isFull = false;
    this.#fillsUp = false;
    this.session.flush();
  }

  #receive(bytes: Uint8Array): void {
    this.#isFull = this.#fillsUp;
    const response =
      this.protocol === 'sotw'
        ? readFull(fromBinary(DiscoveryResponseSchema, bytes))
        : readDelta(fromBinary(DeltaDiscoveryResponseSchema, bytes));
    const { type } = response;
    const has = this.has(type);
    const removed =
      this.protocol === 'sotw' && hasWildcard(type)
        ? [...has.keys()].filter(
            (name) => !response.resources.some((any) => this.#resources.known(any).name === name),
          )
        : response.removed;
    const effects: string[] = [];
    const names: string[] = [];
    for (const any of response.resources) {
      const { name, value } = this.#resources.known(any);
      names.push(name);
      const before = has.get(name);
      if (before !== value) effects.push(`${before === undefined ? '+' : '~'}${value}`);
      else if (this.protocol === 'delta' || !hasWildcard(type)) effects.push(`!${value}`);
      has.set(name, value);
    }
    for (const name of removed) {
      has.delete(name);
      effects.push(`-${name}`);
    }
    this.#received.push({
      type,
      nonce: response.nonce,
      names,
      removed,
      effect: [type, ...(effects.length ? effects : ['='])].join(' '),
    });
  }
}

interface Response {
  readonly type: ResourceTypeName;
  readonly nonce: string;
  readonly resources: readonly Any[];
  readonly removed: readonly string[];
}

function readFull(message: { typeUrl: string; nonce: string; resources: Any[] }): Response {
  return {
    type: knownType(message.typeUrl),
    nonce: message.nonce,
    resources: message.resources,
    removed: [],
  };
}

function readDelta(message: {
  typeUrl: string;
  nonce: string;
  resources: { name: string; version: string; resource?: Any | undefined }[];
  removedResources: string[];
}): Response {
  const resources = message.resources.map((wrapped) => {
    assert.ok(wrapped.resource && wrapped.name !== '' && wrapped.version !== '');
    return wrapped.resource;
  });
  return {
    type: knownType(message.typeUrl),
    nonce: message.nonce,
    resources,
    removed: message.removedResources,
  };
}

function knownType(url: string): ResourceTypeName {
  const type = typeOfUrl(url);
  assert.ok(type, url);
  return type;
}
