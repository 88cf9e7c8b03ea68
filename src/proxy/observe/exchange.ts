// The record of one exchange: who asked for what, what was decided, what came of it. The stream and the router
// fill it in; counters, header formats, access logs and traces read it. It ends once, in `finish`.
import type { Headers } from '../codec/http/headers.ts';
import type { Request } from '../codec/http/request.ts';
import type { ConnectionInfo } from '../decide/connection-info.ts';
import type { ReplyCause } from '../decide/reply-cause.ts';
import type { RouteDecision } from '../decide/route/decision.ts';
import type { FormatContext, Moments } from '../format/format-context.ts';
import type { AttemptRecord } from './attempt-record.ts';
import { ConnectionFacts } from './connection-facts.ts';
import type { Stat } from './stats.ts';

/** What requests are counted by. */
export interface ExchangeStats {
  readonly requests: Stat;
  readonly requestsActive: Stat;
  readonly completed: Stat;
  readonly byClass: readonly Stat[];
  readonly resetByClient: Stat;
  readonly resetByProxy: Stat;
}

/** `client`: it went away; `proxy`: what had begun could not be brought to its end. */
export type Ending = 'complete' | 'client' | 'proxy';

export class Exchange extends ConnectionFacts implements FormatContext {
  readonly request: Request;
  readonly startTime: number;
  readonly #stats: ExchangeStats;
  readonly #now: () => number;
  readonly #begun: number;
  // Whole microseconds since it began, which need no memory of their own; -1 before they come.
  #requestDone = -1;
  #upstreamBegun = -1;
  #upstreamRequestDone = -1;
  #firstFromUpstream = -1;
  #lastFromUpstream = -1;
  #firstToClient = -1;
  #ended = -1;
  #moments: Moments | undefined;
  readonly #statNameOf: (cluster: string) => string | undefined;
  readonly #finished: ((exchange: Exchange) => void) | undefined;
  decision: RouteDecision | undefined;
  /** The last one. */
  attempt: AttemptRecord | undefined;
  /** Tries that counted, which those on a connection that was closed already do not. */
  attemptCount = 0;
  response: Headers | undefined;
  trailers: Headers | undefined;
  responseCode: number | undefined;
  responseFlags = '-';
  responseCodeDetails: string | undefined;
  connectionTerminationDetails: string | undefined;
  bytesReceived = 0;
  bytesSent = 0;
  isHealthCheck = false;
  metadata: Readonly<Record<string, unknown>> = noMetadata;
  over = false;

  constructor(request: Request, connection: ConnectionInfo, parts: ExchangeParts) {
    super(connection);
    this.request = request;
    this.startTime = parts.wall();
    this.#now = parts.now;
    this.#stats = parts.stats;
    this.#statNameOf = parts.statNameOf;
    this.#finished = parts.finished;
    this.#begun = parts.now();
    this.#stats.requests.value++;
    this.#stats.requestsActive.value++;
  }

  /** Why the response is what it is; the flag comes after those that stand already. */
  caused({ flag, details }: ReplyCause): void {
    if (flag !== '') this.flag(flag);
    this.responseCodeDetails = details;
  }

  flag(flag: string): void {
    if (this.responseFlags === '-') this.responseFlags = flag;
    else if (!this.responseFlags.split(',').includes(flag)) this.responseFlags += `,${flag}`;
  }

  addMetadata(namespace: string, fields: Readonly<Record<string, unknown>>): void {
    const before = this.metadata[namespace];
    const merged = typeof before === 'object' ? { ...before, ...fields } : fields;
    this.metadata = { ...this.metadata, [namespace]: merged };
  }

  /** The head of the response goes out. */
  responded(status: number, headers: Headers): void {
    this.responseCode = status;
    this.response = headers;
    this.#firstToClient = this.#elapsed();
    this.#stats.completed.value++;
    const byClass = this.#stats.byClass[((status / 100) | 0) - 1];
    if (byClass) byClass.value++;
  }

  /** The request goes to a host; of several tries the last one counts. */
  upstreamBegun(): void {
    this.#upstreamBegun = this.#elapsed();
    if (this.#requestDone >= 0) this.#upstreamRequestDone = this.#upstreamBegun;
  }

  /** The first byte of the response came from the upstream, and the last one with it where `end` says so. */
  upstreamResponded(end: boolean): void {
    this.#firstFromUpstream = this.#elapsed();
    if (end) this.#lastFromUpstream = this.#firstFromUpstream;
  }

  upstreamEnded(): void {
    this.#lastFromUpstream = this.#elapsed();
  }

  requestComplete(): void {
    this.#requestDone = this.#elapsed();
    if (this.#upstreamBegun >= 0) this.#upstreamRequestDone = this.#requestDone;
  }

  finish(ending: Ending): void {
    if (this.over) return;
    this.over = true;
    this.#ended = this.#elapsed();
    this.#stats.requestsActive.value--;
    if (ending === 'client') {
      this.#stats.resetByClient.value++;
      this.flag('DC');
      this.responseCodeDetails = 'downstream_remote_disconnect';
    } else if (ending === 'proxy') this.#stats.resetByProxy.value++;
    this.#finished?.(this);
  }

  get duration(): number {
    return (this.over ? this.#ended : this.#elapsed()) / 1000;
  }

  /** Made once when it is over, for the operators of an access log. */
  get moments(): Moments {
    if (!this.over) return this.#momentsSoFar();
    this.#moments ??= this.#momentsSoFar();
    return this.#moments;
  }

  #momentsSoFar(): Moments {
    const at = (elapsed: number): number => (elapsed < 0 ? 0 : this.#begun + elapsed / 1000);
    return {
      begun: this.#begun,
      requestDone: at(this.#requestDone),
      upstreamBegun: at(this.#upstreamBegun),
      upstreamRequestDone: at(this.#upstreamRequestDone),
      firstFromUpstream: at(this.#firstFromUpstream),
      lastFromUpstream: at(this.#lastFromUpstream),
      firstToClient: at(this.#firstToClient),
      lastToClient: this.#firstToClient < 0 ? 0 : at(this.#ended),
    };
  }

  #elapsed(): number {
    return Math.round((this.#now() - this.#begun) * 1000);
  }

  get routeName(): string | undefined {
    return this.decision?.kind === 'notFound' ? undefined : this.decision?.route?.name;
  }

  get virtualHostName(): string | undefined {
    const { decision } = this;
    return decision?.kind === 'notFound' ? decision.virtualHost : decision?.route?.virtualHost;
  }

  get clusterName(): string | undefined {
    return this.decision?.kind === 'forward' ? this.#statNameOf(this.decision.cluster) : undefined;
  }

  get upstreamHost(): string | undefined {
    return this.attempt?.address;
  }

  /** Of a host that there was a connection to. */
  get upstreamRemoteAddress(): string | undefined {
    const { attempt } = this;
    return attempt?.localAddress === undefined ? undefined : attempt.address;
  }

  get upstreamHostname(): string | undefined {
    return this.attempt?.hostname;
  }

  get upstreamLocalAddress(): string | undefined {
    return this.attempt?.localAddress;
  }

  get upstreamProtocol(): string | undefined {
    return this.attempt?.protocol;
  }

  get requestHeadersBytes(): number {
    const { method, path, authority, scheme, headers } = this.request;
    return (
      pseudoNames.length + method.length + path.length + authority.length + scheme.length + bytesOf(headers)
    );
  }

  get responseHeadersBytes(): number {
    return this.response ? bytesOf(this.response) + ':status200'.length : 0;
  }

  get responseTrailersBytes(): number {
    return this.trailers ? bytesOf(this.trailers) : 0;
  }

  get upstreamTransportFailureReason(): string | undefined {
    return this.attempt?.transportFailure;
  }

  get protocol(): string {
    return protocolNames[this.request.protocol];
  }

  get streamId(): string | undefined {
    return this.request.headers.get('x-request-id');
  }
}

/** What the exchanges of a connection share. */
export interface ExchangeParts {
  readonly stats: ExchangeStats;
  /** Milliseconds, steady. */
  readonly now: () => number;
  /** Milliseconds since 1970. */
  readonly wall: () => number;
  /** Of a cluster, as statistics call it; undefined for one that there is not. */
  readonly statNameOf: (cluster: string) => string | undefined;
  readonly finished: ((exchange: Exchange) => void) | undefined;
}

const noMetadata: Readonly<Record<string, unknown>> = {};

const protocolNames = { 'http/1.0': 'HTTP/1.0', 'http/1.1': 'HTTP/1.1', h2: 'HTTP/2' } as const;
const pseudoNames = ':method:path:authority:scheme';

function bytesOf({ list }: Headers): number {
  let sum = 0;
  for (const text of list) sum += text.length;
  return sum;
}
