// The feeds of every view that some proxy has, made when the first comes and dropped after the last went.
import type { Translator, View } from '../translate/index.ts';
import { Feed, type FeedHub, type FeedSet, type FeedSource, type ResourceTypeName } from '../xds/index.ts';

interface Shared {
  readonly feeds: Map<ResourceTypeName, Feed>;
  uses: number;
}

export class FeedSets {
  readonly #translator: Translator;
  readonly #hub: FeedHub;
  readonly #sets = new Map<string, Shared>();

  constructor(translator: Translator, hub: FeedHub) {
    this.#translator = translator;
    this.#hub = hub;
  }

  /** The set for a view, and the way to give it back. */
  acquire(view: View): { readonly feeds: FeedSet; readonly release: () => void } {
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

  #feed(shared: Shared, view: View, type: ResourceTypeName): Feed | undefined {
    const known = shared.feeds.get(type);
    if (known) return known;
    const source = sourceOf(this.#translator, view, type);
    if (!source) return undefined;
    const feed = new Feed(this.#hub, source);
    shared.feeds.set(type, feed);
    return feed;
  }
}

function sourceOf(translator: Translator, view: View, type: ResourceTypeName): FeedSource | undefined {
  switch (type) {
    case 'cluster':
    case 'listener':
      return { type, names: translator.names(type, view), resource: (name) => translator.resource(type, view, name) };
    case 'endpoint':
    case 'route':
      return { type, resource: (name) => translator.resource(type, view, name) };
    case 'secret':
      // Sidecars read no secrets of others: only gateways name credentials.
      return view.type === 'router' ? { type, resource: (name) => translator.resource(type, view, name) } : undefined;
  }
}
