// Hosts of a cluster that are found by name when somebody asks for them, and forgotten when nobody has for a
// while.
// https://www.envoyproxy.io/docs/envoy/latest/configuration/http/http_filters/dynamic_forward_proxy_filter
import type { DynamicPlan } from '../plan/cluster/dynamic-plan.ts';
import type { Host } from './host.ts';
import type { Resolve } from './resolver.ts';

export interface Named {
  readonly name: string;
  readonly port: number;
}

export type Lookup =
  | { readonly kind: 'found'; readonly host: Host }
  | { readonly kind: 'unknown' }
  | { readonly kind: 'overflow' };

export interface DynamicContext {
  readonly resolve: Resolve;
  readonly now: () => number;
  readonly create: (named: Named, ip: string) => Host;
  readonly drop: (host: Host) => void;
}

interface Entry {
  readonly named: Named;
  host: Host | undefined;
  usedAt: number;
  resolvedAt: number;
  /** A lookup under way. */
  pending: Promise<void> | undefined;
}

export class DynamicHosts {
  readonly #plan: DynamicPlan;
  readonly #context: DynamicContext;
  readonly #entries = new Map<string, Entry>();

  constructor(plan: DynamicPlan, context: DynamicContext) {
    this.#plan = plan;
    this.#context = context;
  }

  /**
   * An address that is known serves while a newer one is looked up. Calls back at once when nothing has to be
   * waited for.
   */
  find(named: Named, done: (lookup: Lookup) => void): void {
    const entry = this.#entry(named);
    if (!entry) {
      done({ kind: 'overflow' });
      return;
    }
    const now = this.#context.now();
    entry.usedAt = now;
    if (!entry.host || now - entry.resolvedAt > this.#plan.refreshMs) entry.pending ??= this.#refresh(entry);
    const answer = (): void => done(entry.host ? { kind: 'found', host: entry.host } : { kind: 'unknown' });
    if (entry.host) answer();
    else void entry.pending?.then(answer);
  }

  hosts(): Iterable<Host> {
    return [...this.#entries.values()].flatMap((entry) => entry.host ?? []);
  }

  #entry(named: Named): Entry | undefined {
    const key = `${named.name.toLowerCase()}:${named.port}`;
    const known = this.#entries.get(key);
    if (known) return known;
    if (this.#entries.size >= this.#plan.maxHosts) this.#sweep();
    if (this.#entries.size >= this.#plan.maxHosts) return undefined;
    const entry: Entry = {
      named,
      host: undefined,
      usedAt: 0,
      resolvedAt: Number.NEGATIVE_INFINITY,
      pending: undefined,
    };
    this.#entries.set(key, entry);
    return entry;
  }

  async #refresh(entry: Entry): Promise<void> {
    const { resolve, now, create, drop } = this.#context;
    const answer = await resolve(entry.named.name, this.#plan.family);
    entry.pending = undefined;
    entry.resolvedAt = now();
    const ip = answer?.addresses[0];
    // A lookup that failed, or found nothing, leaves what was known.
    if (ip === undefined || entry.host?.ip === ip) return;
    if (entry.host) drop(entry.host);
    entry.host = create(entry.named, ip);
  }

  #sweep(): void {
    const old = this.#context.now() - this.#plan.ttlMs;
    for (const [key, entry] of this.#entries) {
      const idle = !entry.host || (entry.host.connections === 0 && entry.host.activeRequests === 0);
      if (entry.pending || !idle || (entry.host && entry.usedAt > old)) continue;
      if (entry.host) this.#context.drop(entry.host);
      this.#entries.delete(key);
    }
  }
}

/** What an authority names; brackets of an IPv6 address are taken off. */
export function namedIn(authority: string, defaultPort: number): Named | undefined {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]]+))(?::(\d{1,5}))?$/.exec(authority);
  const name = match?.[1] ?? match?.[2];
  const port = match?.[3] === undefined ? defaultPort : Number(match[3]);
  return name === undefined || port < 1 || port > 65_535 ? undefined : { name, port };
}
