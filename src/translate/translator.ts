// The xDS resources of every proxy, derived through the memo engine and shared by all proxies for which they
// are the same. A kind of resource is a file in resources/ and an entry here.
import type { Derived, MemoEngine } from '../base/index.ts';
import type { Mesh, ProxyNode } from '../mesh/index.ts';
import { type ElementOrigin, elementsOf } from './origins.ts';
import { clusters } from './resources/clusters.ts';
import { endpoints } from './resources/endpoints.ts';
import { gatewayPorts } from './resources/gateway-ports.ts';
import { listeners } from './resources/listeners.ts';
import { nameTables } from './resources/name-tables.ts';
import type { ResourceCell, ResourceKind, ResourceType } from './resources/resource-kind.ts';
import { routes } from './resources/routes.ts';
import { secrets } from './resources/secrets.ts';
import { type View, Views } from './view.ts';

const kinds = [clusters, listeners, routes, secrets, nameTables];

export class Translator {
  /** Of applications without a proxy as well. */
  readonly endpoints: ResourceKind<Pick<View, 'locatedAudience'>>;
  readonly #engine: MemoEngine;
  readonly #views: Views;
  readonly #kinds: ReadonlyMap<string, ResourceKind>;

  constructor(engine: MemoEngine, mesh: Mesh) {
    this.#engine = engine;
    this.#views = new Views(engine, mesh);
    const from = { engine, mesh, gatewayPorts: gatewayPorts(engine, mesh) };
    this.endpoints = endpoints(from);
    const all = [this.endpoints, ...kinds.map((make) => make(from))];
    this.#kinds = new Map(all.map((kind) => [kind.type, kind]));
  }

  viewOf(node: ProxyNode): View {
    return this.#views.of(node);
  }

  /** The same as it goes on: it changes when a selector, or what the proxy itself serves, does. */
  view(node: ProxyNode): Derived<View> {
    return this.#engine.derive('view', () => this.#views.of(node));
  }

  /** Undefined for a kind that is not made. */
  kind(type: string): ResourceKind | undefined {
    return this.#kinds.get(type);
  }

  /** Names of all resources of a kind that may be subscribed to as a whole; others are asked for by name. */
  names(type: ResourceType, view: View): Derived<readonly string[]> {
    const names = this.#kinds.get(type)?.names?.(view);
    if (!names) throw new Error(`resources of the kind ${type} are not listed`);
    return names;
  }

  /**
   * Where the elements of a resource come from: places in what users wrote, whose lines a source can tell.
   * Makes the resource once more; for people, not for every change.
   */
  origins(type: ResourceType, view: View, name: string): readonly ElementOrigin[] {
    const message = this.#kinds.get(type)?.message(view, name);
    return message ? elementsOf(message) : [];
  }

  /** The same cell is handed out for every view that shares the resource. */
  resource(type: ResourceType, view: View, name: string): ResourceCell {
    const kind = this.#kinds.get(type);
    if (!kind) throw new Error(`resources of the kind ${type} are not made`);
    return kind.resource(view, name);
  }
}
