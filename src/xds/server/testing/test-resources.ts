// For tests: feeds whose resources the test sets by hand. A resource's value is its version.
import assert from 'node:assert/strict';
import { create, toBinary } from '@bufbuild/protobuf';
import { type Any, AnySchema } from '@bufbuild/protobuf/wkt';
import { Cluster_DiscoveryType, ClusterSchema } from '@meltemi/envoy-api/envoy/config/cluster/v3/cluster';
import { type Derived, type Input, MemoEngine } from '../../../base/index.ts';
import { type ResourceTypeName, resourceTypes, typeUrlOf } from '../../resource-types.ts';
import { Feed, FeedHub, type ServedResource } from '../feed.ts';
import type { FeedSet } from '../session.ts';

/**
 * Undefined removes. A cluster whose value starts with `eds` needs endpoints; a name that starts with
 * `unlisted` is not part of everything.
 */
export type ResourceChange = Partial<Record<ResourceTypeName, Readonly<Record<string, string | undefined>>>>;

export class TestResources implements FeedSet {
  readonly #engine = new MemoEngine();
  readonly #hub = new FeedHub();
  readonly #names = new Map<ResourceTypeName, Input<readonly string[]>>();
  readonly #values = new Map<string, Input<string | undefined>>();
  readonly #feeds = new Map<ResourceTypeName, Feed>();
  readonly #byBytes = new Map<string, { readonly name: string; readonly value: string }>();

  set(change: ResourceChange): void {
    for (const type of resourceTypes) {
      const values = Object.entries(change[type] ?? {});
      for (const [name, value] of values) this.#value(type, name).set(value);
      const names = new Set(this.#list(type).get());
      for (const [name, value] of values) {
        // What is set but not listed can be asked for by name alone.
        if (value === undefined || name.startsWith('unlisted')) names.delete(name);
        else names.add(name);
      }
      this.#list(type).set([...names].sort());
    }
    this.#hub.process(this.#engine.takeTouched());
  }

  known(any: Any): { readonly name: string; readonly value: string } {
    const found = this.#byBytes.get(Buffer.from(any.value).toString('latin1'));
    assert.ok(found);
    return found;
  }

  again(): FeedSet {
    this.#feeds.clear();
    return this;
  }

  feed(type: ResourceTypeName): Feed {
    let feed = this.#feeds.get(type);
    if (feed) return feed;
    const list = this.#list(type);
    const cells = new Map<string, Derived<ServedResource | undefined>>();
    feed = new Feed(this.#hub, {
      type,
      names: this.#engine.derive('names', () => list.get()),
      resource: (name) => {
        let cell = cells.get(name);
        cell ??= this.#engine.derive('resource', () =>
          this.#served(type, name, this.#value(type, name).get()),
        );
        cells.set(name, cell);
        return cell;
      },
    });
    this.#feeds.set(type, feed);
    return feed;
  }

  #served(type: ResourceTypeName, name: string, value: string | undefined): ServedResource | undefined {
    if (value === undefined) return undefined;
    const discovery = value.startsWith('eds') ? Cluster_DiscoveryType.EDS : Cluster_DiscoveryType.STATIC;
    const cluster = create(ClusterSchema, {
      name,
      altStatName: value,
      clusterDiscoveryType: { case: 'type', value: discovery },
    });
    const bytes =
      type === 'cluster' ? toBinary(ClusterSchema, cluster) : Buffer.from(`${type} ${name} ${value}`);
    this.#byBytes.set(Buffer.from(bytes).toString('latin1'), { name, value });
    return {
      name,
      version: value,
      any: toBinary(AnySchema, create(AnySchema, { typeUrl: typeUrlOf(type), value: bytes })),
    };
  }

  #list(type: ResourceTypeName): Input<readonly string[]> {
    let list = this.#names.get(type);
    list ??= this.#engine.input<readonly string[]>([], (a, b) => a.join() === b.join());
    this.#names.set(type, list);
    return list;
  }

  #value(type: ResourceTypeName, name: string): Input<string | undefined> {
    const key = `${type}/${name}`;
    let value = this.#values.get(key);
    value ??= this.#engine.input<string | undefined>(undefined);
    this.#values.set(key, value);
    return value;
  }
}
