// What the two protocols look like from outside: requests in, responses out, without a socket.
// https://www.envoyproxy.io/docs/envoy/latest/api-docs/xds_protocol
import type { Node } from '@meltemi/envoy-api/envoy/config/core/v3/base';
import type { ResourceTypeName } from '../resource-types.ts';
import type { Feed, ServedResource } from './feed.ts';

export type ResourceVersion = Pick<ServedResource, 'name' | 'version'>;

/** How a resource stands with a client. `version` is the one that the client is to have. */
export type ResourceStatus =
  /** Not sent yet. */
  | { readonly kind: 'pending'; readonly version: string }
  /** Sent, and not answered yet. */
  | { readonly kind: 'sent'; readonly version: string }
  | { readonly kind: 'acknowledged'; readonly version: string }
  /** The client goes on with what it had. */
  | { readonly kind: 'refused'; readonly version: string; readonly reason: string }
  /** The client is to have it no longer, and was not told yet. `version` is the one that it has. */
  | { readonly kind: 'leaving'; readonly version: string };

export interface SessionEvents {
  /**
   * The first request names the client; the answer is where its resources come from. Undefined ends the
   * stream.
   */
  identify(node: Node): FeedSet | undefined;
  /** Whether a response may be sent. When it may not, the session is flushed once it may. */
  maySend(): boolean;
  send(bytes: Uint8Array): void;
  acknowledged(type: ResourceTypeName, resources: readonly ResourceVersion[]): void;
  /** Those that the reason names, as far as it names any; all of the response otherwise. */
  refused(type: ResourceTypeName, resources: readonly ResourceVersion[], reason: string): void;
  /**
   * Calls back after the time within which a client asks for what follows from a response. Returns the way to
   * call it off.
   */
  later(run: () => void): () => void;
}

/** The feeds of one view. Sessions with the same view get the same objects. */
export interface FeedSet {
  feed(type: ResourceTypeName): Feed | undefined;
}

/** Why a client is turned away: what it sent is wrong, or too much. */
export interface Rejection {
  readonly kind: 'unreadable' | 'no-node' | 'too-large';
  readonly reason: string;
}

export interface Session {
  /** Takes a request, or says why the client must be turned away. What it throws is a mistake of ours. */
  request(bytes: Uint8Array): Rejection | undefined;
  /** Another view holds for the client from now on. What is equal in both is not sent again. */
  replaceFeeds(feeds: FeedSet): void;
  /** Sends what is pending, as far as the order of change allows it now. */
  flush(): void;
  /** Whether the client has answered everything it was sent, and is owed nothing. */
  readonly settled: boolean;
  /** Undefined for a resource that the client is not to have. */
  status(type: ResourceTypeName, name: string): ResourceStatus | undefined;
  close(): void;
}
