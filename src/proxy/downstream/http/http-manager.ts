// An HTTP connection manager in use: its plan, with the routes in force, its filters and its counters.

import { RouteTable } from '../../decide/route/index.ts';
import { filterOfKind } from '../../filters/all.ts';
import type {
  FilterProxy,
  FilterScope,
  OpenFilter,
  StreamContext,
  StreamFilter,
} from '../../filters/http-filter.ts';
import type { Logger } from '../../observe/access-log/access-logs.ts';
import type { Stat, Stats } from '../../observe/stats.ts';
import type { Kinded } from '../../plan/filter-catalog.ts';
import type { FilterPlan } from '../../plan/http/filter-list.ts';
import type { ManagerPlan, RoutesPlan } from '../../plan/http/manager-plan.ts';
import { type FilterConfigs, filterConfig } from '../../plan/route/filter-config.ts';
import type { HttpEnvironment } from '../environment.ts';
import type { Lapse } from './stream-clocks.ts';
import { openZip } from './zip.ts';

/** The routes in force under a name; undefined until they arrive. */
export interface RouteSlot {
  readonly table: RouteTable | undefined;
}

export interface ManagerParts {
  readonly stats: Stats;
  readonly routes: { namedRoutes(name: string): RouteSlot };
  readonly env: HttpEnvironment;
}

interface FilterInUse extends FilterPlan {
  readonly open: OpenFilter<Kinded>;
}

export class HttpManager {
  readonly plan: ManagerPlan;
  readonly routes: RouteSlot;
  readonly stats: HttpManagerStats;
  /** Of exchanges that are over; undefined where nobody wants to know. */
  readonly log: Logger | undefined;
  readonly #filters: readonly FilterInUse[];
  /** Those that take part where a route says nothing. */
  readonly #always: readonly FilterInUse[];

  constructor(plan: ManagerPlan, { stats, routes, env }: ManagerParts, problems: string[]) {
    this.plan = plan;
    this.routes = slotOf(plan.routes, routes);
    this.stats = statsOf(plan.statPrefix, stats);
    this.log = env.accessLogs.open(plan.accessLogs, problems);
    const scope: FilterScope = {
      statPrefix: `http.${plan.statPrefix}.`,
      counter: (name) => stats.counter(name),
      codings: openZip,
      proxy: proxyOf(env),
    };
    this.#filters = plan.filters.flatMap((one) => {
      const open = filterOfKind(one.plan.kind)?.open(one.plan, scope);
      return open ? [{ ...one, open }] : [];
    });
    this.#always = this.#filters.filter(({ disabled, open }) => !disabled && !open.onlyByRoute);
  }

  /** A request ran into a limit of time. */
  lapsed(lapse: Lapse): void {
    const { timedOut, idleTimedOut, lastedTooLong } = this.stats;
    const stat = { request: timedOut, idle: idleTimedOut, duration: lastedTooLong }[lapse];
    stat.value++;
  }

  /** Those that have something to do with the request, in their order. */
  filtersFor(context: StreamContext, configs: FilterConfigs): readonly StreamFilter[] {
    const streams: StreamFilter[] = [];
    for (const one of configs.length === 0 ? this.#always : this.#filters) {
      const route = filterConfig(configs, one.name);
      if (route === undefined ? one.disabled || one.open.onlyByRoute : route.kind === 'disabled') continue;
      const stream = one.open.stream(context, route);
      if (stream) streams.push(stream);
    }
    return streams;
  }
}

function slotOf(plan: RoutesPlan, routes: ManagerParts['routes']): RouteSlot {
  return plan.kind === 'inline' ? { table: new RouteTable(plan.routes) } : routes.namedRoutes(plan.name);
}

function proxyOf(env: HttpEnvironment): FilterProxy {
  return {
    random: env.random,
    nodeCluster: env.nodeCluster,
    activeFaults: env.activeFaults,
    draining: env.draining,
    healthFailing: env.healthFailing,
    hostsOf: (name) => {
      const stats = env.cluster(name)?.stats;
      return { total: stats?.membershipTotal.value ?? 0, healthy: stats?.membershipHealthy.value ?? 0 };
    },
  };
}

export interface HttpManagerStats {
  readonly connections: Stat;
  readonly active: Stat;
  readonly codecError: Stat;
  readonly requests: Stat;
  readonly requestsActive: Stat;
  readonly completed: Stat;
  readonly byClass: readonly Stat[];
  readonly resetByClient: Stat;
  readonly resetByProxy: Stat;
  readonly timedOut: Stat;
  readonly idleTimedOut: Stat;
  readonly lastedTooLong: Stat;
}

function statsOf(prefix: string, stats: Stats): HttpManagerStats {
  const counter = (suffix: string): Stat => stats.counter(`http.${prefix}.downstream_${suffix}`);
  const gauge = (suffix: string): Stat => stats.gauge(`http.${prefix}.downstream_${suffix}`);
  return {
    connections: counter('cx_total'),
    active: gauge('cx_active'),
    codecError: counter('cx_protocol_error'),
    requests: counter('rq_total'),
    requestsActive: gauge('rq_active'),
    completed: counter('rq_completed'),
    byClass: [1, 2, 3, 4, 5].map((n) => counter(`rq_${n}xx`)),
    resetByClient: counter('rq_rx_reset'),
    resetByProxy: counter('rq_tx_reset'),
    timedOut: counter('rq_timeout'),
    idleTimedOut: counter('rq_idle_timeout'),
    lastedTooLong: counter('rq_max_duration_reached'),
  };
}
