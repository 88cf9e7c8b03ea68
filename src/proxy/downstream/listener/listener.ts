// A listener in use: its plan, with the TLS contexts, routes and counters that its chains need.
import { unreachable } from '../../../base/index.ts';
import type { Stats } from '../../observe/stats.ts';
import { compileHcm, type HcmConfig, type RouteSource } from '../../plan/http/manager-plan.ts';
import type { ChainMatch } from '../../plan/listener/chain-match.ts';
import { type ChainPlan, routesWanted } from '../../plan/listener/chain-plan.ts';
import type { ListenerPlan } from '../../plan/listener/listener-plan.ts';
import { DownstreamTls } from '../../tls/downstream-tls.ts';
import { HandshakeReport } from '../../tls/handshake-report.ts';
import type { SecretStore } from '../../tls/secret-store.ts';
import { type RunningTcpProxy, runTcpProxy } from '../tcp/running-tcp-proxy.ts';

export interface Listener {
  readonly plan: ListenerPlan;
  readonly handshakes: HandshakeReport;
  readonly chains: readonly Chain[];
  readonly defaultChain: Chain | undefined;
}

export type ChainAction =
  | { readonly kind: 'http'; readonly http: HcmConfig }
  | { readonly kind: 'tcp'; readonly tcp: RunningTcpProxy }
  | { readonly kind: 'none' };

export interface Chain {
  readonly plan: ChainPlan;
  readonly match: ChainMatch;
  readonly tls: DownstreamTls | undefined;
  readonly action: ChainAction;
}

export interface ListenerContext {
  readonly stats: Stats;
  readonly secrets: SecretStore;
  readonly routes: RouteSource;
  readonly log: (level: 'info' | 'warn', message: string) => void;
  readonly now: () => number;
}

/** With problems, of certificates that cannot be read for example, it is not to be used. */
export function createListener(plan: ListenerPlan, context: ListenerContext, problems: string[]): Listener {
  const chain = (one: ChainPlan): Chain => ({
    plan: one,
    match: one.match,
    tls: one.tls && new DownstreamTls(one.tls, context.secrets, problems),
    action: actionOf(one.action, plan.direction, context, problems),
  });
  return {
    plan,
    handshakes: new HandshakeReport({ ...context, scope: plan.scope }),
    chains: plan.chains.map(chain),
    defaultChain: plan.defaultChain && chain(plan.defaultChain),
  };
}

/** The default chain last. */
export function chainsOf({ chains, defaultChain }: Listener): readonly Chain[] {
  return defaultChain ? [...chains, defaultChain] : chains;
}

export function routeNames(listener: Listener): readonly string[] {
  return chainsOf(listener).flatMap(({ plan }) => routesWanted(plan) ?? []);
}

/** Nothing that it needs is still to come. */
export function isReady(listener: Listener, hasRoutes: (name: string) => boolean): boolean {
  return chainsOf(listener).every(({ plan, tls }) => {
    const name = routesWanted(plan);
    return (!tls || tls.settled) && (name === undefined || hasRoutes(name));
  });
}

function actionOf(
  plan: ChainPlan['action'],
  direction: ListenerPlan['direction'],
  { stats, routes }: ListenerContext,
  problems: string[],
): ChainAction {
  switch (plan.kind) {
    case 'http': {
      const outbound = direction === 'outbound';
      return { kind: 'http', http: compileHcm(plan.manager, { stats, outbound, routes }, problems) };
    }
    case 'tcp':
      return { kind: 'tcp', tcp: runTcpProxy(plan.tcp, stats) };
    case 'none':
      return plan;
    default:
      return unreachable(plan);
  }
}
