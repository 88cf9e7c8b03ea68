// Copies of requests to mirror clusters: sent and forgotten.

import type { Headers } from '../../codec/http/headers.ts';
import type { UpstreamReceiver, UpstreamStream } from '../../codec/http/message-contract.ts';
import type { Request } from '../../codec/http/request.ts';
import type { ConnectionInfo } from '../../decide/connection-info.ts';
import type { MirrorDecision } from '../../decide/route/index.ts';
import type { Timer } from '../../net/clock.ts';
import type { UpstreamConnection } from '../../upstream/http/upstream-connection.ts';
import type { HttpEnvironment } from '../environment.ts';

export interface MirrorSource {
  readonly env: HttpEnvironment;
  readonly end: boolean;
  readonly full: string | undefined;
  readonly info: ConnectionInfo;
}

const timeoutMs = 15_000;
const bufferLimit = 1 << 20;

export function startMirrors(
  decisions: readonly MirrorDecision[],
  request: Request,
  source: MirrorSource,
): readonly Mirror[] {
  return decisions
    .filter(({ drawn }) => drawn)
    .map(({ mirror }) => {
      const copy = request.clone();
      copy.headers.set('x-envoy-internal', 'true');
      if (mirror.appendShadowSuffix) copy.authority = withSuffix(copy.authority);
      return new Mirror(mirror.cluster || (request.headers.get(mirror.clusterHeader) ?? ''), copy, source);
    });
}

function withSuffix(authority: string): string {
  const colon = authority.lastIndexOf(':');
  return colon > authority.lastIndexOf(']')
    ? `${authority.slice(0, colon)}-shadow${authority.slice(colon)}`
    : `${authority}-shadow`;
}

export class Mirror implements UpstreamReceiver {
  #stream: UpstreamStream | undefined;
  #waiting: { chunk: Buffer; end: boolean }[] = [];
  #buffered = 0;
  #backedUp = false;
  #over = false;
  #release: () => void = () => undefined;
  readonly #timer: Timer;

  constructor(name: string, request: Request, source: MirrorSource) {
    this.#timer = source.env.clock.after(timeoutMs, () => this.#stop());
    const cluster = source.env.cluster(name);
    const host = cluster?.choose({ random: source.env.random, now: source.env.clock.now() });
    if (!cluster || !host) {
      this.#over = true;
      this.#timer.close();
      return;
    }
    const { mode } = cluster.plan.http;
    const received = request.protocol === 'h2' ? 'h2' : 'h1';
    const pool = cluster.pool(host, {
      protocol: mode === 'downstream' ? received : mode,
      sni: undefined,
      verifyName: undefined,
      hops: source.info.hops,
      priority: 'default',
      client: host.transport.tellsClient ? source.info : undefined,
    });
    const ready = (connection: UpstreamConnection): boolean => {
      if (this.#over) return false;
      cluster.stats.requestsTotal.value++;
      host.activeRequests++;
      this.#release = () => host.activeRequests--;
      this.#stream = connection.request(request, source.end, source.full, this);
      for (const one of this.#waiting) this.#stream.body(one.chunk, one.end);
      this.#stream.flush();
      this.#waiting = [];
      return true;
    };
    const waiter = { ready, failed: () => this.#stop() };
    const connection = pool.acquire(waiter);
    if (connection) ready(connection);
    else this.#release = () => pool.cancel(waiter);
  }

  /** A piece of the request. */
  send(chunk: Buffer, end: boolean): void {
    if (this.#over) return;
    if (!this.#stream || this.#backedUp) this.#buffered += chunk.length;
    // A mirror that cannot keep up is given up; it never holds back the request itself.
    if (this.#buffered > bufferLimit) {
      this.#stop();
      return;
    }
    if (this.#stream) this.#forwardPiece(chunk, end);
    else this.#waiting.push({ chunk: Buffer.from(chunk), end });
  }

  interim(): void {}

  head(_status: number, _headers: Headers, end: boolean): void {
    if (end) this.#done();
  }

  body(_chunk: Buffer, end: boolean): void {
    if (end) this.#done();
  }

  trailers(): void {
    this.#done();
  }

  flush(): void {}

  writable(): void {
    this.#backedUp = false;
    this.#buffered = 0;
  }

  failed(): void {
    this.#done();
  }

  #forwardPiece(chunk: Buffer, end: boolean): void {
    if (this.#stream?.body(chunk, end) === false) this.#backedUp = true;
    this.#stream?.flush();
  }

  #stop(): void {
    const stream = this.#stream;
    this.#done();
    stream?.reset();
  }

  #done(): void {
    if (this.#over) return;
    this.#over = true;
    this.#timer.close();
    this.#release();
  }
}
