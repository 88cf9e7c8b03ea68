// One try of a request: at which host, over which connection, how it went. The counters of the cluster and
// the reports to its outlier detection that a request is due are made here.
import type { ResetReason } from '../codec/http/message-contract.ts';
import type { Stat } from './stats.ts';

/** The cluster, as far as tries are counted. */
export interface AttemptCluster<H> {
  readonly stats: {
    readonly requestsTotal: Stat;
    readonly requestsActive: Stat;
    readonly completed: Stat;
    readonly byClass: readonly Stat[];
    readonly perTryTimeouts: Stat;
    readonly resetByHost: Stat;
    readonly activeOverflow: Stat;
  };
  report(host: H, outcome: AttemptOutcome): void;
}

export interface AttemptHost {
  readonly address: string;
  readonly fieldName: string;
  activeRequests: number;
  requests: number;
}

export type AttemptOutcome =
  | { readonly kind: 'localSuccess' | 'localFailure' | 'localTimeout' | 'reset' }
  | { readonly kind: 'response'; readonly status: number };

export interface AttemptConnection {
  /** The proxy's own end. */
  readonly localAddress: string | undefined;
  readonly protocol: 'HTTP/1.1' | 'HTTP/2' | undefined;
}

/** What requests of one priority may use of a cluster. */
export interface AttemptResources {
  requests: number;
}

export class AttemptRecord<H extends AttemptHost = AttemptHost> {
  readonly #host: H;
  readonly #cluster: AttemptCluster<H>;
  readonly #resources: AttemptResources;
  #sent = false;
  /** The proxy's own end of the connection. */
  localAddress: string | undefined;
  protocol: string | undefined;
  status: number | undefined;
  reset: ResetReason | 'timeout' | undefined;
  /** What the transport said when there was no connection to be had. */
  transportFailure: string | undefined;

  constructor(host: H, cluster: AttemptCluster<H>, resources: AttemptResources) {
    this.#host = host;
    this.#cluster = cluster;
    this.#resources = resources;
  }

  get address(): string {
    return this.#host.address;
  }

  get hostname(): string {
    return this.#host.fieldName;
  }

  /** No more requests may be under way. */
  refused(): void {
    this.#cluster.stats.activeOverflow.value++;
  }

  /** It has a connection. */
  begun({ localAddress, protocol }: AttemptConnection): void {
    this.#sent = true;
    this.localAddress = localAddress;
    this.protocol = protocol;
    this.#resources.requests++;
    this.#host.activeRequests++;
    this.#host.requests++;
    this.#cluster.stats.requestsTotal.value++;
    this.#cluster.stats.requestsActive.value++;
    this.#cluster.report(this.#host, { kind: 'localSuccess' });
  }

  /** `judged`: the status as outlier detection is to see it. */
  responded(status: number, judged: number): void {
    this.status = status;
    this.#cluster.report(this.#host, { kind: 'response', status: judged });
  }

  /** The response counts, rather than one of a try that was given up. */
  counted(status: number): void {
    this.#cluster.stats.completed.value++;
    const byClass = this.#cluster.stats.byClass[((status / 100) | 0) - 1];
    if (byClass) byClass.value++;
  }

  failed(reason: ResetReason, detail: string): void {
    this.reset = reason;
    if (reason === 'overflow') return;
    const unconnected = reason === 'connect-failure' || reason === 'connect-timeout';
    if (unconnected && detail !== '') this.transportFailure = detail;
    this.#cluster.stats.resetByHost.value++;
    this.#cluster.report(this.#host, { kind: unconnected ? 'localFailure' : 'reset' });
  }

  timedOut(): void {
    this.reset = 'timeout';
    this.#cluster.report(this.#host, { kind: 'localTimeout' });
  }

  /** Its own limit of time is over. */
  tookTooLong(): void {
    this.#cluster.stats.perTryTimeouts.value++;
  }

  /** However it went, it is over. */
  ended(): void {
    if (!this.#sent) return;
    this.#sent = false;
    this.#resources.requests--;
    this.#host.activeRequests--;
    this.#cluster.stats.requestsActive.value--;
  }
}
