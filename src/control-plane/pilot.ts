// The control plane: takes configuration, keeps every connected proxy up to date with it.
import { type Issue, MemoEngine, unreachable } from '../base/index.ts';
import type { MeshConfig } from '../config/index.ts';
import { Mesh, type MeshFeatures, type ProxyNode } from '../mesh/index.ts';
import { ConfigStore, Registry } from '../registry/index.ts';
import type { ConfigUpdate, ResourceId, SourceId, Standing } from '../sources/index.ts';
import { Findings } from '../tools/index.ts';
import { GrpcTranslator, Translator } from '../translate/index.ts';
import { discoveryServices, FeedHub, type GrpcServer, startGrpcServer } from '../xds/index.ts';
import { type Clock, systemClock } from './clock.ts';
import { Connections, type Joined } from './connections.ts';
import { type ControlEvent, EventLoop } from './event-loop.ts';
import { EventStream, type Listener } from './event-stream.ts';
import { FeedSets } from './feed-sets.ts';
import { Layers, type WinningChanges } from './layers/index.ts';
import type { PilotEvent } from './pilot-event.ts';
import { Propagation } from './propagation.ts';
import { Registrations } from './registrations.ts';
import { isLocal } from './secret-policy.ts';

export interface PilotOptions {
  readonly domain?: string;
  readonly meshConfig?: MeshConfig;
  readonly features?: MeshFeatures;
  /** The first listener of the pilot's events. */
  readonly onEvent?: Listener<PilotEvent>;
  /** The sources that count first where several hold the same resource, in their order. */
  readonly sources?: readonly SourceId[];
  readonly clock?: Partial<Clock>;
}

const defaultDomain = 'cluster.local';
const minSweepAt = 20_000;

/** Of an update that is given without one. */
const defaultSource: SourceId = 'default';

export class Pilot {
  readonly engine = new MemoEngine();
  readonly store: ConfigStore;
  readonly mesh: Mesh;
  readonly translator: Translator;
  /** Who has what. */
  readonly propagation: Propagation;
  readonly #layers: Layers;
  readonly #findings: Findings;
  readonly #registrations: Registrations;
  readonly #loop: EventLoop;
  readonly #hub = new FeedHub(({ type, name, error }) => this.#failed(`${type} ${name}`, error));
  readonly #connections: Connections;
  readonly #events = new EventStream<PilotEvent>(failureOfListener);

  constructor({ domain = defaultDomain, meshConfig = {}, features, onEvent, ...options }: PilotOptions = {}) {
    const clock = { ...systemClock, ...options.clock };
    this.store = new ConfigStore(this.engine, { domain });
    this.mesh = new Mesh(
      this.engine,
      this.store,
      new Registry(this.engine, this.store),
      meshConfig,
      features,
    );
    this.translator = new Translator(this.engine, this.mesh);
    this.#loop = new EventLoop({ clock, act: (events) => this.#act(events) });
    this.#layers = new Layers({
      engine: this.engine,
      mesh: this.mesh,
      order: options.sources ?? [],
      failed: (source, error) => this.#failed(`an object of ${source}`, error),
    });
    this.#registrations = new Registrations({
      engine: this.engine,
      store: this.store,
      layers: this.#layers,
      after: clock.after,
      onLeft: () => this.#loop.offer({ kind: 'proxy-left' }),
    });
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

  /** Takes an event, to act on it when its turn comes. */
  offer(event: ControlEvent): void {
    if (event.kind === 'update') this.#layers.write(event.source, event.update);
    this.#loop.offer(event);
  }

  /**
   * Brings an update of a source into force and to the proxies at once. Returns the findings about what
   * resources say of each other; those about the resources themselves are the source's.
   */
  apply(update: ConfigUpdate, source = defaultSource): readonly Issue[] {
    this.#layers.write(source, update);
    this.#act([{ kind: 'update', source, update }]);
    return this.issues;
  }

  setMeshConfig(config: MeshConfig): void {
    this.#act([{ kind: 'mesh-config', config }]);
  }

  /** What there is to say of the resources, as their users wrote them, in the light of each other. */
  get issues(): readonly Issue[] {
    const inForce = [...this.#findings.byObject].flatMap(([id, issues]) =>
      this.#layers.isWaiting(id) ? [] : issues,
    );
    return [...inForce, ...this.#layers.issues, ...this.#findings.ofGatewayApi];
  }

  /** What is in force of a resource that some source holds. */
  standing(id: ResourceId): Standing {
    return this.#layers.standing(id);
  }

  /** How many resources of the sources are in force. */
  get size(): number {
    return this.#layers.size;
  }

  /** Sends what the changes since the last push have made different, and nothing else. */
  push(): void {
    const touched = this.#layers.settle();
    this.#connections.follow(touched);
    const resources = this.#hub.process(touched);
    this.#connections.flush();
    this.#findings.process(touched);
    if (resources > 0) this.#events.emit({ kind: 'pushed', resources });
  }

  /** Acts on events, all of them in one push. */
  #act(events: readonly ControlEvent[]): void {
    const changes = events.flatMap((event) => this.#bring(event) ?? []);
    this.push();
    for (const change of changes) this.#findings.apply(change);
    if (events.some(({ kind }) => kind === 'update' || kind === 'mesh-config'))
      this.#events.emit({ kind: 'applied' });
  }

  #bring(event: ControlEvent): WinningChanges | undefined {
    switch (event.kind) {
      case 'update':
        return this.#layers.admit(event.source, event.update);
      case 'mesh-config':
        this.mesh.setConfig(event.config);
        return undefined;
      case 'proxy-joined':
      case 'proxy-left':
        // What is derived of them is written by now.
        return undefined;
      default:
        return unreachable(event);
    }
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
   * Each time that there are twice as many values as were left the last time, so that the search
   * costs little.
   */
  #sweepWhenFull(): void {
    const { live, inputs } = this.engine.statistics();
    const at = Math.max(minSweepAt, (live + inputs) * 2);
    this.engine.whenFull(at, () => setImmediate(() => this.#sweep()));
  }

  #sweep(): void {
    this.engine.sweep();
    this.#sweepWhenFull();
  }

  #join(node: ProxyNode, group: string): Joined {
    if (group === '') return { node, leave: () => {} };
    const joined = this.#registrations.join(node, group);
    // Acted on after this proxy has been given its configuration.
    this.#loop.offer({ kind: 'proxy-joined' });
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
