// One client of the state-of-the-world protocol, without its socket: requests in, responses out.
// https://www.envoyproxy.io/docs/envoy/latest/api-docs/xds_protocol
import { hasWildcard, type ResourceTypeName } from '../../resource-types.ts';
import type { ServedResource } from '../feed.ts';
import { SharedNameSets } from '../name-set.ts';
import { ResponseCache } from '../response-cache.ts';
import type { SessionEvents } from '../session.ts';
import { type Phase, SessionCore } from '../session-core.ts';
import type { InFlight } from '../subscription.ts';
import type { WatchedType } from '../watched-type.ts';
import { emptySet, FullSets } from './full-set.ts';
import { RequestReader, type SotwRequest } from './request.ts';
import { encodeDiscoveryResponse } from './response.ts';

/** What the sessions of a server share. */
export class SotwSharing {
  readonly responses = new ResponseCache(encodeDiscoveryResponse);
  readonly sets = new FullSets();
  readonly requests = new RequestReader();
  readonly names = new SharedNameSets();
}

export class SotwSession extends SessionCore<SotwRequest> {
  readonly #sharing: SotwSharing;
  /** The names of the latest request of each type. */
  readonly #lists = new Map<ResourceTypeName, readonly string[]>();

  constructor(events: SessionEvents, sharing: SotwSharing) {
    super(events);
    this.#sharing = sharing;
  }

  protected override read(bytes: Uint8Array): SotwRequest {
    return this.#sharing.requests.read(bytes);
  }

  protected override namesAfter(_watched: WatchedType, { names }: SotwRequest): number {
    return names.length;
  }

  protected override handle(watched: WatchedType, request: SotwRequest): void {
    const { subscription } = watched;
    // An answer to an older response says nothing of the latest one.
    if (request.nonce !== '' && subscription.nonce !== '' && request.nonce !== subscription.nonce) return;
    const answered = this.settle(watched, request.nonce, request.error);
    const change = this.#subscribe(watched, request.names);
    const grew = change === 'grew';
    // Asking again for what was already accepted means that the client needs it once more.
    const again = !answered && change === 'same';
    if (again) {
      subscription.sent.clear();
      subscription.told = undefined;
    }
    if (grew || again) {
      watched.pending = 'all';
      this.respond(watched, () => this.push(watched, 'additions', true));
    }
    this.flush();
  }

  #subscribe(watched: WatchedType, names: readonly string[]): 'grew' | 'shrank' | 'same' {
    const { subscription, type } = watched;
    if (this.#lists.get(type) === names) return 'same';
    this.#lists.set(type, names);
    const first = subscription.nonce === '' && subscription.names.size === 0 && !subscription.wildcard;
    // The empty list means everything when it is the first, and nothing when it follows a list of names.
    const wildcard =
      hasWildcard(type) && (names.includes('*') || (names.length === 0 && (first || subscription.wildcard)));
    const widened = wildcard && !subscription.wildcard;
    watched.setWildcard(wildcard);
    const wanted = new Set(names);
    wanted.delete('*');
    let added = 0;
    for (const name of wanted) if (watched.add(name)) added++;
    const surplus =
      subscription.names.size > wanted.size
        ? [...subscription.names].filter((name) => !wanted.has(name))
        : [];
    for (const name of surplus) {
      watched.drop(name);
      subscription.sent.delete(name);
    }
    // What a client does not ask for any longer, it does not have any longer.
    if (surplus.length > 0 && !wildcard)
      subscription.told = subscription.told?.filter(({ name }) => subscription.names.has(name));
    subscription.names.share(this.#sharing.names);
    if (added > 0 || widened || first) return 'grew';
    return surplus.length > 0 ? 'shrank' : 'same';
  }

  protected override push(watched: WatchedType, phase: Phase, evenIfEmpty = false): void {
    if (hasWildcard(watched.type)) this.#pushSet(watched, phase, evenIfEmpty);
    else this.#pushNamed(watched);
  }

  /** Of clusters and listeners a response holds everything: what it lacks is gone. */
  #pushSet(watched: WatchedType, phase: Phase, evenIfEmpty: boolean): void {
    const { subscription, type } = watched;
    watched.pending = undefined;
    const { told } = subscription;
    const now = watched.everything();
    const change = this.#sharing.sets.compare(told ?? emptySet, now);
    const holds = phase === 'additions' && this.holdsRemovals(type) && told !== undefined;
    watched.leaving = new Set(holds ? change.leaving.map((resource) => resource.name) : []);
    if (watched.leaving.size > 0 && !subscription.wildcard) this.linger();
    const nothingNew = holds ? change.added.length + change.changed.length === 0 : change.isSame;
    if (nothingNew && told !== undefined && !evenIfEmpty) return;
    subscription.told = holds ? change.union : now;
    this.#send(watched, subscription.told);
    if (type === 'cluster' && subscription.wildcard && told) this.followUp(change.added, change.changed);
  }

  /** What is gone of the other types cannot be said: the client gives it up with what named it. */
  #pushNamed(watched: WatchedType): void {
    const { subscription, pending } = watched;
    watched.pending = undefined;
    const owed: ServedResource[] = [];
    for (const name of pending === 'all' || !pending ? subscription.names : pending) {
      const resource = watched.visible(name);
      if (resource && subscription.lacks(resource)) owed.push(resource);
    }
    if (owed.length === 0) return;
    subscription.sent.record(this.#send(watched, owed));
  }

  /** Returns the list, as all who are sent the same one have it. */
  #send(watched: WatchedType, resources: readonly ServedResource[]): readonly ServedResource[] {
    const { subscription, type } = watched;
    const response = this.#sharing.responses.build({ type, resources, removed: [] });
    const unanswered = hasWildcard(type) ? [] : [...subscription.inFlight.values()];
    subscription.inFlight.clear();
    this.send(watched, response, withEarlier(response, unanswered));
    return response.resources;
  }
}

/** The answer to the latest response is the only one that counts, so it is about those before it as well. */
function withEarlier(latest: InFlight, unanswered: readonly InFlight[]): InFlight {
  const told = new Set(latest.resources.map(({ name }) => name));
  const earlier = unanswered.flatMap(({ resources }) => resources).filter(({ name }) => !told.has(name));
  return earlier.length === 0 ? latest : { resources: [...latest.resources, ...earlier] };
}
