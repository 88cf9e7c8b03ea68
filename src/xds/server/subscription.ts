// What one client wants of one type, and what it has been told. Serves state-of-the-world and delta alike.
import type { ServedResource } from './feed.ts';

export interface Refusal {
  readonly version: string;
  readonly message: string;
}

export class Subscription {
  /** Names asked for; with `wildcard`, in addition to everything. */
  names: ReadonlySet<string> = new Set();
  wildcard = false;
  /** Version of each resource that the client was sent last. */
  readonly sent = new Map<string, string>();
  /** Of the latest response; empty before the first. */
  nonce = '';
  /** The latest response is neither accepted nor refused yet. */
  awaiting = false;
  acceptedNonce = '';
  refused: Refusal | undefined;

  /** Whether the client lacks this version of a resource. */
  lacks(resource: ServedResource): boolean {
    return this.sent.get(resource.name) !== resource.version;
  }

  wants(name: string): boolean {
    return this.wildcard || this.names.has(name);
  }
}
