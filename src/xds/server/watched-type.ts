// One type of resources as one client watches it: the feed, the subscription, and what is still to be said.
import type { ResourceTypeName } from '../resource-types.ts';
import type { Feed, ServedResource } from './feed.ts';
import type { ResourceStatus } from './session.ts';
import { Subscription } from './subscription.ts';

export class WatchedType {
  readonly type: ResourceTypeName;
  readonly feed: Feed;
  readonly subscription: Subscription;
  /** Names to look at in the next flush; `all` after a change of view or of what is subscribed to. */
  pending: Set<string> | 'all' | undefined;
  /** What the client has and there is no longer, while it must not be told. */
  leaving = new Set<string>();
  readonly #detach: () => void;

  constructor(feed: Feed, subscription = new Subscription()) {
    this.type = feed.type;
    this.feed = feed;
    this.subscription = subscription;
    this.#detach = feed.attach((changed) => this.#note(changed));
    if (subscription.wildcard) feed.useAll();
    for (const name of subscription.names) feed.use(name);
  }

  /** Returns whether the name is new. */
  add(name: string): boolean {
    const { names } = this.subscription;
    if (names.has(name)) return false;
    // The feed's own copy of the text: a request brings another one for every client.
    names.add(this.feed.use(name));
    return true;
  }

  drop(name: string): void {
    if (!this.subscription.names.delete(name)) return;
    this.feed.release(name);
    // Given up by the client, and so nothing that it must be told of.
    if (!this.subscription.wildcard) this.leaving.delete(name);
  }

  setWildcard(wildcard: boolean): void {
    this.subscription.wildcard = wildcard;
    if (wildcard) this.feed.useAll();
  }

  note(name: string): void {
    if (this.pending === 'all') return;
    this.pending ??= new Set();
    this.pending.add(name);
  }

  /** The resource, if there is one that this client is meant to have. */
  visible(name: string): ServedResource | undefined {
    const { wildcard, names } = this.subscription;
    return names.has(name) || (wildcard && this.feed.lists(name)) ? this.feed.get(name) : undefined;
  }

  /**
   * Everything that this client is meant to have; the same list for all clients that want just everything.
   */
  everything(): readonly ServedResource[] {
    const { wildcard, names } = this.subscription;
    const all = wildcard ? this.feed.all() : [];
    const others = [...names]
      .filter((name) => !wildcard || !this.feed.lists(name))
      .flatMap((name) => this.feed.get(name) ?? []);
    return others.length === 0 ? all : [...all, ...others];
  }

  status(name: string): ResourceStatus | undefined {
    const { subscription } = this;
    const sent = subscription.sentVersion(name);
    const version = this.visible(name)?.version;
    if (version === undefined) return sent === undefined ? undefined : { kind: 'leaving', version: sent };
    if (sent !== version) return { kind: 'pending', version };
    if (subscription.awaits(name)) return { kind: 'sent', version };
    const refusal = subscription.refusals.get(name);
    return refusal?.version === version
      ? { kind: 'refused', version, reason: refusal.reason }
      : { kind: 'acknowledged', version };
  }

  get isQuiet(): boolean {
    return this.pending === undefined && !this.subscription.awaiting;
  }

  /** Whether the client refused something that is still in force, and so goes on with what it had before. */
  get keepsOlder(): boolean {
    return [...this.subscription.refusals.keys()].some((name) => this.visible(name) !== undefined);
  }

  release(): void {
    this.#detach();
    for (const name of this.subscription.names) this.feed.release(name);
  }

  #note(changed: readonly string[]): void {
    for (const name of changed) if (this.subscription.wants(name)) this.note(name);
  }
}
