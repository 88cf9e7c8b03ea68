// A TCP proxy in use: its plan, counters, and what the requests of its tunnel are made of.
import {
  compileFormat,
  compileHeaderMutations,
  type Formatter,
  type HeaderMutations,
} from '../../decide/route/index.ts';
import type { Stat, Stats } from '../../observe/stats.ts';
import type { TcpProxyPlan, TunnelPlan } from '../../plan/tcp/tcp-plan.ts';

export interface RunningTcpProxy {
  readonly plan: TcpProxyPlan;
  readonly tunnel: Tunnel | undefined;
  readonly connections: Stat;
  readonly noRoute: Stat;
}

export interface Tunnel {
  readonly plan: TunnelPlan;
  readonly target: Formatter;
  readonly headers: HeaderMutations;
}

export function runTcpProxy(plan: TcpProxyPlan, stats: Stats): RunningTcpProxy {
  return {
    plan,
    tunnel: plan.tunnel && tunnelOf(plan.tunnel),
    connections: stats.counter(`tcp.${plan.statPrefix}.downstream_cx_total`),
    noRoute: stats.counter(`tcp.${plan.statPrefix}.downstream_cx_no_route`),
  };
}

/** What is wrong with it was found when it was planned. */
function tunnelOf(plan: TunnelPlan): Tunnel {
  return {
    plan,
    target: compileFormat(plan.hostname, [], '-'),
    headers: compileHeaderMutations(plan.headersToAdd, [], []),
  };
}
