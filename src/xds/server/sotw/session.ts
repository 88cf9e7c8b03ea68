// One client of the state-of-the-world protocol, without its socket: requests in, responses out.
// https://www.envoyproxy.io/docs/envoy/latest/api-docs/xds_protocol
import { fromBinary } from '@bufbuild/protobuf';
import type { Node } from '@meltemi/envoy-api/envoy/config/core/v3/base';
import { type DiscoveryRequest, DiscoveryRequestSchema } from '@meltemi/envoy-api/envoy/service/discovery/v3/discovery';
import { hasWildcard, type ResourceTypeName, resourceTypes, typeOfUrl } from '../../resource-types.ts';
import type { Feed, ServedResource } from '../feed.ts';
import { Subscription } from '../subscription.ts';
import type { ResponseBuilder } from './response.ts';

export interface SessionEvents {
  /** The first request names the client; the answer is where its resources come from. Undefined ends the stream. */
  identify(node: Node): FeedSet | undefined;
  /** Writes a response; false when the socket is full, until `drained` is called. */
  send(bytes: Uint8Array): boolean;
  accepted(type: ResourceTypeName, version: string): void;
  refused(type: ResourceTypeName, version: string, message: string): void;
}

/** The feeds of one view. Sessions with the same view get the same objects. */
export interface FeedSet {
  feed(type: ResourceTypeName): Feed | undefined;
}

interface TypeState {
  readonly type: ResourceTypeName;
  readonly subscription: Subscription;
  readonly feed: Feed;
  readonly detach: () => void;
  readonly uses: Map<string, () => void>;
  /** Names to look at in the next flush; `all` after a change of subscription or a full socket. */
  pending: Set<string> | 'all' | undefined;
  versionOfNonce: { readonly nonce: string; readonly version: string } | undefined;
}

export class SotwSession {
  readonly #events: SessionEvents;
  readonly #responses: ResponseBuilder;
  readonly #states = new Map<ResourceTypeName, TypeState>();
  #feeds: FeedSet | undefined;
  #writable = true;

  constructor(events: SessionEvents, responses: ResponseBuilder) {
    this.#events = events;
    this.#responses = responses;
  }

  /** Returns false when the client must be turned away. */
  request(bytes: Uint8Array): boolean {
    const request = fromBinary(DiscoveryRequestSchema, bytes);
    if (!this.#feeds) {
      this.#feeds = request.node && this.#events.identify(request.node);
      if (!this.#feeds) return false;
    }
    const type = typeOfUrl(request.typeUrl);
    const state = type && this.#state(type);
    if (state) this.#handle(state, request);
    return true;
  }

  /** Another view holds for the client from now on. What is equal in both is not sent again. */
  replaceFeeds(feeds: FeedSet): void {
    this.#feeds = feeds;
    for (const [type, old] of [...this.#states]) {
      this.#release(old);
      this.#states.delete(type);
      const next = this.#state(type, old.subscription);
      if (!next) continue;
      next.versionOfNonce = old.versionOfNonce;
      this.#adopt(next);
      next.pending = 'all';
    }
    this.flush();
  }

  drained(): void {
    this.#writable = true;
    this.flush();
  }

  /** Sends what is pending, clusters first; routes and listeners wait until the client has dealt with clusters and endpoints. */
  flush(): void {
    for (const type of resourceTypes) {
      const state = this.#states.get(type);
      if (!state?.pending || !this.#writable) continue;
      if ((type === 'listener' || type === 'route') && (this.#awaits('cluster') || this.#awaits('endpoint'))) continue;
      this.#push(state);
    }
  }

  /** Whether the client has answered everything it was sent, and is owed nothing. */
  get settled(): boolean {
    return [...this.#states.values()].every((state) => !state.subscription.awaiting && !state.pending);
  }

  close(): void {
    for (const state of this.#states.values()) this.#release(state);
    this.#states.clear();
  }

  #awaits(type: ResourceTypeName): boolean {
    return this.#states.get(type)?.subscription.awaiting ?? false;
  }

  #handle(state: TypeState, request: DiscoveryRequest): void {
    const { subscription } = state;
    // An answer to an older response says nothing of the latest one.
    if (request.responseNonce !== '' && subscription.nonce !== '' && request.responseNonce !== subscription.nonce) return;
    const answered = request.responseNonce !== '' && subscription.awaiting;
    if (answered) this.#settle(state, request);
    const changed = this.#subscribe(state, request.resourceNames);
    // Asking again for what was already accepted means that the client needs it once more.
    const again = !answered && !changed;
    if (changed || again) {
      if (again) for (const name of subscription.names) subscription.sent.delete(name);
      if (again && subscription.wildcard) subscription.sent.clear();
      state.pending = 'all';
      if (this.#writable) this.#push(state, changed || again);
    }
    this.flush();
  }

  #settle(state: TypeState, request: DiscoveryRequest): void {
    const { subscription, type } = state;
    subscription.awaiting = false;
    const version = state.versionOfNonce?.version ?? '';
    if (request.errorDetail) {
      subscription.refused = { version, message: request.errorDetail.message };
      this.#events.refused(type, version, request.errorDetail.message);
    } else {
      subscription.acceptedNonce = request.responseNonce;
      subscription.refused = undefined;
      this.#events.accepted(type, version);
    }
  }

  /** Returns whether the client wants something that it did not want before. */
  #subscribe(state: TypeState, names: readonly string[]): boolean {
    const { subscription } = state;
    const first = subscription.nonce === '' && subscription.names.size === 0 && !subscription.wildcard;
    // The empty list means everything when it is the first, and nothing when it follows a list of names.
    const wildcard = hasWildcard(state.type) && (names.includes('*') || (names.length === 0 && (first || subscription.wildcard)));
    const wanted = new Set(names.filter((name) => name !== '*'));
    const grew = (wildcard && !subscription.wildcard) || [...wanted].some((name) => !subscription.names.has(name));
    for (const name of subscription.names) {
      if (wanted.has(name)) continue;
      state.uses.get(name)?.();
      state.uses.delete(name);
      subscription.sent.delete(name);
    }
    subscription.wildcard = wildcard;
    subscription.names = wanted;
    this.#adopt(state);
    return grew || first;
  }

  #adopt(state: TypeState): void {
    if (state.subscription.wildcard) state.feed.useAll();
    for (const name of state.subscription.names) if (!state.uses.has(name)) state.uses.set(name, state.feed.use(name));
  }

  #push(state: TypeState, evenIfEmpty = false): void {
    const { subscription, pending } = state;
    state.pending = undefined;
    if (subscription.wildcard) this.#pushAll(state, evenIfEmpty);
    else this.#pushNamed(state, pending ?? 'all');
  }

  /** Of a type asked for as a whole, a response holds everything: what it lacks is gone. */
  #pushAll(state: TypeState, evenIfEmpty: boolean): void {
    const { subscription, feed } = state;
    const all = feed.all();
    const same = all.length === subscription.sent.size && !all.some((resource) => subscription.lacks(resource));
    if (same && !evenIfEmpty) return;
    subscription.sent.clear();
    this.#send(state, all);
  }

  #pushNamed(state: TypeState, pending: Set<string> | 'all'): void {
    const { subscription, feed } = state;
    const latest = feed.latest();
    const wanted = (resource: ServedResource): boolean => subscription.names.has(resource.name) && subscription.lacks(resource);
    // Most often every client of a feed is owed exactly the latest change, which is then encoded once for all.
    if (pending !== 'all' && pending.size === latest.length && latest.every((resource) => pending.has(resource.name) && wanted(resource))) {
      this.#send(state, latest);
      return;
    }
    const names = pending === 'all' ? subscription.names : pending;
    const owed = [...names].flatMap((name) => feed.get(name) ?? []).filter(wanted);
    if (owed.length > 0) this.#send(state, owed);
  }

  #send(state: TypeState, resources: readonly ServedResource[]): void {
    const response = this.#responses.build(state.type, resources);
    const { subscription } = state;
    for (const resource of resources) subscription.sent.set(resource.name, resource.version);
    subscription.nonce = response.nonce;
    subscription.awaiting = true;
    state.versionOfNonce = response;
    if (!this.#events.send(response.bytes)) this.#writable = false;
  }

  #state(type: ResourceTypeName, subscription = new Subscription()): TypeState | undefined {
    const known = this.#states.get(type);
    if (known) return known;
    const feed = this.#feeds?.feed(type);
    if (!feed) return undefined;
    const detach = feed.attach((changed) => {
      if (state.pending !== 'all')
        state.pending = new Set([...(state.pending ?? []), ...changed.filter((name) => subscription.wants(name))]);
      if (state.pending !== 'all' && state.pending.size === 0) state.pending = undefined;
    });
    const state: TypeState = { type, subscription, feed, detach, uses: new Map(), pending: undefined, versionOfNonce: undefined };
    this.#states.set(type, state);
    return state;
  }

  #release(state: TypeState): void {
    state.detach();
    for (const release of state.uses.values()) release();
    state.uses.clear();
  }
}
