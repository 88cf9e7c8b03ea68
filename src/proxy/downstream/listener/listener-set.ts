// All listeners of a proxy: opened when their routes and secrets are there, replaced without losing a
// request, drained when removed.

import { fromBinary } from '@bufbuild/protobuf';
import type { Any } from '@bufbuild/protobuf/wkt';
import {
  type Listener as ListenerProto,
  ListenerSchema,
} from '@meltemi/envoy-api/envoy/config/listener/v3/listener';
import { formatAddress, type HostPort } from '../../codec/address.ts';
import { filterCatalog } from '../../filters/all.ts';
import type { OwnConnections } from '../../net/own-connections.ts';
import type { Stats } from '../../observe/stats.ts';
import type { ManagerPlan } from '../../plan/http/manager-plan.ts';
import {
  addressText,
  type ListenerPlan,
  listenerName,
  planClosedListener,
  planListener,
} from '../../plan/listener/listener-plan.ts';
import { isUdp } from '../../plan/listener/udp-listener-plan.ts';
import type { SecretStore } from '../../tls/secret-store.ts';
import type { HttpEnvironment } from '../environment.ts';
import { HttpManager } from '../http/http-manager.ts';
import { type AcceptContext, acceptConnection } from './accept.ts';
import { BoundSockets } from './bound-sockets.ts';
import { createListener, isReady, type Listener, type ListenerContext, routeNames } from './listener.ts';
import type { Session } from './open-chain.ts';
import { OriginalDestinations } from './original-destination.ts';
import type { RouteStore } from './route-store.ts';
import { UdpListeners } from './udp-listeners.ts';

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
  active: Listener | undefined;
  warming: Listener | undefined;
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
  readonly #byAddress = new Map<string, Listener>();
  /** Addresses of refused listeners: who goes there must not get around their rules. */
  #shut = new Map<string, Listener>();
  readonly #sessions = new Map<Listener, Set<Session>>();
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

  *active(): Iterable<ListenerPlan> {
    for (const { active, open } of this.#entries.values()) if (active && open) yield active.plan;
  }

  addFixed(source: ListenerProto, bytes: Uint8Array): readonly string[] {
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
    const shut = new Map<string, Listener>();
    for (const { source, bytes } of sources) {
      const name = listenerName(source);
      const problem = names.delete(name) ? this.#applyOne(source, bytes, false) : 'duplicate listener';
      if (problem === undefined) continue;
      refused.push(`${name}: ${problem}`);
      const closed = isUdp(source) ? undefined : planClosedListener(source);
      if (closed) this.#shutOff(closed, shut);
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
      if (!next || !isReady(next, (name) => this.#options.routes.isReady(name))) continue;
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
      if (active && (which === 'all' || active.plan.direction === which)) this.#drain(active, true);
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

  listenerFor({ ip, port }: HostPort): Listener | undefined {
    for (const place of [ip, '0.0.0.0', '::']) {
      const at = formatAddress(place, port);
      const found = this.#byAddress.get(at) ?? this.#shut.get(at);
      if (found) return found;
    }
    return undefined;
  }

  opened(listener: Listener, session: Session): void {
    let sessions = this.#sessions.get(listener);
    if (!sessions) {
      sessions = new Set();
      this.#sessions.set(listener, sessions);
    }
    sessions.add(session);
    if (this.#draining) session.drain(true);
  }

  over(listener: Listener, session: Session): void {
    const sessions = this.#sessions.get(listener);
    sessions?.delete(session);
    if (sessions?.size === 0) this.#sessions.delete(listener);
  }

  noChain(listener: Listener): void {
    this.#options.stats.counter(`${listener.plan.scope}.no_filter_chain_match`).value++;
  }

  looped(listener: Listener): void {
    const stat = this.#options.stats.counter(`${listener.plan.scope}.downstream_cx_loop`);
    if (stat.value++ === 0)
      this.#options.log(
        'warn',
        `listener ${listener.plan.name}: the proxy sends to itself; the connection was closed`,
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
    const openManager = (plan: ManagerPlan, problems: string[]): HttpManager =>
      new HttpManager(plan, { stats, routes, env: this.env }, problems);
    const openLogs: ListenerContext['openLogs'] = (plans, problems) =>
      this.env.accessLogs.open(plans, problems);
    return { stats, secrets, openManager, openLogs, log, now: this.env.clock.now };
  }

  /** Whoever is led to these addresses finds a listener that takes nobody. */
  #shutOff(plan: ListenerPlan, shut: Map<string, Listener>): void {
    const closed = createListener(plan, this.#context, []);
    for (const address of plan.addresses) shut.set(addressText(address), closed);
  }

  #applyOne(source: ListenerProto, bytes: Uint8Array, fixed: boolean): string | undefined {
    const name = listenerName(source);
    if (isUdp(source)) return this.#udp.apply({ name, source, bytes, fixed });
    const entry = this.#entries.get(name);
    if (entry && ((entry.fixed && !fixed) || Buffer.compare(entry.bytes, bytes) === 0)) return undefined;
    const { plan, problems: found } = planListener(source, filterCatalog);
    const problems = plan ? [...found, ...this.#taken(name, plan)] : [...found];
    const listener = plan && problems.length === 0 && createListener(plan, this.#context, problems);
    if (!listener || problems.length > 0) return [...new Set(problems)].join('; ');
    this.#entries.set(name, {
      bytes,
      active: entry?.active,
      warming: listener,
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
  #taken(name: string, plan: ListenerPlan): readonly string[] {
    const others = [...this.#entries].flatMap(([other, { active, warming }]) =>
      other === name ? [] : [active, warming],
    );
    const own = new Set(
      plan.addresses.filter(({ port, path }) => port > 0 || path !== undefined).map(addressText),
    );
    return others.flatMap((other) =>
      (other?.plan.addresses ?? []).flatMap((address) =>
        own.has(addressText(address))
          ? [`has duplicate address '${addressText(address)}' as existing listener ${other?.plan.name}`]
          : [],
      ),
    );
  }

  #wantRoutes(): void {
    const names = new Set<string>();
    for (const entry of this.#entries.values())
      for (const listener of [entry.active, entry.warming])
        for (const name of listener ? routeNames(listener) : []) names.add(name);
    this.#options.routes.keep(names);
    this.#options.routesWanted([...names]);
  }

  #index(before: Listener | undefined, after: Listener | undefined): void {
    for (const address of before?.plan.addresses ?? []) this.#byAddress.delete(addressText(address));
    if (after) for (const address of after.plan.addresses) this.#byAddress.set(addressText(address), after);
  }

  #open(name: string, entry: Entry, before: Listener | undefined): void {
    const plan = entry.active?.plan;
    if (!plan) return;
    if (before && entry.open && isSamePlace(before.plan, plan)) return;
    entry.sockets?.close();
    entry.open = !plan.bind;
    entry.sockets = plan.bind ? this.#listen(name, plan) : undefined;
    this.#options.opened();
  }

  #listen(name: string, plan: ListenerPlan): BoundSockets {
    return new BoundSockets({
      addresses: plan.addresses,
      backlog: plan.maxConnectionsBacklog,
      socketOptions: plan.socketOptions,
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
  #drain(listener: Listener, closeIdle: boolean): void {
    const sessions = this.#sessions.get(listener);
    if (!sessions) return;
    for (const session of [...sessions]) session.drain(closeIdle);
    this.env.clock.after(this.#options.drainMs, () => {
      for (const session of [...(this.#sessions.get(listener) ?? [])]) session.destroy();
    });
  }
}

function isSamePlace(before: ListenerPlan, after: ListenerPlan): boolean {
  return (
    before.bind === after.bind &&
    before.addresses.map(addressText).join() === after.addresses.map(addressText).join()
  );
}
