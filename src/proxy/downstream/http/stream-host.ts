// A client's connection, as seen by the streams on it.
import type { ConnectionInfo } from '../../decide/connection-info.ts';
import type { RouteContext } from '../../decide/route/decision.ts';
import type { ExchangeParts } from '../../observe/exchange.ts';
import type { ManagerPlan } from '../../plan/http/manager-plan.ts';
import type { HttpEnvironment } from '../environment.ts';
import type { HttpManager } from './http-manager.ts';
import type { ClockLimits } from './stream-clocks.ts';

export interface StreamHost {
  readonly manager: HttpManager;
  /** The manager's. */
  readonly config: ManagerPlan;
  readonly env: HttpEnvironment;
  readonly info: ConnectionInfo;
  readonly routeContext: RouteContext;
  /** Of each stream; undefined without any. */
  readonly limits: ClockLimits | undefined;
  readonly exchangeParts: ExchangeParts;
}
