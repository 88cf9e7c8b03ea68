// What both protocols share: the types that a client watches, and the order in which a change reaches it.
// Clusters and endpoints are in force before a route or listener names them; a cluster leaves after the last
// route or listener that could name it.
// https://www.envoyproxy.io/docs/envoy/latest/api-docs/xds_protocol#eventual-consistency-considerations
import { toBinary } from '@bufbuild/protobuf';
import { type Node, NodeSchema } from '@meltemi/envoy-api/envoy/config/core/v3/base';
import { type ResourceTypeName, resourceTypes, typeOfUrl } from '../resource-types.ts';
import { endpointNameOf } from './endpoint-name.ts';
import type { ServedResource } from './feed.ts';
import type { SharedResponse } from './response-cache.ts';
import type { FeedSet, Rejection, ResourceStatus, Session, SessionEvents } from './session.ts';
import type { InFlight } from './subscription.ts';
import { WatchedType } from './watched-type.ts';

/** Of one type, a stream, whatever the mesh. */
const namesOfAnyone = 10_000;
/**
 * Names that were never told cost more than those that were: a client has hardly more than there are
 * clusters.
 */
const namesPerCluster = 2;
/** An Envoy that lists its extensions sends 60 KB. */
const mostNodeBytes = 1024 * 1024;
const longestId = 1024;

/** `additions` leaves the client what is gone; `removals` takes that away and nothing else matters. */
export type Phase = 'additions' | 'removals';

/** What every request of either protocol says. */
export interface SessionRequest {
  readonly node?: Node | undefined;
  readonly typeUrl: string;
}

export abstract class SessionCore<Request extends SessionRequest> implements Session {
  readonly #events: SessionEvents;
  readonly #watched = new Map<ResourceTypeName, WatchedType>();
  /** Endpoints without which clusters that the client was sent do not work yet. */
  readonly #expected = new Set<string>();
  #feeds: FeedSet | undefined;
  /**
   * The client came with resources of an earlier stream: its routes may name what is gone until it has asked
   * for them.
   */
  #resumed = false;
  /**
   * A client that asks by name goes on with what a route named before until it has all that the new one
   * names.
   */
  #lingers = false;
  #callOff: (() => void) | undefined;

  constructor(events: SessionEvents) {
    this.#events = events;
  }

  request(bytes: Uint8Array): Rejection | undefined {
    const request = this.#read(bytes);
    if (!request) return { kind: 'unreadable', reason: 'a message is no discovery request' };
    const problem = this.#feeds ? undefined : this.#identify(request.node);
    if (problem) return problem;
    const type = typeOfUrl(request.typeUrl);
    const watched = type && this.#watch(type);
    if (!watched) return undefined;
    const names = this.namesAfter(watched, request);
    const most = names > namesOfAnyone ? this.#mostNames() : namesOfAnyone;
    if (names > most)
      return {
        kind: 'too-large',
        reason: `${names} ${type} names are asked for, at most ${most} are served here`,
      };
    this.handle(watched, request);
    return undefined;
  }

  #mostNames(): number {
    const clusters = this.#watched.get('cluster')?.everything().length ?? 0;
    return Math.max(namesOfAnyone, clusters * namesPerCluster);
  }

  #read(bytes: Uint8Array): Request | undefined {
    try {
      return this.read(bytes);
    } catch {
      return undefined;
    }
  }

  #identify(node: Node | undefined): Rejection | undefined {
    const isNamed = node !== undefined && node.id.length <= longestId;
    if (isNamed && sizeOf(node) > mostNodeBytes)
      return { kind: 'too-large', reason: `the node is larger than ${mostNodeBytes} bytes` };
    this.#feeds = isNamed ? this.#events.identify(node) : undefined;
    if (this.#feeds) return undefined;
    return {
      kind: 'no-node',
      reason: 'the first request must carry a node whose id is TYPE~IP~NAME.NAMESPACE~DOMAIN',
    };
  }

  /** How many names the client asks for by a request that is taken. */
  protected abstract namesAfter(watched: WatchedType, request: Request): number;

  protected abstract read(bytes: Uint8Array): Request;
  protected abstract handle(watched: WatchedType, request: Request): void;
  /** Brings the client up to date with one type. */
  protected abstract push(watched: WatchedType, phase: Phase): void;

  #watch(type: ResourceTypeName): WatchedType | undefined {
    const known = this.#watched.get(type);
    if (known) return known;
    const feed = this.#feeds?.feed(type);
    if (!feed) return undefined;
    const watched = new WatchedType(feed);
    this.#watched.set(type, watched);
    return watched;
  }

  replaceFeeds(feeds: FeedSet): void {
    this.#feeds = feeds;
    for (const [type, old] of [...this.#watched]) {
      const feed = feeds.feed(type);
      if (feed) {
        const next = new WatchedType(feed, old.subscription);
        next.pending = 'all';
        this.#watched.set(type, next);
      } else this.#watched.delete(type);
      old.release();
    }
    this.flush();
  }

  get settled(): boolean {
    return [...this.#watched.values()].every(
      (watched) => watched.isQuiet && (watched.leaving.size === 0 || this.#keepsOldRoutes()),
    );
  }

  status(type: ResourceTypeName, name: string): ResourceStatus | undefined {
    return this.#watched.get(type)?.status(name);
  }

  close(): void {
    this.#callOff?.();
    for (const watched of this.#watched.values()) watched.release();
    this.#watched.clear();
  }

  flush(): void {
    for (const type of resourceTypes) {
      const watched = this.#watched.get(type);
      if (!watched?.pending) continue;
      if ((type === 'listener' || type === 'route') && !this.#isGroundReady()) continue;
      if (this.#events.maySend()) this.push(watched, 'additions');
    }
    this.#remove();
  }

  /** Answers a request of the client, which never waits for other types. */
  protected respond(watched: WatchedType, push: () => void): void {
    if (this.#events.maySend()) push();
    else watched.pending ??= 'all';
  }

  /** `answers`: what the client's answer will be about, when that is more than the response. */
  protected send(
    { subscription }: WatchedType,
    response: SharedResponse,
    answers: InFlight = response,
  ): void {
    subscription.nonce = response.nonce;
    subscription.inFlight.set(response.nonce, answers);
    this.#events.send(response.bytes);
  }

  /** Takes what the client says to a response. Returns false when it answers none that waits. */
  protected settle(watched: WatchedType, nonce: string, error: string | undefined): boolean {
    const { subscription, type } = watched;
    const answer = subscription.answer(nonce, error);
    if (!answer) return false;
    if (answer.kind === 'acknowledged') this.#events.acknowledged(type, answer.resources);
    else {
      this.#events.refused(type, answer.resources, answer.reason);
      if (type === 'cluster') this.#expected.clear();
    }
    return true;
  }

  /**
   * The client was sent clusters that it did not have, and others anew. Routes wait until it has the
   * endpoints of the former. The latter it makes anew as well, for which it needs the endpoints once more: it
   * may not ask, or ask in a request that is stale by then.
   */
  protected followUp(added: readonly ServedResource[], changed: readonly ServedResource[]): void {
    for (const cluster of added) {
      const name = endpointNameOf(cluster);
      if (name !== undefined) this.#expected.add(name);
    }
    const endpoints = this.#watched.get('endpoint');
    for (const cluster of changed) {
      const name = endpointNameOf(cluster);
      if (!endpoints || name === undefined || !endpoints.subscription.names.has(name)) continue;
      endpoints.subscription.sent.delete(name);
      endpoints.note(name);
    }
  }

  protected resumed(): void {
    this.#resumed = true;
  }

  /** Something is gone that a client has asked for by name; it may give it up by itself, in its own time. */
  protected linger(): void {
    this.#lingers = true;
    this.#callOff?.();
    this.#callOff = undefined;
  }

  /**
   * Whether what is gone of this type must stay with the client until its routes are known not to need it.
   */
  protected holdsRemovals(type: ResourceTypeName): boolean {
    return type !== 'listener';
  }

  #remove(): void {
    const leaving = resourceTypes.flatMap((type) => {
      const watched = this.#watched.get(type);
      return watched && watched.leaving.size > 0 ? [watched] : [];
    });
    if (
      leaving.length === 0 ||
      !this.#isQuiet('listener') ||
      !this.#isQuiet('route') ||
      this.#keepsOldRoutes()
    )
      return;
    if (this.#lingers || (this.#resumed && !(this.#watched.has('listener') && this.#watched.has('route')))) {
      this.#wait();
      return;
    }
    // A client gives up the endpoints of a removed cluster by itself: what it gives up need not be said.
    for (const watched of leaving) {
      if (!this.#isQuiet('cluster') || !this.#events.maySend()) return;
      this.push(watched, 'removals');
    }
  }

  #isQuiet(type: ResourceTypeName): boolean {
    return this.#watched.get(type)?.isQuiet ?? true;
  }

  /**
   * A client that refused routes or listeners goes on with older ones, and with the clusters that these name.
   */
  #keepsOldRoutes(): boolean {
    return (['listener', 'route'] as const).some((type) => this.#watched.get(type)?.keepsOlder ?? false);
  }

  #isGroundReady(): boolean {
    if (
      this.#watched.get('cluster')?.subscription.awaiting ||
      this.#watched.get('endpoint')?.subscription.awaiting
    )
      return false;
    const endpoints = this.#watched.get('endpoint');
    for (const name of this.#expected) {
      const answered =
        endpoints?.subscription.names.has(name) &&
        (endpoints.subscription.sent.has(name) || !endpoints.feed.get(name));
      const gone = !this.#watched.get('cluster')?.feed.get(name);
      if (answered || gone) this.#expected.delete(name);
    }
    if (this.#expected.size > 0) this.#wait();
    return this.#expected.size === 0;
  }

  /** For what the client should ask for next; it need not, so there is an end to it. */
  #wait(): void {
    this.#callOff ??= this.#events.later(() => {
      this.#callOff = undefined;
      this.#expected.clear();
      this.#resumed = false;
      this.#lingers = false;
      this.flush();
    });
  }
}

function sizeOf(node: Node): number {
  return toBinary(NodeSchema, node).length;
}
