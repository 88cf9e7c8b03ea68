// The control plane: takes configuration, keeps every connected proxy up to date with it.
import type { Issue } from '../base/index.ts';
import { MemoEngine } from '../base/index.ts';
import type { MeshConfig } from '../config/index.ts';
import { Mesh, type MeshFeatures, type ProxyNode } from '../mesh/index.ts';
import { ConfigStore, Registry } from '../registry/index.ts';
import type { ConfigUpdate, ResourceId, Standing } from '../sources/index.ts';
import { Findings } from '../tools/index.ts';
import { GrpcTranslator, Translator } from '../translate/index.ts';
import { discoveryServices, FeedHub, type GrpcServer, startGrpcServer } from '../xds/index.ts';
import { type After, AutoRegistration } from './auto-registration.ts';
import { Connections, type Joined } from './connections.ts';
import { Conversions } from './conversions.ts';
import { EventStream, type Listener } from './event-stream.ts';
import { FeedSets } from './feed-sets.ts';
import type { PilotEvent } from './pilot-event.ts';
import { Propagation } from './propagation.ts';
import { ReferenceGuard } from './reference-guard.ts';
import { isLocal } from './secret-policy.ts';

export interface PilotOptions {
  readonly domain?: string;
  readonly meshConfig?: MeshConfig;
  readonly features?: MeshFeatures;
  /** The first listener of the pilot's events. */
  readonly onEvent?: Listener<PilotEvent>;
  readonly after?: After;
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
  /** Who has what. */
  readonly propagation: Propagation;
  readonly #guard: ReferenceGuard;
  readonly #findings: Findings;
  readonly #conversions: Conversions;
  readonly #registration: AutoRegistration;
  readonly #hub = new FeedHub(({ type, name, error }) => this.#failed(`${type} ${name}`, error));
  readonly #connections: Connections;
  readonly #events = new EventStream<PilotEvent>(failureOfListener);

  constructor({
    domain = defaultDomain,
    meshConfig = {},
    features,
    onEvent,
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
    const { endpoints } = this.translator;
    const grpc = new GrpcTranslator(this.engine, this.mesh, endpoints);
    this.#connections = new Connections({
      feedSets: new FeedSets({ envoy: this.translator, grpc }, this.#hub),
      emit: (event) => this.#events.emit(event),
      join: (node, group) => this.#join(node, group),
    });
    this.propagation = new Propagation(() => this.#connections.all());
    if (onEvent) this.subscribe(onEvent);
    this.#sweepWhenFull();
  }

  /** Tells the listener what happens from now on. Returns the way to end it. */
  subscribe(listener: Listener<PilotEvent>): () => void {
    return this.#events.subscribe(listener);
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
    this.#connections.follow(touched);
    const resources = this.#hub.process(touched);
    this.#connections.flush();
    this.#findings.process(touched);
    if (resources > 0) this.#events.emit({ kind: 'pushed', resources });
  }

  get proxies(): readonly string[] {
    return [...this.#connections.all()].map(({ proxy }) => proxy);
  }

  /** Proxies that have not answered everything yet. */
  get unsettled(): readonly string[] {
    return this.propagation.unsettled;
  }

  /** Plaintext: who is not on this machine gets no secrets. */
  serve(address: string): Promise<GrpcServer> {
    const isAllowed = isLocal(address);
    return startGrpcServer({
      address,
      services: discoveryServices(() => this.#connections.open(isAllowed)),
      failed: (error) => this.#failed('an answer', error),
    });
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

  #join(node: ProxyNode, group: string): Joined {
    if (group === '') return { node, leave: () => {} };
    const joined = this.#registration.join(node, group);
    // The others learn of it once this proxy has been given its configuration.
    setImmediate(() => this.push());
    return joined;
  }

  #failed(what: string, error: unknown): void {
    this.#events.emit({ kind: 'failed', what, error });
  }
}

/** A failure to tell of a failure goes untold. */
function failureOfListener(error: unknown, { kind }: PilotEvent): PilotEvent | undefined {
  return kind === 'failed' ? undefined : { kind: 'failed', what: 'what a listener of events does', error };
}

/** Empty for an object of another kind. */
function keyOfVirtualService(id: string): string {
  const prefix = 'VirtualService/';
  return id.startsWith(prefix) ? id.slice(prefix.length) : '';
}
