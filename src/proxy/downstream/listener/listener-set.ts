// All listeners of a proxy: opened when their routes and secrets are there, replaced without losing a
// request, drained when removed.
import { fromBinary } from '@bufbuild/protobuf';
import type { Any } from '@bufbuild/protobuf/wkt';
import { type Listener, ListenerSchema } from '@meltemi/envoy-api/envoy/config/listener/v3/listener';
import { formatAddress, type HostPort } from '../../net/address.ts';
import type { OwnConnections } from '../../net/own-connections.ts';
import type { Stats } from '../../observe/stats.ts';
import {
  closedListener,
  compileListener,
  type ListenerConfig,
  type ListenerContext,
  listenerName,
} from '../../plan/listener/listener-plan.ts';
import type { SecretStore } from '../../tls/secret-store.ts';
import type { HttpEnvironment } from '../http/environment.ts';
import { type AcceptContext, acceptConnection } from './accept.ts';
import { BoundSockets } from './bound-sockets.ts';
import type { Session } from './open-chain.ts';
import { OriginalDestinations } from './original-destination.ts';
import type { RouteStore } from './route-store.ts';
import { isUdp, UdpListeners } from './udp-listeners.ts';

export interface ListenerSetOptions {
  readonly stats: Stats;
  readonly secrets: SecretStore;
  readonly routes: RouteStore;
  readonly env: HttpEnvironment;
  readonly own: OwnConnections;
  readonly drainMs: number;
  readonly routesWanted: (names: readonly string[]) => void;
  readonly log: (level: 'info' | 'warn', message: string) => void;
  /** A listener began to accept. */
  readonly opened: () => void;
}

interface Entry {
  bytes: Uint8Array;
  active: ListenerConfig | undefined;
  warming: ListenerConfig | undefined;
  sockets: BoundSockets | undefined;
  /** Of the bootstrap: discovery does not touch it. */
  readonly fixed: boolean;
  /** Bound and accepting, or nothing to bind. */
  open: boolean;
}

export class ListenerSet implements AcceptContext {
  readonly env: HttpEnvironment;
  readonly destinations = new OriginalDestinations();
  readonly own: OwnConnections;
  readonly #options: ListenerSetOptions;
  readonly #entries = new Map<string, Entry>();
  readonly #byAddress = new Map<string, ListenerConfig>();
  /** Addresses of refused listeners: who goes there must not get around their rules. */
  #shut = new Map<string, ListenerConfig>();
  readonly #sessions = new Map<ListenerConfig, Set<Session>>();
  readonly #udp: UdpListeners;
  #lastId = 0;
  #draining = false;

  constructor(options: ListenerSetOptions) {
    this.#options = options;
    this.env = options.env;
    this.own = options.own;
    this.#udp = new UdpListeners((message) => options.log('warn', message));
    options.secrets.onChange(() => this.promote());
  }

  /** Every listener that was ever asked for is in use. */
  get warm(): boolean {
    for (const entry of this.#entries.values()) if (entry.warming || !entry.open) return false;
    return true;
  }

  *active(): Iterable<ListenerConfig> {
    for (const entry of this.#entries.values()) if (entry.active && entry.open) yield entry.active;
  }

  addFixed(source: Listener, bytes: Uint8Array): readonly string[] {
    const problem = this.#applyOne(source, bytes, true);
    this.promote();
    return problem === undefined ? [] : [problem];
  }

  /** Takes the whole set; refused listeners keep what they were. */
  apply(resources: readonly Any[]): readonly string[] {
    const refused: string[] = [];
    const sources = resources.map((any) => ({
      source: fromBinary(ListenerSchema, any.value),
      bytes: any.value,
    }));
    const names = new Set(sources.map(({ source }) => listenerName(source)));
    for (const [name, entry] of this.#entries)
      if (!entry.fixed && !names.has(name)) this.#remove(name, entry);
    const listed = new Set(names);
    const shut = new Map<string, ListenerConfig>();
    for (const { source, bytes } of sources) {
      const name = listenerName(source);
      const problem = names.delete(name) ? this.#applyOne(source, bytes, false) : 'duplicate listener';
      if (problem === undefined) continue;
      refused.push(`${name}: ${problem}`);
      const closed = isUdp(source) ? undefined : closedListener(source, this.#context);
      if (closed) for (const address of closed.addresses) shut.set(key(address), closed);
    }
    this.#shut = shut;
    this.#udp.keep(listed);
    this.#wantRoutes();
    this.promote();
    return refused;
  }

  /** Puts into use what waited for routes or secrets that have now come. */
  promote(): void {
    for (const [name, entry] of this.#entries) {
      const next = entry.warming;
      if (!next || !isReady(next, this.#options.routes)) continue;
      const before = entry.active;
      entry.active = next;
      entry.warming = undefined;
      this.#index(before, next);
      if (before) this.#drain(before, false);
      this.#open(name, entry, before);
    }
  }

  drainAll(which: 'all' | 'inbound' = 'all'): void {
    if (which === 'all') this.#draining = true;
    for (const { active } of this.#entries.values())
      if (active && (which === 'all' || active.direction === which)) this.#drain(active, true);
  }

  close(): void {
    this.#udp.close();
    for (const entry of this.#entries.values()) entry.sockets?.close();
    for (const sessions of this.#sessions.values()) for (const session of [...sessions]) session.destroy();
    this.#entries.clear();
    this.#byAddress.clear();
  }

  stopAccepting(): void {
    for (const entry of this.#entries.values()) entry.sockets?.close();
  }

  listenerFor({ ip, port }: HostPort): ListenerConfig | undefined {
    for (const place of [ip, '0.0.0.0', '::']) {
      const at = formatAddress(place, port);
      const found = this.#byAddress.get(at) ?? this.#shut.get(at);
      if (found) return found;
    }
    return undefined;
  }

  opened(listener: ListenerConfig, session: Session): void {
    let sessions = this.#sessions.get(listener);
    if (!sessions) {
      sessions = new Set();
      this.#sessions.set(listener, sessions);
    }
    sessions.add(session);
    if (this.#draining) session.drain(true);
  }

  over(listener: ListenerConfig, session: Session): void {
    const sessions = this.#sessions.get(listener);
    sessions?.delete(session);
    if (sessions?.size === 0) this.#sessions.delete(listener);
  }

  noChain(listener: ListenerConfig): void {
    this.#options.stats.counter(`${listener.scope}.no_filter_chain_match`).value++;
  }

  looped(listener: ListenerConfig): void {
    const stat = this.#options.stats.counter(`${listener.scope}.downstream_cx_loop`);
    if (stat.value++ === 0)
      this.#options.log(
        'warn',
        `listener ${listener.name}: the proxy sends to itself; the connection was closed`,
      );
  }

  nextId(): number {
    return ++this.#lastId;
  }

  get sessionCount(): number {
    let count = 0;
    for (const sessions of this.#sessions.values()) count += sessions.size;
    return count;
  }

  get #context(): ListenerContext {
    const { stats, secrets, routes, log } = this.#options;
    return { stats, secrets, routes, log, now: this.env.now };
  }

  #applyOne(source: Listener, bytes: Uint8Array, fixed: boolean): string | undefined {
    const name = listenerName(source);
    if (isUdp(source)) return this.#udp.apply({ name, source, bytes, fixed });
    const entry = this.#entries.get(name);
    if (entry && ((entry.fixed && !fixed) || Buffer.compare(entry.bytes, bytes) === 0)) return undefined;
    const problems: string[] = [];
    const config = compileListener(source, this.#context, problems);
    if (config) problems.push(...this.#taken(name, config));
    if (!config || problems.length > 0) return [...new Set(problems)].join('; ');
    this.#entries.set(name, {
      bytes,
      active: entry?.active,
      warming: config,
      sockets: entry?.sockets,
      fixed,
      open: entry?.open ?? false,
    });
    this.#options.stats.counter(
      entry ? 'listener_manager.listener_modified' : 'listener_manager.listener_added',
    ).value++;
    return undefined;
  }

  /** Addresses of the listener that others have. */
  #taken(name: string, config: ListenerConfig): readonly string[] {
    const others = [...this.#entries].flatMap(([other, { active, warming }]) =>
      other === name ? [] : [active, warming],
    );
    const own = new Set(config.addresses.filter(({ port, path }) => port > 0 || path !== undefined).map(key));
    return others.flatMap((other) =>
      (other?.addresses ?? []).flatMap((address) =>
        own.has(key(address))
          ? [`has duplicate address '${key(address)}' as existing listener ${other?.name}`]
          : [],
      ),
    );
  }

  #wantRoutes(): void {
    const names = new Set<string>();
    for (const entry of this.#entries.values())
      for (const config of [entry.active, entry.warming])
        for (const name of config ? routeNames(config) : []) names.add(name);
    this.#options.routes.keep(names);
    this.#options.routesWanted([...names]);
  }

  #index(before: ListenerConfig | undefined, after: ListenerConfig | undefined): void {
    for (const address of before?.addresses ?? []) this.#byAddress.delete(key(address));
    if (after) for (const address of after.addresses) this.#byAddress.set(key(address), after);
  }

  #open(name: string, entry: Entry, before: ListenerConfig | undefined): void {
    const config = entry.active;
    if (!config) return;
    const samePlace =
      before?.bind === config.bind && before.addresses.map(key).join() === config.addresses.map(key).join();
    if (samePlace && entry.open) return;
    entry.sockets?.close();
    entry.open = !config.bind;
    entry.sockets = config.bind ? this.#listen(name, config) : undefined;
    this.#options.opened();
  }

  #listen(name: string, config: ListenerConfig): BoundSockets {
    return new BoundSockets({
      addresses: config.addresses,
      backlog: config.maxConnectionsBacklog,
      socketOptions: config.socketOptions,
      accepted: (socket) => {
        const current = this.#entries.get(name)?.active;
        if (current) acceptConnection(socket, current, this);
        else socket.destroy();
      },
      opened: () => {
        const current = this.#entries.get(name);
        if (current) current.open = true;
        this.#options.opened();
      },
      failed: (error) => {
        this.#options.log('warn', `listener ${name}: ${error.message}`);
        this.#options.stats.counter('listener_manager.listener_create_failure').value++;
      },
    });
  }

  #remove(name: string, entry: Entry): void {
    this.#entries.delete(name);
    this.#index(entry.active, undefined);
    entry.sockets?.close();
    this.#options.stats.counter('listener_manager.listener_removed').value++;
    if (entry.active) this.#drain(entry.active, false);
  }

  /**
   * Connections of the old configuration end after their next response, the rest when the time for draining
   * is over.
   */
  #drain(config: ListenerConfig, closeIdle: boolean): void {
    const sessions = this.#sessions.get(config);
    if (!sessions) return;
    for (const session of [...sessions]) session.drain(closeIdle);
    setTimeout(() => {
      for (const session of [...(this.#sessions.get(config) ?? [])]) session.destroy();
    }, this.#options.drainMs).unref();
  }
}

/** An address as text. */
function key({ ip, port, path }: HostPort): string {
  return path ?? formatAddress(ip, port);
}

function* chainsOf(config: ListenerConfig): Iterable<ListenerConfig['chains'][number]> {
  yield* config.chains;
  if (config.defaultChain) yield config.defaultChain;
}

function routeNames(config: ListenerConfig): readonly string[] {
  return [...chainsOf(config)].flatMap((chain) =>
    chain.action.kind === 'http' && chain.action.http.rdsName !== undefined
      ? [chain.action.http.rdsName]
      : [],
  );
}

function isReady(config: ListenerConfig, routes: RouteStore): boolean {
  for (const chain of chainsOf(config)) {
    if (chain.tls && !chain.tls.settled) return false;
    if (
      chain.action.kind === 'http' &&
      chain.action.http.rdsName !== undefined &&
      !routes.isReady(chain.action.http.rdsName)
    )
      return false;
  }
  return true;
}
