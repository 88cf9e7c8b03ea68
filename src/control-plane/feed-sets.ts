// The feeds of every view that some proxy has, made when the first comes and dropped after the last went.
import type { Derived } from '../base/index.ts';
import type { ProxyNode } from '../mesh/index.ts';
import type { GrpcTranslator, GrpcView, Translator, View } from '../translate/index.ts';
import { Feed, type FeedHub, type FeedSet, type FeedSource, type ResourceTypeName } from '../xds/index.ts';

/** Whose resources are asked for: a proxy's, or those of a gRPC application without one. */
export type ClientView = View | GrpcView;
export type ClientViewCell = Derived<View> | Derived<GrpcView>;

export interface Translators {
  readonly envoy: Translator;
  readonly grpc: GrpcTranslator;
}

interface Shared {
  readonly feeds: Map<ResourceTypeName, Feed>;
  uses: number;
}

export class FeedSets {
  readonly #translators: Translators;
  readonly #hub: FeedHub;
  readonly #sets = new Map<ClientView, Shared>();

  constructor(translators: Translators, hub: FeedHub) {
    this.#translators = translators;
    this.#hub = hub;
  }

  /**
   * Changes when a change of configuration makes the client's resources other ones, rather than different.
   */
  view(node: ProxyNode): ClientViewCell {
    return node.isGrpc ? this.#translators.grpc.view(node) : this.#translators.envoy.view(node);
  }

  /** The set for a view, and the way to give it back. */
  acquire(view: ClientView): { readonly feeds: FeedSet; readonly release: () => void } {
    let shared = this.#sets.get(view);
    if (!shared) {
      shared = { feeds: new Map(), uses: 0 };
      this.#sets.set(view, shared);
    }
    const held = shared;
    held.uses++;
    let open = true;
    return {
      feeds: { feed: (type) => this.#feed(held, view, type) },
      release: () => {
        if (!open) return;
        open = false;
        if (--held.uses > 0) return;
        for (const feed of held.feeds.values()) feed.dispose();
        this.#sets.delete(view);
      },
    };
  }

  get size(): number {
    return this.#sets.size;
  }

  #feed(shared: Shared, view: ClientView, type: ResourceTypeName): Feed | undefined {
    const known = shared.feeds.get(type);
    if (known) return known;
    const source = this.#source(view, type);
    if (!source) return undefined;
    const feed = new Feed(this.#hub, source);
    shared.feeds.set(type, feed);
    return feed;
  }

  /** Undefined for a kind that such a client is not given. */
  #source(view: ClientView, type: ResourceTypeName): FeedSource | undefined {
    if (view.type === 'grpc') {
      const kind = this.#translators.grpc.kind(type);
      return kind && { type, resource: (name) => kind.resource(view, name) };
    }
    const kind = this.#translators.envoy.kind(type);
    if (!kind) return undefined;
    const names = kind.names?.(view);
    return { type, ...(names ? { names } : {}), resource: (name) => kind.resource(view, name) };
  }
}
