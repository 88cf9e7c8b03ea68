// One request from its arrival to the end of its response: admission, entry rules, route, then through the
// filters in their order; the response comes back through them the other way round.

import { Headers } from '../../codec/http/headers.ts';
import type { RequestReceiver, Responder } from '../../codec/http/message-contract.ts';
import type { Request } from '../../codec/http/request.ts';
import type { ConnectionInfo } from '../../decide/connection-info.ts';
import { admit, hasUnderscore } from '../../decide/entry/admit.ts';
import { enterRequest } from '../../decide/entry/request-entry.ts';
import { type LocalReply, replyMessage } from '../../decide/local-reply.ts';
import { causes } from '../../decide/reply-cause.ts';
import { finalizeResponseHeaders, type RouteDecision } from '../../decide/route/index.ts';
import type { RequestSink, Timer } from '../../filters/http-filter.ts';
import { Exchange } from '../../observe/exchange.ts';
import { type FilterConfigs, noFilterConfigs } from '../../plan/route/filter-config.ts';
import type { Answerable } from '../router/answerable.ts';
import { Forward } from '../router/forward.ts';
import { ClientResponse, type ResponseOwner } from './client-response.ts';
import { FilterRun, type RunOwner } from './filter-run.ts';
import { randomId } from './request-id.ts';
import { routeReply } from './route-reply.ts';
import { type Lapse, StreamClocks } from './stream-clocks.ts';
import type { StreamHost } from './stream-host.ts';

export class HttpStream implements RequestReceiver, Answerable, RunOwner, ResponseOwner {
  readonly request: Request;
  readonly connection: StreamHost;
  readonly exchange: Exchange;
  grpc: boolean;
  /** The caller speaks gRPC itself: what the proxy answers by itself is gRPC. */
  readonly #grpcCaller: boolean;
  internal = false;
  readonly #client: ClientResponse;
  #run: FilterRun | undefined;
  /** Where the request goes when it has passed the filters. */
  readonly #sink = new ForwardSink();
  #clocks: StreamClocks | undefined;
  #requestDone = false;
  #headSent = false;

  constructor(connection: StreamHost, request: Request, codec: Responder) {
    this.connection = connection;
    this.request = request;
    this.grpc = request.grpc;
    this.#grpcCaller = this.grpc;
    this.exchange = new Exchange(request, connection.info, connection.exchangeParts);
    this.#client = new ClientResponse(codec, this);
  }

  // What the codec reports.

  start(end: boolean, full: string | undefined): void {
    const { config, env, limits, info, routeContext, manager } = this.connection;
    if (limits) this.#clocks = new StreamClocks(limits, env.clock, (lapse) => this.#lapsed(lapse));
    if (end) this.#requestComplete();
    if (full !== undefined) this.exchange.bytesReceived += full.length;
    if (!this.#admitted()) return;
    if (!config.proxy100 && this.request.headers.get('expect')?.toLowerCase() === '100-continue') {
      this.#client.interim(100, new Headers());
      this.request.headers.remove('expect');
    }
    const entry = enterRequest(this.request, { connection: info, config, newId: randomId });
    this.exchange.clientIp = entry.clientIp;
    this.internal = entry.internal;
    const decision = manager.routes.table?.choose(this.request, routeContext) ?? noRoutes;
    this.exchange.decision = decision;
    if (!this.#upgradable(decision)) {
      this.reply({ status: decision.kind === 'notFound' ? 404 : 403, body: '' });
      return;
    }
    const ends = { responder: this.#client, sink: this.#sink };
    const run = new FilterRun(manager.filtersFor(this, configsOf(decision)), this, ends);
    this.#run = run;
    run.start({ end, full });
  }

  body(chunk: Buffer, end: boolean): void {
    this.#clocks?.touch();
    this.exchange.bytesReceived += chunk.length;
    if (end) this.#requestComplete();
    this.#run?.body(chunk, end);
  }

  trailers(trailers: Headers): void {
    this.#requestComplete();
    this.#run?.trailers(trailers);
  }

  flush(): void {
    this.#run?.flush();
  }

  writable(): void {
    this.#run?.writable();
    this.#sink.forward?.readResponse(true);
  }

  aborted(): void {
    this.#sink.forward?.abort();
    this.exchange.finish('client');
    this.ended();
  }

  // What the ends of the way tell.

  get answered(): boolean {
    return this.#headSent || this.exchange.over;
  }

  touched(): void {
    this.#clocks?.touch();
  }

  ended(): void {
    this.#clocks?.stop();
    this.#run?.end();
  }

  // What filters ask for.

  get info(): ConnectionInfo {
    return this.connection.info;
  }

  get clientIp(): string {
    return this.exchange.clientIp;
  }

  get decision(): RouteDecision {
    return this.exchange.decision ?? noRoutes;
  }

  get metadata(): Readonly<Record<string, unknown>> {
    return this.exchange.metadata;
  }

  setMetadata(namespace: string, fields: Readonly<Record<string, unknown>>): void {
    this.exchange.addMetadata(namespace, fields);
  }

  becomesGrpc(): void {
    this.grpc = true;
  }

  flag(flag: string): void {
    this.exchange.flag(flag);
  }

  isHealthCheck(): void {
    this.exchange.isHealthCheck = true;
  }

  resume(): void {
    this.#run?.resume();
  }

  carryOut({ envoyHeaders }: { readonly envoyHeaders: boolean }): void {
    const { decision } = this;
    if (decision.kind !== 'forward') {
      this.reply(routeReply(decision, this.request));
      return;
    }
    const { end = true, full } = this.#run?.message ?? {};
    const forward = new Forward(this, decision, envoyHeaders);
    this.#sink.forward = forward;
    forward.start(end, full);
  }

  after(ms: number, run: () => void): Timer {
    const timer = this.connection.env.clock.after(ms, run);
    return { cancel: () => void timer.close() };
  }

  responseWritable(): void {
    this.#sink.forward?.readResponse(true);
  }

  // The response.

  interim(status: number, headers: Headers): void {
    if (!this.#headSent && this.connection.config.proxy100) this.#back.interim(status, headers);
  }

  sendHead(status: number, headers: Headers, end: boolean, full?: string): void {
    if (this.exchange.over || this.#headSent) return;
    this.#headSent = true;
    this.#back.head(status, headers, end, full);
  }

  sendBody(chunk: Buffer, end: boolean): boolean {
    return this.exchange.over || this.#back.body(chunk, end);
  }

  sendTrailers(trailers: Headers): void {
    if (!this.exchange.over) this.#back.trailers(trailers);
  }

  flushResponse(): void {
    if (!this.exchange.over) this.#back.flush();
  }

  resetDownstream(): void {
    if (!this.exchange.over) this.#back.reset();
  }

  readRequest(on: boolean): void {
    this.#client.readRequest(on);
  }

  reply(reply: LocalReply): void {
    if (this.exchange.over) return;
    this.#sink.forward?.abort();
    if (reply.cause) this.exchange.caused(reply.cause);
    if (this.#headSent) {
      this.resetDownstream();
      return;
    }
    // A request that was not understood leaves doubt about where the next one begins.
    if (reply.status === 400 && this.request.protocol !== 'h2') this.#client.closeAfter();
    const { status, headers, body } = replyMessage(reply, this.#grpcCaller && !reply.bare);
    const { decision } = this.exchange;
    if (decision && !reply.bare) {
      this.exchange.response = headers;
      finalizeResponseHeaders(decision, headers, this.exchange);
    }
    this.sendHead(status, headers, true, body === '' ? undefined : body);
  }

  limit(idle: number | undefined, duration: number | undefined): void {
    // Most routes only say that there is no limit.
    if (!this.#clocks && !idle && !duration) return;
    this.#clocks ??= new StreamClocks(unlimited, this.connection.env.clock, (lapse) => this.#lapsed(lapse));
    this.#clocks.override(idle, duration);
  }

  get #back(): Responder {
    return this.#run?.responder ?? this.#client;
  }

  /** Checks and normalises what routing depends on; answers by itself when the request is refused. */
  #admitted(): boolean {
    const { request, connection } = this;
    const admission = admit(request, connection.config, connection.info.localPort);
    switch (admission.kind) {
      case 'refuse':
        this.reply({ status: admission.status, body: '' });
        return false;
      case 'redirect':
        this.reply({ status: 307, body: '', headers: [['location', admission.path]] });
        return false;
      default:
        request.path = admission.path;
        request.authority = admission.authority;
        if (connection.config.underscores === 'drop') request.headers.removeWhere(hasUnderscore);
        return true;
    }
  }

  /**
   * Whether the request is none for another protocol, or for one that the route or else the connection
   * manager allows.
   */
  #upgradable(decision: RouteDecision): boolean {
    const { method, upgrade } = this.request;
    const wanted = method === 'CONNECT' ? 'connect' : upgrade;
    if (wanted === undefined) return true;
    const own =
      decision.kind === 'forward' ? decision.route.upgrades.find((one) => one.type === wanted) : undefined;
    return own?.enabled ?? this.connection.config.upgrades.get(wanted) === true;
  }

  #requestComplete(): void {
    this.#requestDone = true;
    this.exchange.requestComplete();
    this.#clocks?.requestComplete();
  }

  #lapsed(lapse: Lapse): void {
    // Whoever the stream waited for is at fault.
    const status = this.#requestDone ? 504 : 408;
    this.connection.manager.lapsed(lapse);
    this.reply({ status, body: lapseTexts[lapse], cause: lapseCauses[lapse] });
  }
}

class ForwardSink implements RequestSink {
  forward: Forward | undefined;

  body(chunk: Buffer, end: boolean): void {
    this.forward?.body(chunk, end);
  }

  trailers(trailers: Headers): void {
    this.forward?.trailers(trailers);
  }

  flush(): void {
    this.forward?.flushRequest();
  }
}

const noRoutes: RouteDecision = { kind: 'notFound', virtualHost: undefined };

const unlimited = { idle: 0, request: 0, duration: 0 };

const lapseCauses = { idle: causes.idle, request: causes.requestTimeout, duration: causes.duration } as const;

const lapseTexts: Readonly<Record<Lapse, string>> = {
  idle: 'stream timeout',
  request: 'request timeout',
  duration: 'downstream duration timeout',
};

function configsOf(decision: RouteDecision): FilterConfigs {
  if (decision.kind === 'forward') return decision.filters;
  if (decision.kind === 'notFound') return noFilterConfigs;
  return decision.route?.filters ?? noFilterConfigs;
}
