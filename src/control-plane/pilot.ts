// The control plane: takes configuration, keeps every connected proxy up to date with it.
import type { Derived, Issue } from '../base/index.ts';
import { MemoEngine } from '../base/index.ts';
import type { MeshConfig } from '../config/index.ts';
import { Mesh, type MeshFeatures, type ProxyNode } from '../mesh/index.ts';
import { ConfigStore, Registry } from '../registry/index.ts';
import type { ConfigUpdate, ResourceId, Standing } from '../sources/index.ts';
import { Findings } from '../tools/index.ts';
import { GrpcTranslator, Translator } from '../translate/index.ts';
import {
  type Connection,
  type ConnectionEvents,
  FeedHub,
  type ResourceTypeName,
  startXdsServer,
  type XdsServer,
} from '../xds/index.ts';
import { type After, AutoRegistration } from './auto-registration.ts';
import { Conversions } from './conversions.ts';
import { type ClientView, type ClientViewCell, FeedSets } from './feed-sets.ts';
import { autoRegisterGroup, proxyNode } from './proxy-node.ts';
import { ReferenceGuard } from './reference-guard.ts';
import { isLocal, type SecretPolicy, underPolicy } from './secret-policy.ts';

export interface PilotOptions {
  readonly domain?: string;
  readonly meshConfig?: MeshConfig;
  readonly features?: MeshFeatures;
  readonly onEvent?: (event: PilotEvent) => void;
  readonly after?: After;
}

/** What happened, for logs and status. */
export type PilotEvent =
  | { readonly kind: 'connected'; readonly proxy: string }
  | { readonly kind: 'disconnected'; readonly proxy: string }
  | {
      readonly kind: 'accepted';
      readonly proxy: string;
      readonly type: ResourceTypeName;
      readonly version: string;
    }
  | {
      readonly kind: 'refused';
      readonly proxy: string;
      readonly type: ResourceTypeName;
      readonly version: string;
      readonly message: string;
    }
  /** A proxy asks for private keys over plaintext. */
  | { readonly kind: 'secrets'; readonly proxy: string; readonly given: boolean }
  | { readonly kind: 'pushed'; readonly resources: number }
  /** A mistake of ours: something could not be made of the configuration. Proxies keep what they had. */
  | { readonly kind: 'failed'; readonly what: string; readonly error: unknown };

interface ConnectedProxy {
  readonly id: string;
  readonly connection: Connection;
  readonly policy: SecretPolicy;
  readonly view: ClientViewCell;
  readonly unwatch: () => void;
  release: () => void;
  readonly leave: () => void;
}

const defaultDomain = 'cluster.local';
const minSweepAt = 10_000;

const afterTimeout: After = (ms, run) => {
  const timer = setTimeout(run, ms).unref();
  return () => clearTimeout(timer);
};

export class Pilot {
  readonly engine = new MemoEngine();
  readonly store: ConfigStore;
  readonly mesh: Mesh;
  readonly translator: Translator;
  readonly #guard: ReferenceGuard;
  readonly #findings: Findings;
  readonly #conversions: Conversions;
  readonly #registration: AutoRegistration;
  readonly #hub = new FeedHub(({ type, name, error }) => this.#failed(`${type} ${name}`, error));
  readonly #feedSets: FeedSets;
  readonly #proxies = new Map<Connection, ConnectedProxy>();
  readonly #views = new Map<Derived<unknown>, ConnectedProxy>();
  readonly #onEvent: (event: PilotEvent) => void;

  constructor({
    domain = defaultDomain,
    meshConfig = {},
    features,
    onEvent = () => {},
    after = afterTimeout,
  }: PilotOptions = {}) {
    this.store = new ConfigStore(this.engine, { domain });
    this.mesh = new Mesh(
      this.engine,
      this.store,
      new Registry(this.engine, this.store),
      meshConfig,
      features,
    );
    this.translator = new Translator(this.engine, this.mesh);
    this.#conversions = new Conversions(this.mesh);
    this.#registration = new AutoRegistration(this.store, after, () => this.push());
    this.#guard = new ReferenceGuard(this.engine, this.mesh);
    this.#findings = new Findings(this.engine, this.mesh);
    this.#feedSets = new FeedSets(
      { envoy: this.translator, grpc: new GrpcTranslator(this.engine, this.mesh, this.translator.endpoints) },
      this.#hub,
    );
    this.#onEvent = onEvent;
    this.#sweepWhenFull();
  }

  /**
   * Brings an update of some source into force and to the proxies. Returns the findings about what resources
   * say of each other; those about the resources themselves are the source's.
   */
  apply(update: ConfigUpdate): readonly Issue[] {
    for (const id of update.removed) this.store.remove(id.kind, id.namespace, id.name);
    const gone = update.removed
      .filter((id) => id.kind === 'VirtualService')
      .map((id) => `${id.namespace}/${id.name}`);
    this.#guard.apply(update.changed, gone);
    this.#conversions.apply(update.changed, update.removed);
    this.#registration.apply(update.changed, update.removed);
    this.push();
    this.#findings.apply(update);
    return this.issues;
  }

  /** What there is to say of the resources, as their users wrote them, in the light of each other. */
  get issues(): readonly Issue[] {
    const inForce = [...this.#findings.byObject].flatMap(([id, issues]) =>
      this.#guard.isWaiting(keyOfVirtualService(id)) ? [] : issues,
    );
    return [...inForce, ...this.#guard.issues, ...this.#findings.ofGatewayApi];
  }

  /** What is in force of a resource that was given to `apply`. */
  standing({ kind, namespace, name }: ResourceId): Standing {
    const key = `${namespace}/${name}`;
    const isThere = this.engine.untracked(() => this.store.table(kind).get(key)) !== undefined;
    if (!isThere) return 'absent';
    return kind === 'VirtualService' && this.#guard.isWaiting(key) ? 'previous' : 'current';
  }

  setMeshConfig(config: MeshConfig): void {
    if (!this.mesh.setConfig(config)) return;
    this.#conversions.refresh();
    this.push();
  }

  /** Sends what the changes since the last push have made different, and nothing else. */
  push(): void {
    const touched = this.engine.takeTouched();
    for (const cell of touched) {
      const proxy = this.#views.get(cell);
      if (proxy) this.#follow(proxy);
    }
    const resources = this.#hub.process(touched);
    for (const proxy of this.#proxies.values()) proxy.connection.session.flush();
    this.#findings.process(touched);
    if (resources > 0) this.#onEvent({ kind: 'pushed', resources });
  }

  get proxies(): readonly string[] {
    return [...this.#proxies.values()].map((proxy) => proxy.id);
  }

  /** Proxies that have not answered everything yet. */
  get unsettled(): readonly string[] {
    return [...this.#proxies.values()]
      .filter((proxy) => !proxy.connection.session.settled)
      .map((proxy) => proxy.id);
  }

  /** Plaintext: who is not on this machine gets no secrets. */
  serve(address: string): Promise<XdsServer> {
    const isAllowed = isLocal(address);
    return startXdsServer({ address, open: () => this.#connection(isAllowed) });
  }

  /**
   * Each time that there are twice as many derived values as were left the last time, so that the search
   * costs little.
   */
  #sweepWhenFull(): void {
    const at = Math.max(minSweepAt, this.engine.statistics().live * 2);
    this.engine.whenFull(at, () => setImmediate(() => this.#sweep()));
  }

  #sweep(): void {
    this.engine.sweep();
    this.#sweepWhenFull();
  }

  #connection(getsSecrets: boolean): ConnectionEvents {
    let id = '';
    let hasAsked = false;
    const policy: SecretPolicy = {
      isAllowed: getsSecrets,
      onAsked: () => {
        if (!hasAsked) this.#onEvent({ kind: 'secrets', proxy: id, given: getsSecrets });
        hasAsked = true;
      },
    };
    return {
      identify: (message, connection) => {
        const said = proxyNode(message);
        if (!said) return undefined;
        id = said.id;
        const { node, leave } = this.#join(said, autoRegisterGroup(message));
        const cell = this.#feedSets.view(node);
        const view = this.#viewOf(id, cell);
        if (!view) {
          leave();
          return undefined;
        }
        const { feeds, release } = this.#feedSets.acquire(view);
        const proxy: ConnectedProxy = {
          id,
          connection,
          policy,
          view: cell,
          unwatch: cell.watch(),
          release,
          leave,
        };
        this.#proxies.set(connection, proxy);
        this.#views.set(cell as Derived<unknown>, proxy);
        this.#onEvent({ kind: 'connected', proxy: id });
        return underPolicy(feeds, policy);
      },
      accepted: (type, version) => this.#onEvent({ kind: 'accepted', proxy: id, type, version }),
      refused: (type, version, message) =>
        this.#onEvent({ kind: 'refused', proxy: id, type, version, message }),
      closed: (connection) => this.#disconnect(connection),
      failed: (error) => this.#failed(`an answer to ${id || 'a client'}`, error),
    };
  }

  #join(node: ProxyNode, group: string): ReturnType<AutoRegistration['join']> {
    if (group === '') return { node, leave: () => {} };
    const joined = this.#registration.join(node, group);
    // The others learn of it once this proxy has been given its configuration.
    setImmediate(() => this.push());
    return joined;
  }

  #disconnect(connection: Connection): void {
    const proxy = this.#proxies.get(connection);
    if (!proxy) return;
    this.#proxies.delete(connection);
    this.#views.delete(proxy.view as Derived<unknown>);
    proxy.unwatch();
    proxy.release();
    proxy.leave();
    proxy.view.dispose();
    this.#onEvent({ kind: 'disconnected', proxy: proxy.id });
  }

  /** The proxy's view changed: from now on it gets the resources of the new one. */
  #follow(proxy: ConnectedProxy): void {
    const view = this.#viewOf(proxy.id, proxy.view);
    if (!view) return;
    const { feeds, release } = this.#feedSets.acquire(view);
    proxy.connection.session.replaceFeeds(underPolicy(feeds, proxy.policy));
    proxy.release();
    proxy.release = release;
  }

  /** Undefined when it could not be made. */
  #viewOf(proxy: string, cell: ClientViewCell): ClientView | undefined {
    try {
      return cell.get();
    } catch (error) {
      this.#failed(`the view of ${proxy}`, error);
      return undefined;
    }
  }

  #failed(what: string, error: unknown): void {
    this.#onEvent({ kind: 'failed', what, error });
  }
}

/** Empty for an object of another kind. */
function keyOfVirtualService(id: string): string {
  const prefix = 'VirtualService/';
  return id.startsWith(prefix) ? id.slice(prefix.length) : '';
}
