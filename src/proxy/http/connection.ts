// A client's HTTP connection: picks the codec and turns each request that it reads into a stream.

import type { SocketWire } from '../net/wire.ts';
import type { RouteContext } from '../route/index.ts';
import type { ConnectionInfo } from './connection-info.ts';
import type { StreamHost } from './contracts.ts';
import type { HttpEnvironment } from './environment.ts';
import type { RequestReceiver, Responder } from './exchange.ts';
import { H1Server, type RequestHandler } from './h1-server.ts';
import { H2Server } from './h2-server.ts';
import type { HcmConfig } from './hcm.ts';
import { Headers } from './headers.ts';
import type { Request } from './request.ts';
import { HttpStream } from './stream.ts';

export interface HttpConnectionOptions {
  readonly config: HcmConfig;
  readonly env: HttpEnvironment;
  readonly info: ConnectionInfo;
  readonly closed: () => void;
}

export class HttpConnection implements RequestHandler, StreamHost {
  readonly config: HcmConfig;
  readonly env: HttpEnvironment;
  readonly info: ConnectionInfo;
  readonly routeContext: RouteContext;
  readonly #onClosed: () => void;
  #codec: H1Server | H2Server | undefined;
  #lifetime: NodeJS.Timeout | undefined;
  #draining = false;

  constructor(options: HttpConnectionOptions) {
    this.config = options.config;
    this.env = options.env;
    this.info = options.info;
    this.#onClosed = options.closed;
    const tls = options.info.tls;
    this.routeContext = {
      random: options.env.random,
      ...(tls ? { tls: { presented: tls.peer !== undefined, validated: tls.peer !== undefined } } : {}),
    };
    this.config.stats.connections.value++;
    this.config.stats.active.value++;
    if (this.config.maxConnectionDuration > 0) {
      this.#lifetime = setTimeout(() => this.drain(true), this.config.maxConnectionDuration);
      this.#lifetime.unref();
    }
  }

  /** HTTP/2 is given the socket with the bytes read so far put back; HTTP/1.1 a wire, and the bytes by hand. */
  serveH1(wire: SocketWire, first: Buffer | undefined): void {
    const codec = new H1Server(wire, this);
    this.#codec = codec;
    if (this.#draining) codec.drain(false);
    wire.resume();
    // After that, since a request may pause the reading.
    if (first) codec.onBytes(first, 0, first.length);
  }

  serveH2(socket: SocketWire['socket']): void {
    this.#codec = new H2Server(socket, this, this.config.h2);
  }

  drain(closeIdle: boolean): void {
    this.#draining = true;
    this.#codec?.drain(closeIdle);
  }

  destroy(): void {
    this.#codec?.destroy();
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

  upgradable(protocol: string): boolean {
    return protocol !== 'h2c' && !protocol.startsWith('tls/');
  }

  accept(request: Request, responder: Responder, end: boolean, full: string | undefined): RequestReceiver {
    const stream = new HttpStream(this, request, responder);
    stream.start(end, full);
    const limit = this.config.maxRequestsPerConnection;
    if (limit > 0 && (this.#codec?.requests ?? 0) >= limit) responder.closeAfter();
    return stream;
  }

  localFields(): Headers {
    return new Headers(['date', this.env.date(), 'server', this.config.serverName]);
  }

  protocolProblem(_status: number): void {
    this.config.stats.codecError.value++;
  }

  closed(): void {
    clearTimeout(this.#lifetime);
    this.config.stats.active.value--;
    this.#onClosed();
  }
}
