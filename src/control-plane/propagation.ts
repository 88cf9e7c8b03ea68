// Who has what: which proxies are to have a version of a resource, have it, or refused it and why. Asked of the
// sessions, which know; nothing is kept here for each resource and proxy.
import { unreachable } from '../base/index.ts';
import type { ResourceStatus, ResourceTypeName, Session } from '../xds/index.ts';

/** What this needs of a proxy that is connected. */
export interface ProxySession {
  /** Id of its node. */
  readonly proxy: string;
  readonly session: Pick<Session, 'status' | 'settled'>;
}

export interface ResourceRef {
  readonly type: ResourceTypeName;
  readonly name: string;
}

export interface ProxyStatus {
  readonly proxy: string;
  readonly status: ResourceStatus;
}

export interface Refused {
  readonly proxy: string;
  readonly reason: string;
}

/** Of one version, proxies by their ids. Those that are not to have it are in none of the lists. */
export interface VersionSpread {
  readonly acknowledged: readonly string[];
  /** Are to have it and have not answered it yet. */
  readonly waiting: readonly string[];
  readonly refused: readonly Refused[];
}

export class Propagation {
  readonly #sessions: () => Iterable<ProxySession>;

  constructor(sessions: () => Iterable<ProxySession>) {
    this.#sessions = sessions;
  }

  /** How a resource stands with each proxy that is to have it, or still has it. */
  statusOf({ type, name }: ResourceRef): readonly ProxyStatus[] {
    return [...this.#sessions()].flatMap(({ proxy, session }) => {
      const status = session.status(type, name);
      return status ? [{ proxy, status }] : [];
    });
  }

  /** Views differ, so proxies may be due different versions of one name. */
  versionsOf(resource: ResourceRef): ReadonlySet<string> {
    return new Set(
      this.statusOf(resource).flatMap(({ status }) => (status.kind === 'leaving' ? [] : [status.version])),
    );
  }

  /** How far one version of a resource has come. */
  spreadOf(resource: ResourceRef, version: string): VersionSpread {
    const acknowledged: string[] = [];
    const waiting: string[] = [];
    const refused: Refused[] = [];
    for (const { proxy, status } of this.statusOf(resource)) {
      if (status.kind === 'leaving' || status.version !== version) continue;
      switch (status.kind) {
        case 'acknowledged':
          acknowledged.push(proxy);
          break;
        case 'pending':
        case 'sent':
          waiting.push(proxy);
          break;
        case 'refused':
          refused.push({ proxy, reason: status.reason });
          break;
        default:
          unreachable(status);
      }
    }
    return { acknowledged, waiting, refused };
  }

  /** Proxies that have a resource which they are to have no longer. */
  leaving(resource: ResourceRef): readonly string[] {
    return this.statusOf(resource).flatMap(({ proxy, status }) => (status.kind === 'leaving' ? [proxy] : []));
  }

  /** Proxies that have not answered everything yet. */
  get unsettled(): readonly string[] {
    return [...this.#sessions()].flatMap(({ proxy, session }) => (session.settled ? [] : [proxy]));
  }
}
