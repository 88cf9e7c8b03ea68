// One try of a request on one host.

import type { Headers } from '../../codec/http/headers.ts';
import type { ResetReason, UpstreamReceiver, UpstreamStream } from '../../codec/http/message-contract.ts';
import type { Request } from '../../codec/http/request.ts';
import type { Clock, Timer } from '../../net/clock.ts';
import { AttemptRecord } from '../../observe/attempt-record.ts';
import type { Cluster } from '../cluster.ts';
import type { Host } from '../host.ts';
import type { HttpPool, PoolOptions, Waiter } from '../pool.ts';
import type { Resources } from '../pool-context.ts';
import type { Try, TryOwner } from './try.ts';
import { staleConnection, type UpstreamConnection } from './upstream-connection.ts';

export class Attempt implements UpstreamReceiver, Waiter, Try {
  readonly #forward: TryOwner;
  readonly #cluster: Cluster;
  readonly host: Host;
  readonly #request: Request;
  readonly #resources: Resources;
  readonly #record: AttemptRecord<Host>;
  #pool: HttpPool | undefined;
  #stream: UpstreamStream | undefined;
  #timer: Timer | undefined;
  #idleLimit = 0;
  #duration: Timer | undefined;
  #idle: Timer | undefined;
  #begun = 0;
  #over = false;
  headSeen = false;
  /** Bytes of the request may have reached the host. */
  started = false;

  constructor(forward: TryOwner, cluster: Cluster, host: Host, request: Request) {
    this.#forward = forward;
    this.#cluster = cluster;
    this.host = host;
    this.#request = request;
    this.#resources = cluster.resources[forward.decision.route.priority];
    this.#record = new AttemptRecord(host, cluster, this.#resources);
    forward.stream.exchange.attempt = this.#record;
  }

  /** Milliseconds since the request was sent. */
  get elapsed(): number {
    return this.#clock.now() - this.#begun;
  }

  get streaming(): boolean {
    return this.#stream !== undefined && !this.#over;
  }

  /** `idle`: how long nothing may pass either way. */
  start({ idle }: { readonly idle: number }): void {
    this.#idleLimit = idle;
    this.#begun = this.#clock.now();
    if (this.#resources.requests >= this.#resources.limits.maxRequests) {
      this.#record.refused();
      queueMicrotask(() => this.failed('overflow'));
      return;
    }
    const http = this.#cluster.plan.http;
    const protocol = this.#protocol();
    let sni: string | undefined;
    if (http.autoSni && this.host.transport.secure)
      sni = hostOf(
        (http.autoSniHeader === '' ? undefined : this.#request.headers.get(http.autoSniHeader)) ??
          this.#request.authority,
      );
    const { info } = this.#forward.stream.connection;
    const pool = this.#cluster.pool(this.host, {
      protocol,
      sni,
      verifyName: http.autoSanValidation ? sni : undefined,
      hops: info.hops,
      priority: this.#forward.decision.route.priority,
      client: this.host.transport.tellsClient ? info : undefined,
    });
    this.#pool = pool;
    const connection = pool.acquire(this);
    if (connection && !this.#begin(connection)) pool.released(connection);
  }

  /** From now, when the request is complete. */
  limit(wholeTry: number): void {
    if (wholeTry > 0 && !this.#timer && !this.#over)
      this.#timer = this.#clock.after(wholeTry, () => this.#tryExpired());
  }

  /** The status as outlier detection sees it. */
  #judged(status: number, headers: Headers): number {
    const { isError } = this.#cluster;
    if (!isError) return statusFor(status, headers);
    return isError(status, headers) ? 500 : 200;
  }

  #protocol(): PoolOptions['protocol'] {
    const upgrades = this.#forward.decision.route.upgrades;
    if (
      this.#request.method === 'CONNECT' &&
      upgrades.some((one) => one.type === 'connect' && one.terminateConnect)
    )
      return 'connect';
    const mode = this.#cluster.plan.http.mode;
    if (mode !== 'downstream') return mode;
    return this.#request.protocol === 'h2' ? 'h2' : 'h1';
  }

  /** A connection that was waited for: the head goes out now, whenever the body comes. */
  ready(connection: UpstreamConnection): boolean {
    const begun = this.#begin(connection);
    this.#stream?.flush();
    return begun;
  }

  #begin(connection: UpstreamConnection): boolean {
    this.#pool = undefined;
    if (this.#over) return false;
    if (this.#resources.requests >= this.#resources.limits.maxRequests) {
      this.#record.refused();
      queueMicrotask(() => this.failed('overflow'));
      return false;
    }
    this.#record.begun(connection);
    this.#forward.stream.exchange.upstreamBegun();
    this.started = true;
    const { maxStreamDuration } = this.#cluster.plan.http;
    if (maxStreamDuration > 0)
      this.#duration = this.#clock.after(maxStreamDuration, () => this.#lastedTooLong());
    if (this.#idleLimit > 0) this.#idle = this.#clock.after(this.#idleLimit, () => this.#tryExpired());
    this.#forward.onConnected(this, (end, full) => {
      this.#stream = connection.request(this.#request, end, full, this);
    });
    return true;
  }

  sendBody(chunk: Buffer, end: boolean): boolean {
    this.#idle?.refresh();
    return this.#stream?.body(chunk, end) ?? true;
  }

  sendTrailers(trailers: Headers): void {
    this.#stream?.trailers(trailers);
  }

  sendFlush(): void {
    this.#stream?.flush();
  }

  readResponse(on: boolean): void {
    this.#stream?.readResponse(on);
  }

  cancel(): void {
    if (this.#over) return;
    this.#pool?.cancel(this);
    const stream = this.#stream;
    this.#finish();
    stream?.reset();
  }

  timedOut(): void {
    if (!this.headSeen) this.#record.timedOut();
    this.cancel();
  }

  interim(status: number, headers: Headers): void {
    if (!this.#over) this.#forward.onInterim(this, status, headers);
  }

  head(status: number, headers: Headers, end: boolean, full?: string): void {
    if (this.#over) return;
    this.#idle?.refresh();
    this.headSeen = true;
    this.#record.responded(status, this.#judged(status, headers));
    this.#forward.stream.exchange.upstreamResponded(end);
    if (end) this.#finish();
    this.#forward.onHead(this, status, headers, end, full);
  }

  body(chunk: Buffer, end: boolean): void {
    if (this.#over) return;
    this.#idle?.refresh();
    if (end) this.#complete();
    this.#forward.onBody(this, chunk, end);
  }

  trailers(trailers: Headers): void {
    if (this.#over) return;
    this.#complete();
    this.#forward.onTrailers(this, trailers);
  }

  flush(): void {
    if (this.headSeen) this.#forward.stream.flushResponse();
  }

  writable(): void {
    this.#forward.onWritable();
  }

  failed(reason: ResetReason, detail = ''): void {
    if (this.#over) return;
    this.#finish();
    this.#record.failed(reason, detail);
    this.#forward.onFailed(this, reason, detail === staleConnection);
  }

  #lastedTooLong(): void {
    if (this.#over) return;
    this.cancel();
    this.#forward.onLastedTooLong(this);
  }

  #tryExpired(): void {
    if (this.#over) return;
    this.#record.tookTooLong();
    this.timedOut();
    this.#forward.onTryTimeout(this);
  }

  #complete(): void {
    this.#forward.stream.exchange.upstreamEnded();
    this.#finish();
  }

  #finish(): void {
    this.#over = true;
    this.#timer?.close();
    this.#idle?.close();
    this.#duration?.close();
    this.#record.ended();
  }

  get #clock(): Clock {
    return this.#forward.stream.connection.env.clock;
  }
}

/** A gRPC failure counts as the HTTP status that it stands for. */
function statusFor(status: number, headers: Headers): number {
  const grpc = headers.get('grpc-status');
  if (grpc === undefined || grpc === '0' || status !== 200) return status;
  return grpcStatuses[grpc] ?? status;
}

const grpcStatuses: Readonly<Record<string, number>> = {
  '2': 500,
  '4': 504,
  '13': 500,
  '14': 503,
  '15': 500,
};

function hostOf(authority: string): string {
  const colon = authority.lastIndexOf(':');
  return colon > authority.lastIndexOf(']') ? authority.slice(0, colon) : authority;
}
