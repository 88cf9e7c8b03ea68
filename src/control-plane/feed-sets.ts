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
  readonly #sets = new Map<string, Shared>();

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
    const key = JSON.stringify(view);
    let shared = this.#sets.get(key);
    if (!shared) {
      shared = { feeds: new Map(), uses: 0 };
      this.#sets.set(key, shared);
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
        this.#sets.delete(key);
      },
    };
  }

  get size(): number {
    return this.#sets.size;
  }

  #feed(shared: Shared, view: ClientView, type: ResourceTypeName): Feed | undefined {
    const known = shared.feeds.get(type);
    if (known) return known;
    const source =
      view.type === 'grpc'
        ? grpcSource(this.#translators, view, type)
        : envoySource(this.#translators.envoy, view, type);
    if (!source) return undefined;
    const feed = new Feed(this.#hub, source);
    shared.feeds.set(type, feed);
    return feed;
  }
}

function envoySource(translator: Translator, view: View, type: ResourceTypeName): FeedSource | undefined {
  switch (type) {
    case 'cluster':
    case 'listener':
      return {
        type,
        names: translator.names(type, view),
        resource: (name) => translator.resource(type, view, name),
      };
    case 'endpoint':
    case 'route':
    case 'secret':
      return { type, resource: (name) => translator.resource(type, view, name) };
  }
}

/** Everything is asked for by name. */
function grpcSource(
  { envoy, grpc }: Translators,
  view: GrpcView,
  type: ResourceTypeName,
): FeedSource | undefined {
  switch (type) {
    case 'cluster':
    case 'listener':
    case 'route':
      return { type, resource: (name) => grpc.resource(type, view, name) };
    case 'endpoint':
      return { type, resource: (name) => envoy.endpoints(view, name) };
    case 'secret':
      return undefined;
  }
}
