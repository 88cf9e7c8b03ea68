// A TCP proxy in use: its plan, counters, and what the requests of its tunnel are made of.
import { compileFormat, type Formatter } from '../../format/format.ts';
import type { Logger } from '../../observe/access-log/access-logs.ts';
import type { Stat, Stats } from '../../observe/stats.ts';
import type { TcpProxyPlan, TunnelPlan } from '../../plan/tcp/tcp-plan.ts';

export interface RunningTcpProxy {
  readonly plan: TcpProxyPlan;
  readonly tunnel: Tunnel | undefined;
  readonly connections: Stat;
  readonly noRoute: Stat;
  /** Of connections that are over. */
  readonly log: Logger | undefined;
}

export interface Tunnel {
  readonly plan: TunnelPlan;
  readonly target: Formatter;
}

export interface TcpParts {
  readonly stats: Stats;
  readonly log: Logger | undefined;
}

export function runTcpProxy(plan: TcpProxyPlan, { stats, log }: TcpParts): RunningTcpProxy {
  return {
    plan,
    tunnel: plan.tunnel && tunnelOf(plan.tunnel),
    connections: stats.counter(`tcp.${plan.statPrefix}.downstream_cx_total`),
    noRoute: stats.counter(`tcp.${plan.statPrefix}.downstream_cx_no_route`),
    log,
  };
}

function tunnelOf(plan: TunnelPlan): Tunnel {
  return { plan, target: compileFormat(plan.hostname, '-') };
}
