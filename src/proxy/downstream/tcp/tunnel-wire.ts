// A connection to somewhere behind a host, made by a CONNECT or POST request to that host. Stands where a
// socket would.
// https://www.envoyproxy.io/docs/envoy/latest/intro/arch_overview/http/upgrades#tunneling-tcp-over-http

import { Headers } from '../../codec/http/headers.ts';
import type { ResetReason, UpstreamReceiver, UpstreamStream } from '../../codec/http/message-contract.ts';
import { Request } from '../../codec/http/request.ts';
import type { ConnectionInfo } from '../../decide/connection-info.ts';
import { applyHeaderMutations } from '../../decide/route/index.ts';
import type { FormatContext } from '../../format/format-context.ts';
import type { Wire, WireEvents } from '../../net/wire.ts';
import { ConnectionFacts } from '../../observe/connection-facts.ts';
import type { Cluster } from '../../upstream/cluster.ts';
import type { Host } from '../../upstream/host.ts';
import type { UpstreamConnection } from '../../upstream/http/upstream-connection.ts';
import type { HttpPool, Waiter } from '../../upstream/pool.ts';
import type { ConnectResult } from '../../upstream/transport/transport.ts';
import type { Tunnel } from './running-tcp-proxy.ts';

export interface TunnelRoute {
  readonly tunnel: Tunnel;
  readonly cluster: Cluster;
  readonly host: Host;
  readonly info: ConnectionInfo;
}

/** Returns a function that gives the attempt up. */
export function openTunnel(route: TunnelRoute, result: ConnectResult): () => void {
  const wire = new TunnelWire(route, result);
  wire.start();
  return () => wire.destroy();
}

class TunnelWire implements Wire, Waiter, UpstreamReceiver {
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly tls = undefined;
  bytesWritten = 0;
  backedUp = false;
  readonly #route: TunnelRoute;
  readonly #result: ConnectResult;
  readonly #pool: HttpPool;
  #waits = false;
  #stream: UpstreamStream | undefined;
  #events: WireEvents | undefined;
  #early: Buffer[] = [];
  #ended = false;
  #over = false;

  constructor(route: TunnelRoute, result: ConnectResult) {
    const { cluster, host, info } = route;
    this.#route = route;
    this.#result = result;
    this.remoteAddress = host.ip;
    this.remotePort = host.port;
    this.#pool = cluster.pool(host, {
      protocol: cluster.plan.http.mode === 'h2' ? 'h2' : 'h1',
      sni: undefined,
      verifyName: undefined,
      hops: info.hops,
      priority: 'default',
      client: host.transport.tellsClient ? info : undefined,
    });
  }

  start(): void {
    this.#waits = true;
    const connection = this.#pool.acquire(this);
    if (connection) this.ready(connection);
  }

  ready(connection: UpstreamConnection): boolean {
    this.#waits = false;
    if (this.#over) return false;
    this.#route.cluster.stats.requestsTotal.value++;
    this.#route.cluster.stats.requestsActive.value++;
    this.#stream = connection.request(tunnelRequest(this.#route), false, undefined, this);
    this.#stream.flush();
    return true;
  }

  interim(): void {}

  head(status: number, _headers: Headers, end: boolean): void {
    if (this.#over) return;
    if (status >= 200 && status < 300 && !end) this.#result.connected(this, undefined);
    else this.#refuse(`the host answered ${status}`, false);
  }

  body(chunk: Buffer, end: boolean): void {
    if (this.#over) return;
    if (chunk.length > 0) {
      if (this.#events) this.#events.onBytes(chunk, 0, chunk.length);
      else this.#early.push(Buffer.from(chunk));
    }
    if (!end) return;
    this.#ended = true;
    this.#events?.onEnd();
  }

  trailers(): void {
    this.body(nothing, true);
  }

  flush(): void {}

  writable(): void {
    this.backedUp = false;
    this.#events?.onDrain();
  }

  failed(reason: ResetReason, detail = ''): void {
    if (this.#over) return;
    if (!this.#events) {
      this.#refuse(detail || reason, reason === 'connect-timeout');
      return;
    }
    this.#close();
    this.#events.onClose(new Error(reason));
  }

  attach(events: WireEvents): void {
    this.#events = events;
    const early = this.#early;
    this.#early = [];
    for (const chunk of early) events.onBytes(chunk, 0, chunk.length);
    if (this.#ended) queueMicrotask(() => events.onEnd());
  }

  writeText(text: string): boolean {
    return this.writeBytes(Buffer.from(text, 'latin1'));
  }

  writeBytes(bytes: Uint8Array): boolean {
    if (this.#over) return true;
    this.bytesWritten += bytes.length;
    const more = this.#stream?.body(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length), false) ?? true;
    this.#stream?.flush();
    if (!more) this.backedUp = true;
    return more;
  }

  writeBoth(text: string, bytes: Uint8Array): boolean {
    this.writeText(text);
    return this.writeBytes(bytes);
  }

  pause(): void {
    this.#stream?.readResponse(false);
  }

  resume(): void {
    this.#stream?.readResponse(true);
  }

  end(): void {
    if (this.#over) return;
    this.#stream?.body(nothing, true);
    this.#stream?.flush();
  }

  destroy(): void {
    if (this.#over) return;
    this.#close();
    this.#stream?.reset();
  }

  reset(): void {
    this.destroy();
  }

  #refuse(detail: string, timedOut: boolean): void {
    this.destroy();
    this.#result.failed(detail, timedOut);
  }

  #close(): void {
    this.#over = true;
    if (this.#waits) this.#pool.cancel(this);
    if (this.#stream) this.#route.cluster.stats.requestsActive.value--;
  }
}

function tunnelRequest({ tunnel, info }: TunnelRoute): Request {
  const { plan } = tunnel;
  const request = new Request({
    method: plan.method,
    path: plan.method === 'POST' ? plan.path : '',
    authority: '',
    scheme: 'http',
    upgrade: undefined,
    protocol: 'http/1.1',
    headers: new Headers(),
  });
  const context: FormatContext = Object.assign(new ConnectionFacts(info), { request, startTime: Date.now() });
  request.authority = tunnel.target(context);
  applyHeaderMutations(tunnel.plan.headers, request, context);
  return request;
}

const nothing = Buffer.alloc(0);
