// What one client wants of one type, what it has been told, and what it said to that. Serves
// state-of-the-world and delta alike.
import type { ServedResource } from './feed.ts';
import { NameSet } from './name-set.ts';
import { namedIn } from './named-in.ts';
import { SentVersions, versionsOf } from './sent-versions.ts';

/** A response that the client has not answered. */
export interface InFlight {
  readonly resources: readonly ServedResource[];
}

export interface Refusal {
  readonly version: string;
  readonly reason: string;
}

export type Answer =
  | { readonly kind: 'acknowledged'; readonly resources: readonly ServedResource[] }
  | { readonly kind: 'refused'; readonly resources: readonly ServedResource[]; readonly reason: string };

export class Subscription {
  /** Names asked for; with `wildcard`, in addition to everything. */
  readonly names = new NameSet();
  wildcard = false;
  readonly sent = new SentVersions();
  /** State of the world: the latest full set, for types of which a response holds everything. */
  told: readonly ServedResource[] | undefined;
  /**
   * Delta: names asked for that were not answered at all yet, not even by saying that there is no such
   * resource.
   */
  readonly asked = new Set<string>();
  /** By nonce. State of the world keeps the latest only: an answer to an older one says nothing. */
  readonly inFlight = new Map<string, InFlight>();
  /** Of the latest response; empty before the first. */
  nonce = '';
  /** Resources whose latest version the client refused; it goes on with what it had. */
  readonly refusals = new Map<string, Refusal>();

  get awaiting(): boolean {
    return this.inFlight.size > 0;
  }

  /** Whether the client lacks this version of a resource. */
  lacks(resource: ServedResource): boolean {
    return this.sent.get(resource.name) !== resource.version;
  }

  /** The version that the client was sent last. */
  sentVersion(name: string): string | undefined {
    return this.sent.get(name) ?? (this.told && versionsOf(this.told).get(name));
  }

  /** Whether a response with the resource waits for its answer. */
  awaits(name: string): boolean {
    return [...this.inFlight.values()].some(({ resources }) => versionsOf(resources).has(name));
  }

  wants(name: string): boolean {
    return this.wildcard || this.names.has(name);
  }

  /** Takes the client's answer to a response; undefined when it is to none that waits for one. */
  answer(nonce: string, error: string | undefined): Answer | undefined {
    const response = this.inFlight.get(nonce);
    if (!response) return undefined;
    this.inFlight.delete(nonce);
    for (const { name } of response.resources) this.refusals.delete(name);
    if (error === undefined) return { kind: 'acknowledged', resources: response.resources };
    const refused = namedIn(error, response.resources);
    for (const { name, version } of refused) this.refusals.set(name, { version, reason: error });
    return { kind: 'refused', resources: refused, reason: error };
  }
}
