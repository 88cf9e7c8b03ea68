// All listeners of a proxy: opened when their routes and secrets are there, replaced without losing a request, drained when removed.
import net from 'node:net';
import { fromBinary } from '@bufbuild/protobuf';
import type { Any } from '@bufbuild/protobuf/wkt';
import { type Listener, ListenerSchema } from '@meltemi/envoy-api/envoy/config/listener/v3/listener';
import type { HttpEnvironment } from '../http/environment.ts';
import { formatAddress, type HostPort } from '../net/address.ts';
import type { OwnConnections } from '../net/own-connections.ts';
import type { Stats } from '../stats/stats.ts';
import type { SecretStore } from '../tls/secret-store.ts';
import { type AcceptContext, acceptConnection, type Session } from './accept.ts';
import { compileListener, type ListenerConfig } from './listener-config.ts';
import { OriginalDestinations } from './original-destination.ts';
import type { RouteStore } from './route-store.ts';

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
  server: net.Server | undefined;
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
  readonly #sessions = new Map<ListenerConfig, Set<Session>>();
  #lastId = 0;
  #draining = false;

  constructor(options: ListenerSetOptions) {
    this.#options = options;
    this.env = options.env;
    this.own = options.own;
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
    const problem = this.#applyOne(source, bytes);
    this.promote();
    return problem === undefined ? [] : [problem];
  }

  apply(resources: readonly Any[]): readonly string[] {
    const refused: string[] = [];
    const seen = new Set<string>();
    for (const any of resources) {
      const source = fromBinary(ListenerSchema, any.value);
      seen.add(source.name);
      const problem = this.#applyOne(source, any.value);
      if (problem !== undefined) refused.push(`${source.name}: ${problem}`);
    }
    for (const [name, entry] of this.#entries) if (!seen.has(name)) this.#remove(name, entry);
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

  drainAll(): void {
    this.#draining = true;
    for (const entry of this.#entries.values()) if (entry.active) this.#drain(entry.active, true);
  }

  close(): void {
    for (const entry of this.#entries.values()) entry.server?.close();
    for (const sessions of this.#sessions.values()) for (const session of [...sessions]) session.destroy();
    this.#entries.clear();
    this.#byAddress.clear();
  }

  stopAccepting(): void {
    for (const entry of this.#entries.values()) entry.server?.close();
  }

  listenerFor(destination: HostPort): ListenerConfig | undefined {
    const exact = this.#byAddress.get(formatAddress(destination.ip, destination.port));
    return exact ?? this.#byAddress.get(`0.0.0.0:${destination.port}`) ?? this.#byAddress.get(`[::]:${destination.port}`);
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
    if (stat.value++ === 0) this.#options.log('warn', `listener ${listener.name}: the proxy sends to itself; the connection was closed`);
  }

  nextId(): number {
    return ++this.#lastId;
  }

  get sessionCount(): number {
    let count = 0;
    for (const sessions of this.#sessions.values()) count += sessions.size;
    return count;
  }

  #applyOne(source: Listener, bytes: Uint8Array): string | undefined {
    const entry = this.#entries.get(source.name);
    if (entry && Buffer.compare(entry.bytes, bytes) === 0) return undefined;
    const problems: string[] = [];
    const { stats, secrets, routes, log } = this.#options;
    const config = compileListener(source, { stats, secrets, routes, log, now: this.env.now }, problems);
    if (!config || problems.length > 0) return [...new Set(problems)].join('; ');
    this.#entries.set(source.name, { bytes, active: entry?.active, warming: config, server: entry?.server, open: entry?.open ?? false });
    stats.counter(entry ? 'listener_manager.listener_modified' : 'listener_manager.listener_added').value++;
    return undefined;
  }

  #wantRoutes(): void {
    const names = new Set<string>();
    for (const entry of this.#entries.values())
      for (const config of [entry.active, entry.warming]) for (const name of config ? routeNames(config) : []) names.add(name);
    this.#options.routes.keep(names);
    this.#options.routesWanted([...names]);
  }

  #index(before: ListenerConfig | undefined, after: ListenerConfig | undefined): void {
    if (before) this.#byAddress.delete(formatAddress(before.address.ip, before.address.port));
    if (after) this.#byAddress.set(formatAddress(after.address.ip, after.address.port), after);
  }

  #open(name: string, entry: Entry, before: ListenerConfig | undefined): void {
    const config = entry.active;
    if (!config) return;
    const samePlace =
      before?.bind === config.bind && before.address.ip === config.address.ip && before.address.port === config.address.port;
    if (samePlace && entry.open) return;
    entry.server?.close();
    entry.server = undefined;
    if (config.bind) this.#listen(name, entry, config);
    else entry.open = true;
    this.#options.opened();
  }

  #listen(name: string, entry: Entry, config: ListenerConfig): void {
    const server = net.createServer({ pauseOnConnect: true, allowHalfOpen: true, noDelay: true }, (socket) => {
      const current = this.#entries.get(name)?.active;
      if (current) acceptConnection(socket, current, this);
      else socket.destroy();
    });
    entry.server = server;
    server.on('error', (error) => {
      this.#options.log('warn', `listener ${name}: ${error.message}`);
      this.#options.stats.counter('listener_manager.listener_create_failure').value++;
      setTimeout(() => server === entry.server && !server.listening && this.#bind(server, config), 1000).unref();
    });
    server.on('listening', () => {
      const current = this.#entries.get(name);
      if (current) current.open = true;
      this.#options.opened();
    });
    this.#bind(server, config);
  }

  #bind(server: net.Server, config: ListenerConfig): void {
    const backlog = config.maxConnectionsBacklog;
    if (config.address.path !== undefined) server.listen({ path: config.address.path, backlog });
    else server.listen({ host: config.address.ip, port: config.address.port, backlog, ipv6Only: false });
  }

  #remove(name: string, entry: Entry): void {
    this.#entries.delete(name);
    this.#index(entry.active, undefined);
    entry.server?.close();
    this.#options.stats.counter('listener_manager.listener_removed').value++;
    if (entry.active) this.#drain(entry.active, false);
  }

  /** Connections of the old configuration end after their next response, the rest when the time for draining is over. */
  #drain(config: ListenerConfig, closeIdle: boolean): void {
    const sessions = this.#sessions.get(config);
    if (!sessions) return;
    for (const session of [...sessions]) session.drain(closeIdle);
    setTimeout(() => {
      for (const session of [...(this.#sessions.get(config) ?? [])]) session.destroy();
    }, this.#options.drainMs).unref();
  }
}

function* chainsOf(config: ListenerConfig): Iterable<ListenerConfig['chains'][number]> {
  yield* config.chains;
  if (config.defaultChain) yield config.defaultChain;
}

function routeNames(config: ListenerConfig): readonly string[] {
  return [...chainsOf(config)].flatMap((chain) =>
    chain.action.kind === 'http' && chain.action.http.rdsName !== undefined ? [chain.action.http.rdsName] : [],
  );
}

function isReady(config: ListenerConfig, routes: RouteStore): boolean {
  for (const chain of chainsOf(config)) {
    if (chain.tls && !chain.tls.ready) return false;
    if (chain.action.kind === 'http' && chain.action.http.rdsName !== undefined && !routes.isReady(chain.action.http.rdsName)) return false;
  }
  return true;
}
