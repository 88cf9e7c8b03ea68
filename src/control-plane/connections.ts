// The proxies that are connected: each gets the resources of its view, and those of another one when its view
// changes.
import type { Derived } from '../base/index.ts';
import type { ProxyNode } from '../mesh/index.ts';
import type { Connection, ConnectionEvents } from '../xds/index.ts';
import type { ClientView, ClientViewCell, FeedSets } from './feed-sets.ts';
import type { PilotEvent } from './pilot-event.ts';
import type { ProxySession } from './propagation.ts';
import { autoRegisterGroup, proxyNode } from './proxy-node.ts';
import { type SecretPolicy, underPolicy } from './secret-policy.ts';

/** A proxy as the mesh has it, and the way to leave. */
export interface Joined {
  readonly node: ProxyNode;
  readonly leave: () => void;
}

export interface ConnectionsOptions {
  readonly feedSets: FeedSets;
  readonly emit: (event: PilotEvent) => void;
  /** A proxy comes, with the WorkloadGroup that it joins; empty for none. */
  readonly join: (node: ProxyNode, group: string) => Joined;
}

interface ConnectedProxy extends ProxySession {
  readonly session: Connection['session'];
  readonly policy: SecretPolicy;
  readonly view: ClientViewCell;
  readonly unwatch: () => void;
  release: () => void;
  readonly leave: () => void;
}

export class Connections {
  readonly #options: ConnectionsOptions;
  readonly #proxies = new Map<Connection, ConnectedProxy>();
  readonly #byView = new Map<Derived<unknown>, ConnectedProxy>();

  constructor(options: ConnectionsOptions) {
    this.#options = options;
  }

  /** A new stream. `getsSecrets`: whether private keys may travel on it. */
  open(getsSecrets: boolean): ConnectionEvents {
    const { emit } = this.#options;
    let proxy = '';
    let hasAsked = false;
    const policy: SecretPolicy = {
      isAllowed: getsSecrets,
      onAsked: () => {
        if (!hasAsked) emit({ kind: 'secrets', proxy, given: getsSecrets });
        hasAsked = true;
      },
    };
    return {
      identify: (message, connection) => {
        const node = proxyNode(message);
        if (!node) return undefined;
        proxy = node.id;
        return this.#connect(connection, this.#options.join(node, autoRegisterGroup(message)), policy);
      },
      acknowledged: (type, resources) => emit({ kind: 'acknowledged', proxy, type, resources }),
      refused: (type, resources, message) => emit({ kind: 'refused', proxy, type, resources, message }),
      closed: (connection) => this.#disconnect(connection),
      failed: (error) => emit({ kind: 'failed', what: `an answer to ${proxy || 'a client'}`, error }),
    };
  }

  all(): Iterable<ProxySession> {
    return this.#proxies.values();
  }

  /** Those whose view changed get the resources of the new one from now on. */
  follow(touched: Iterable<Derived<unknown>>): void {
    for (const cell of touched) {
      const proxy = this.#byView.get(cell);
      if (proxy) this.#changeView(proxy);
    }
  }

  /** Sends what is due. */
  flush(): void {
    for (const { session } of this.#proxies.values()) session.flush();
  }

  #connect(
    connection: Connection,
    { node, leave }: Joined,
    policy: SecretPolicy,
  ): ReturnType<typeof underPolicy> | undefined {
    const { feedSets, emit } = this.#options;
    const cell = feedSets.view(node);
    const view = this.#read(node.id, cell);
    if (!view) {
      leave();
      return undefined;
    }
    const { feeds, release } = feedSets.acquire(view);
    const proxy: ConnectedProxy = {
      proxy: node.id,
      session: connection.session,
      policy,
      view: cell,
      unwatch: cell.watch(),
      release,
      leave,
    };
    this.#proxies.set(connection, proxy);
    this.#byView.set(cell as Derived<unknown>, proxy);
    emit({ kind: 'connected', proxy: node.id });
    return underPolicy(feeds, policy);
  }

  #disconnect(connection: Connection): void {
    const proxy = this.#proxies.get(connection);
    if (!proxy) return;
    this.#proxies.delete(connection);
    this.#byView.delete(proxy.view as Derived<unknown>);
    proxy.unwatch();
    proxy.release();
    proxy.leave();
    proxy.view.dispose();
    this.#options.emit({ kind: 'disconnected', proxy: proxy.proxy });
  }

  #changeView(proxy: ConnectedProxy): void {
    const view = this.#read(proxy.proxy, proxy.view);
    if (!view) return;
    const { feeds, release } = this.#options.feedSets.acquire(view);
    proxy.session.replaceFeeds(underPolicy(feeds, proxy.policy));
    proxy.release();
    proxy.release = release;
  }

  /** Undefined when it could not be made. */
  #read(proxy: string, cell: ClientViewCell): ClientView | undefined {
    try {
      return cell.get();
    } catch (error) {
      this.#options.emit({ kind: 'failed', what: `the view of ${proxy}`, error });
      return undefined;
    }
  }
}
