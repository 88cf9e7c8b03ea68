// A page of the administration interface.
import type { ListenerSet } from '../downstream/listener/listener-set.ts';
import type { Stats } from '../observe/stats.ts';
import type { SecretStore } from '../tls/secret-store.ts';
import type { ClusterSet } from '../upstream/cluster-set.ts';

/** What pages show and change. */
export interface AdminContext {
  readonly stats: Stats;
  readonly clusters: ClusterSet;
  readonly listeners: ListenerSet;
  readonly secrets: SecretStore;
  readonly nodeId: string;
  readonly state: () => 'LIVE' | 'DRAINING' | 'PRE_INITIALIZING';
  readonly uptimeSeconds: () => number;
  readonly drain: (which: 'all' | 'inbound') => void;
  readonly reopenLogs: () => void;
  readonly health: { failing: boolean };
  readonly quit: () => void;
}

export interface Page {
  readonly path: string;
  /** It changes something: only POST may, and nobody from elsewhere. */
  readonly changes?: boolean;
  readonly answer: (context: AdminContext, query: URLSearchParams) => Reply;
}

export interface Reply {
  readonly status?: number;
  readonly body: string;
  readonly json?: boolean;
}

export function json(value: unknown): Reply {
  return { body: `${JSON.stringify(value, null, 1)}\n`, json: true };
}

export const done: Reply = { body: 'OK\n' };
