// A client's HTTP connection: picks the codec and turns each request that it reads into a stream.

import { Headers } from '../../codec/http/headers.ts';
import type { RequestReceiver, Responder } from '../../codec/http/message-contract.ts';
import type { Request } from '../../codec/http/request.ts';
import type { ConnectionInfo } from '../../decide/connection-info.ts';
import type { RouteContext } from '../../decide/route/decision.ts';
import type { Clock, Timer } from '../../net/clock.ts';
import type { SocketWire, Wire } from '../../net/wire.ts';
import type { ExchangeParts } from '../../observe/exchange.ts';
import type { ManagerPlan } from '../../plan/http/manager-plan.ts';
import type { HttpEnvironment } from '../environment.ts';
import { H1Server, type HeadLimit, type RequestHandler } from './h1-server.ts';
import { H2Server } from './h2-server.ts';
import type { HttpManager } from './http-manager.ts';
import { HttpStream } from './stream.ts';
import type { ClockLimits } from './stream-clocks.ts';
import type { StreamHost } from './stream-host.ts';

export interface HttpConnectionOptions {
  readonly manager: HttpManager;
  readonly env: HttpEnvironment;
  readonly info: ConnectionInfo;
  readonly closed: () => void;
}

export class HttpConnection implements RequestHandler, StreamHost {
  readonly manager: HttpManager;
  readonly config: ManagerPlan;
  readonly env: HttpEnvironment;
  readonly info: ConnectionInfo;
  readonly routeContext: RouteContext;
  readonly exchangeParts: ExchangeParts;
  readonly limits: ClockLimits | undefined;
  readonly #onClosed: () => void;
  #codec: H1Server | H2Server | undefined;
  #lifetime: Timer | undefined;
  #waiting: Timer | undefined;
  #draining = false;
  #requests = 0;
  /** What there is before the first bytes tell the protocol. */
  #undecided: Undecided | undefined;

  constructor(options: HttpConnectionOptions) {
    this.manager = options.manager;
    this.config = options.manager.plan;
    this.env = options.env;
    this.info = options.info;
    this.#onClosed = options.closed;
    const tls = options.info.tls;
    this.routeContext = {
      random: options.env.random,
      ...(tls ? { tls: { presented: tls.peer !== undefined, validated: tls.peer !== undefined } } : {}),
    };
    const { clock, statNameOf } = this.env;
    const { stats, log } = this.manager;
    this.exchangeParts = { stats, now: clock.now, wall: clock.wall, statNameOf, finished: log };
    this.limits = limitsOf(this.config);
    this.manager.stats.connections.value++;
    this.manager.stats.active.value++;
    if (this.config.maxConnectionDuration > 0) {
      const drain = (): void => this.drain(true);
      this.#lifetime = options.env.clock.after(this.config.maxConnectionDuration, drain);
    }
  }

  /**
   * HTTP/2 is given the socket with the bytes read so far put back; HTTP/1.1 a wire, and the bytes by hand.
   */
  serveH1(wire: Wire, first: Buffer | undefined): void {
    this.#decided();
    const codec = new H1Server(wire, this);
    this.#codec = codec;
    if (this.#draining) codec.drain(false);
    wire.resume();
    // After that, since a request may pause the reading.
    if (first) codec.onBytes(first, 0, first.length);
  }

  serveH2(socket: SocketWire['socket']): void {
    this.#decided();
    this.#codec = new H2Server(socket, this, this.config.h2);
  }

  /** Until `serveH1` or `serveH2`: a connection that says nothing is as idle as one between requests. */
  undecided(undecided: Undecided): void {
    this.#undecided = undecided;
    if (this.config.idleTimeout > 0)
      this.#waiting = this.clock.after(this.config.idleTimeout, () => undecided.close());
  }

  #decided(): void {
    this.#waiting?.close();
    this.#undecided = undefined;
  }

  drain(closeIdle: boolean): void {
    this.#draining = true;
    if (closeIdle) this.#undecided?.close();
    this.#codec?.drain(closeIdle);
  }

  destroy(): void {
    this.#undecided?.close();
    this.#codec?.destroy();
  }

  get clock(): Clock {
    return this.env.clock;
  }

  get trailers(): boolean {
    return this.config.trailers;
  }

  get acceptHttp10(): boolean {
    return this.config.acceptHttp10;
  }

  /** Only where the client is known to speak to this proxy directly, as in Envoy. */
  get refusesHttps(): boolean {
    return this.config.useRemoteAddress && this.config.trustedHops === 0 && this.info.tls === undefined;
  }

  get idleTimeout(): number {
    return this.config.idleTimeout;
  }

  get headLimit(): HeadLimit | undefined {
    return headLimitOf(this.config);
  }

  get maxHeaders(): number {
    return this.config.maxHeaders;
  }

  get maxHeadBytes(): number {
    return this.config.maxHeadBytes;
  }

  upgradable(protocol: string): boolean {
    return protocol !== 'h2c' && !protocol.startsWith('tls/');
  }

  accept(request: Request, responder: Responder, end: boolean, full: string | undefined): RequestReceiver {
    const stream = new HttpStream(this, request, responder);
    const limit = this.config.maxRequestsPerConnection;
    if (limit > 0 && ++this.#requests >= limit) responder.closeAfter();
    if (request.protocol === 'http/1.0' && request.authority === '')
      request.authority = this.config.defaultHost;
    stream.start(end, full);
    return stream;
  }

  localFields(): Headers {
    return new Headers(['date', this.env.date(), 'server', this.config.serverName]);
  }

  protocolProblem(_status: number): void {
    this.manager.stats.codecError.value++;
  }

  closed(): void {
    this.#lifetime?.close();
    this.#decided();
    this.manager.stats.active.value--;
    this.#onClosed();
  }
}

export interface Undecided {
  close(): void;
}

function limitsOf(config: ManagerPlan): ClockLimits | undefined {
  const limits = {
    idle: config.streamIdleTimeout,
    request: config.requestTimeout,
    duration: config.maxStreamDuration,
  };
  return limits.idle + limits.request + limits.duration > 0 ? limits : undefined;
}

/** A request begins with the first byte of its head: what ends first of all that limits it then. */
function headLimitOf(config: ManagerPlan): HeadLimit | undefined {
  const all: readonly HeadLimit[] = [
    { ms: config.headersTimeout, text: 'request header timeout' },
    { ms: config.streamIdleTimeout, text: 'stream timeout' },
    { ms: config.requestTimeout, text: 'request timeout' },
    { ms: config.maxStreamDuration, text: 'downstream duration timeout' },
  ];
  return all.filter((one) => one.ms > 0).sort((a, b) => a.ms - b.ms)[0];
}
