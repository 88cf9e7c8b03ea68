// One client of the incremental protocol, without its socket: requests in, responses out.
// https://www.envoyproxy.io/docs/envoy/latest/api-docs/xds_protocol#incremental-xds
import { fromBinary } from '@bufbuild/protobuf';
import {
  type DeltaDiscoveryRequest,
  DeltaDiscoveryRequestSchema,
} from '@meltemi/envoy-api/envoy/service/discovery/v3/discovery';
import { hasWildcard } from '../../resource-types.ts';
import type { ServedResource } from '../feed.ts';
import { SharedNameSets } from '../name-set.ts';
import { ResponseCache } from '../response-cache.ts';
import type { SessionEvents } from '../session.ts';
import { type Phase, SessionCore } from '../session-core.ts';
import type { WatchedType } from '../watched-type.ts';
import { encodeDeltaResponse } from './response.ts';

/** What the sessions of a server share. */
export class DeltaSharing {
  readonly responses = new ResponseCache(encodeDeltaResponse);
  readonly names = new SharedNameSets();
}

const everything = '*';
export class DeltaSession extends SessionCore<DeltaDiscoveryRequest> {
  readonly #sharing: DeltaSharing;
  /** Types that the client has asked for on this stream. */
  readonly #begun = new Set<WatchedType['type']>();

  constructor(events: SessionEvents, sharing: DeltaSharing) {
    super(events);
    this.#sharing = sharing;
  }

  protected override read(bytes: Uint8Array): DeltaDiscoveryRequest {
    return fromBinary(DeltaDiscoveryRequestSchema, bytes);
  }

  protected override namesAfter({ subscription }: WatchedType, request: DeltaDiscoveryRequest): number {
    const added = request.resourceNamesSubscribe.length - request.resourceNamesUnsubscribe.length;
    return Math.max(subscription.names.size + added, Object.keys(request.initialResourceVersions).length);
  }

  /**
   * A request may answer a response, change what is subscribed to, or both; the one does not depend on the
   * other.
   */
  protected override handle(watched: WatchedType, request: DeltaDiscoveryRequest): void {
    const first = !this.#begun.has(watched.type);
    this.#begun.add(watched.type);
    if (request.responseNonce !== '')
      this.settle(watched, request.responseNonce, request.errorDetail?.message);
    if (first) this.#begin(watched, request);
    this.#subscribe(watched, request);
    this.#unsubscribe(watched, request.resourceNamesUnsubscribe);
    watched.subscription.names.share(this.#sharing.names);
    const resumed = Object.keys(request.initialResourceVersions).length > 0;
    // An empty answer to a new client says that there is nothing; one that came back knows what it has.
    const evenIfEmpty = first && watched.subscription.wildcard && !resumed;
    if (first || request.resourceNamesSubscribe.length > 0)
      this.respond(watched, () => this.push(watched, 'additions', evenIfEmpty));
    this.flush();
  }

  #begin(watched: WatchedType, request: DeltaDiscoveryRequest): void {
    const { subscription, type } = watched;
    if (hasWildcard(type) && request.resourceNamesSubscribe.length === 0) {
      watched.setWildcard(true);
      watched.pending = 'all';
    }
    for (const [name, version] of Object.entries(request.initialResourceVersions)) {
      subscription.sent.set(name, version);
      if (subscription.wildcard) watched.note(name);
      this.resumed();
    }
  }

  #subscribe(watched: WatchedType, request: DeltaDiscoveryRequest): void {
    const { subscription } = watched;
    const known = request.initialResourceVersions;
    for (const name of request.resourceNamesSubscribe) {
      if (name === everything && hasWildcard(watched.type)) {
        watched.setWildcard(true);
        watched.pending = 'all';
        continue;
      }
      watched.add(name);
      subscription.asked.add(name);
      // Whoever subscribes once more does not have it any longer.
      if (known[name] === undefined) subscription.sent.delete(name);
      watched.note(name);
    }
  }

  #unsubscribe(watched: WatchedType, names: readonly string[]): void {
    const { subscription } = watched;
    if (names.includes(everything)) {
      watched.setWildcard(false);
      for (const name of [...subscription.sent.names()])
        if (!subscription.names.has(name)) subscription.sent.delete(name);
    }
    for (const name of names) {
      if (name === everything) continue;
      watched.drop(name);
      subscription.asked.delete(name);
      subscription.sent.delete(name);
      // Part of everything all the same: the client has dropped it and is told again.
      if (!subscription.wildcard) continue;
      subscription.asked.add(name);
      watched.note(name);
    }
  }

  protected override push(watched: WatchedType, phase: Phase, evenIfEmpty = false): void {
    const { subscription, type } = watched;
    const owed: ServedResource[] = [];
    const removed: string[] = [];
    const leaving = new Set<string>();
    const holds = phase === 'additions' && this.holdsRemovals(type);
    for (const name of this.#namesToLookAt(watched)) {
      const resource = watched.visible(name);
      if (resource) {
        if (subscription.lacks(resource)) owed.push(resource);
      } else if (holds && subscription.sent.has(name)) leaving.add(name);
      else if (subscription.sent.has(name) || subscription.asked.has(name)) removed.push(name);
    }
    watched.pending = undefined;
    watched.leaving = leaving;
    if (leaving.size > 0 && type === 'cluster' && !subscription.wildcard) this.linger();
    subscription.asked.clear();
    if (owed.length + removed.length > 0 || evenIfEmpty) this.#send(watched, owed, removed);
  }

  #namesToLookAt(watched: WatchedType): Iterable<string> {
    const { subscription, pending, leaving } = watched;
    if (pending !== 'all') return new Set([...(pending ?? []), ...leaving]);
    const all = watched.everything().map((resource) => resource.name);
    return new Set([...all, ...subscription.names, ...subscription.sent.names()]);
  }

  #send(watched: WatchedType, owed: readonly ServedResource[], removed: readonly string[]): void {
    const { subscription, type } = watched;
    const isStart = subscription.sent.isEmpty;
    if (type === 'cluster' && subscription.wildcard && !isStart) {
      const isKnown = (resource: ServedResource): boolean => subscription.sent.has(resource.name);
      const changed = owed.filter(isKnown);
      this.followUp(
        changed.length === owed.length ? [] : owed.filter((resource) => !isKnown(resource)),
        changed,
      );
    }
    const response = this.#sharing.responses.build({ type, resources: owed, removed });
    subscription.sent.record(response.resources);
    for (const name of removed) subscription.sent.delete(name);
    this.send(watched, response);
  }
}
