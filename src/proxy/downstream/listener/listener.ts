// A listener in use: its plan, with the TLS contexts, routes and counters that its chains need.
import { unreachable } from '../../../base/index.ts';
import { openGuards } from '../../filters/all.ts';
import type { ConnectionGuard } from '../../filters/network-filter.ts';
import type { Logger } from '../../observe/access-log/access-logs.ts';
import type { Stats } from '../../observe/stats.ts';
import type { AccessLogPlan } from '../../plan/access-log/access-log-plan.ts';
import type { ManagerPlan } from '../../plan/http/manager-plan.ts';
import type { ChainMatch } from '../../plan/listener/chain-match.ts';
import { type ChainPlan, routesWanted } from '../../plan/listener/chain-plan.ts';
import type { ListenerPlan } from '../../plan/listener/listener-plan.ts';
import { DownstreamTls } from '../../tls/downstream-tls.ts';
import { HandshakeReport } from '../../tls/handshake-report.ts';
import type { SecretStore } from '../../tls/secret-store.ts';
import type { HttpManager } from '../http/http-manager.ts';
import { type RunningTcpProxy, runTcpProxy } from '../tcp/running-tcp-proxy.ts';

export interface Listener {
  readonly plan: ListenerPlan;
  readonly handshakes: HandshakeReport;
  readonly chains: readonly Chain[];
  readonly defaultChain: Chain | undefined;
  /** Of connections that no chain took. */
  readonly connectionLog: Logger | undefined;
}

export type ChainAction =
  | { readonly kind: 'http'; readonly http: HttpManager; readonly guards: readonly ConnectionGuard[] }
  | { readonly kind: 'tcp'; readonly tcp: RunningTcpProxy; readonly guards: readonly ConnectionGuard[] }
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
  readonly openManager: (plan: ManagerPlan, problems: string[]) => HttpManager;
  readonly openLogs: (plans: readonly AccessLogPlan[], problems: string[]) => Logger | undefined;
  readonly log: (level: 'info' | 'warn', message: string) => void;
  readonly now: () => number;
}

/** With problems, of certificates that cannot be read for example, it is not to be used. */
export function createListener(plan: ListenerPlan, context: ListenerContext, problems: string[]): Listener {
  const chain = (one: ChainPlan): Chain => ({
    plan: one,
    match: one.match,
    tls: one.tls && new DownstreamTls(one.tls, context.secrets, problems),
    action: actionOf(one.action, context, problems),
  });
  return {
    plan,
    handshakes: new HandshakeReport({ ...context, scope: plan.scope }),
    chains: plan.chains.map(chain),
    defaultChain: plan.defaultChain && chain(plan.defaultChain),
    connectionLog: context.openLogs(plan.accessLogs, problems),
  };
}

/** The default chain last. */
function chainsOf({ chains, defaultChain }: Listener): readonly Chain[] {
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

function actionOf(plan: ChainPlan['action'], context: ListenerContext, problems: string[]): ChainAction {
  if (plan.kind === 'none') return plan;
  const guards = openGuards(plan.guards, (name) => context.stats.counter(name));
  switch (plan.kind) {
    case 'http':
      return { kind: 'http', guards, http: context.openManager(plan.manager, problems) };
    case 'tcp': {
      const log = context.openLogs(plan.tcp.accessLogs, problems);
      return { kind: 'tcp', guards, tcp: runTcpProxy(plan.tcp, { stats: context.stats, log }) };
    }
    default:
      return unreachable(plan);
  }
}
