// One request from its arrival to the end of its response: entry rules, route, filters, then a local answer
// or a forward.

import { Headers } from '../../codec/http/headers.ts';
import type { RequestReceiver, Responder } from '../../codec/http/message-contract.ts';
import type { Request } from '../../codec/http/request.ts';
import { admit, hasUnderscore } from '../../decide/entry/admit.ts';
import { enterRequest } from '../../decide/entry/request-entry.ts';
import {
  corsDecision,
  type FaultOutcome,
  type FilterConfigs,
  faultDecision,
  finalizeResponseHeaders,
  type RouteDecision,
} from '../../decide/route/index.ts';
import { causes, flagsText } from '../../observe/reply-cause.ts';
import { StreamCoding } from '../filters/coding/stream-coding.ts';
import { Base64Decoder, badBase64, GrpcWebBridge, isGrpcWeb } from '../filters/grpc-web.ts';
import {
  type HealthCheckPlan,
  healthCheckedCluster,
  healthReply,
  isHealthCheck,
} from '../filters/health-check.ts';
import { Forward } from '../filters/router/forward.ts';
import type { Answerable, StreamHost } from './contracts.ts';
import { ExchangeContext } from './format-context.ts';
import { type LocalReply, type ReplyMessage, replyMessage } from './local-reply.ts';
import { randomId } from './request-id.ts';
import { type Lapse, StreamClocks } from './stream-clocks.ts';

export class HttpStream implements RequestReceiver, Answerable {
  readonly request: Request;
  readonly connection: StreamHost;
  responder: Responder;
  grpc: boolean;
  /** The caller speaks gRPC itself: what the proxy answers by itself is gRPC. */
  readonly #grpcCaller: boolean;
  #decoder: Base64Decoder | undefined;
  #coding: StreamCoding | undefined;
  context: ExchangeContext | undefined;
  decision: RouteDecision | undefined;
  clientIp = '';
  internal = false;
  #forward: Forward | undefined;
  #held: { chunks: Buffer[]; end: boolean; trailers: Headers | undefined } | undefined;
  #delay: NodeJS.Timeout | undefined;
  #clocks: StreamClocks | undefined;
  #requestDone = false;
  #corsHeaders: readonly (readonly [string, string])[] | undefined;
  #over = false;
  #headSent = false;
  #countsAsFault = false;
  #callerNamed = false;
  #healthCheck = false;

  constructor(connection: StreamHost, request: Request, responder: Responder) {
    this.connection = connection;
    this.request = request;
    this.responder = responder;
    this.grpc = request.grpc;
    this.#grpcCaller = this.grpc;
  }

  start(end: boolean, full: string | undefined): void {
    const config = this.connection.config;
    const stats = config.stats;
    stats.requests.value++;
    stats.requestsActive.value++;
    if (this.connection.limits)
      this.#clocks = new StreamClocks(this.connection.limits, (lapse) => this.#lapsed(lapse));
    if (end) this.#requestComplete();
    if (!this.#admitted()) return;
    if (!config.proxy100 && this.request.headers.get('expect')?.toLowerCase() === '100-continue') {
      this.responder.interim(100, new Headers());
      this.request.headers.remove('expect');
    }
    this.#takeOperation();
    const entry = enterRequest(this.request, { connection: this.connection.info, config, newId: randomId });
    this.clientIp = entry.clientIp;
    this.internal = entry.internal;
    if (config.filters.healthChecks.length > 0 && this.#healthAnswered(config.filters.healthChecks)) return;
    if (!config.filters.grpcWeb || !isGrpcWeb(this.request)) {
      this.#code(end, full);
      return;
    }
    this.#bridge();
    this.#code(end && full === undefined, undefined);
    if (full !== undefined) this.body(Buffer.from(full, 'latin1'), true);
  }

  #healthAnswered(plans: readonly HealthCheckPlan[]): boolean {
    this.#healthCheck = isHealthCheck(plans, this.request);
    const health = healthReply(plans, this.request, this.connection.env);
    if (health) this.reply(health);
    return health !== undefined;
  }

  /** Bodies may pass through compression on their way; a request that does arrives in pieces. */
  #code(end: boolean, full: string | undefined): void {
    const { codings } = this.connection.config.filters;
    if (codings.length > 0) {
      const coding = new StreamCoding();
      this.#coding = coding;
      this.responder = coding.enter(codings, this.request, this.responder, {
        body: (chunk, last) => {
          this.#take(chunk, last);
          this.flush();
        },
        broken: () => this.#broken(),
        writable: () => this.#forward?.readResponse(true),
      });
      if (coding.takesRequest && (!end || full !== undefined)) {
        this.#route(false, undefined);
        if (full !== undefined) coding.feed(Buffer.from(full, 'latin1'), end);
        return;
      }
    }
    this.#route(end, full);
  }

  #broken(body = ''): void {
    this.#forward?.abort();
    this.reply({ status: 400, body });
  }

  /** The stream goes on as gRPC; the bridge puts the response back into gRPC-Web. */
  #bridge(): void {
    const bridge = new GrpcWebBridge(this.request, this.responder);
    this.responder = bridge;
    this.grpc = true;
    if (bridge.text) this.#decoder = new Base64Decoder();
  }

  body(received: Buffer, end: boolean): void {
    this.#clocks?.touch();
    if (end) this.#requestComplete();
    const chunk = this.#decoder ? this.#decoder.decode(received, end) : received;
    if (!chunk) this.#broken(badBase64);
    else if (this.#coding?.takesRequest) this.#coding.feed(chunk, end);
    else this.#take(chunk, end);
  }

  #take(chunk: Buffer, end: boolean): void {
    if (this.#forward) this.#forward.body(chunk, end);
    else if (this.#held) {
      if (chunk.length > 0) this.#held.chunks.push(Buffer.from(chunk));
      this.#held.end = end;
    }
  }

  trailers(trailers: Headers): void {
    this.#requestComplete();
    if (this.#coding?.takesRequest) this.#coding.feed(Buffer.alloc(0), true);
    else if (this.#forward) this.#forward.trailers(trailers);
    else if (this.#held) this.#held.trailers = trailers;
  }

  flush(): void {
    this.#forward?.flushRequest();
  }

  writable(): void {
    this.#coding?.drained();
    this.#forward?.readResponse(true);
  }

  aborted(): void {
    this.#coding?.abandon();
    this.#forward?.abort();
    this.#finish();
  }

  interim(status: number, headers: Headers): void {
    if (!this.#headSent && this.connection.config.proxy100) this.responder.interim(status, headers);
  }

  sendHead(status: number, headers: Headers, end: boolean, full?: string): void {
    if (this.#over || this.#headSent) return;
    this.#headSent = true;
    const config = this.connection.config;
    const env = this.connection.env;
    this.#clocks?.touch();
    if (this.#corsHeaders) for (const [name, value] of this.#corsHeaders) headers.set(name, value);
    if (
      config.serverHeader === 'overwrite' ||
      (config.serverHeader === 'appendIfAbsent' && !headers.has('server'))
    )
      headers.set('server', config.serverName);
    if (!headers.has('date')) headers.add('date', env.date());
    this.#giveOperation(headers);
    if (config.alwaysSetRequestId)
      headers.set('x-request-id', this.request.headers.get('x-request-id') ?? '');
    if (config.via !== '') headers.add('via', config.via);
    if (this.#healthCheck) headers.set(healthCheckedCluster, env.nodeCluster);
    const byClass = config.stats.byClass[((status / 100) | 0) - 1];
    if (byClass) byClass.value++;
    if (env.draining()) this.responder.closeAfter();
    this.responder.head(status, headers, end, full);
    if (end) this.#finish();
  }

  sendBody(chunk: Buffer, end: boolean): boolean {
    if (this.#over) return true;
    this.#clocks?.touch();
    const more = this.responder.body(chunk, end);
    if (end) this.#finish();
    return more;
  }

  sendTrailers(trailers: Headers): void {
    if (this.#over) return;
    this.responder.trailers(trailers);
    this.#finish();
  }

  flushResponse(): void {
    if (!this.#over) this.responder.flush();
  }

  resetDownstream(): void {
    if (this.#over) return;
    this.#finish();
    this.responder.reset();
  }

  reply(reply: LocalReply): void {
    if (this.#over) return;
    if (this.#headSent) {
      this.resetDownstream();
      return;
    }
    // A request that was not understood leaves doubt about where the next one begins.
    if (reply.status === 400 && this.request.protocol !== 'h2') this.responder.closeAfter();
    const message = replyMessage(reply, this.#grpcCaller);
    if (this.decision) this.#finalize(this.decision, message, reply);
    this.sendHead(message.status, message.headers, true, message.body === '' ? undefined : message.body);
  }

  #finalize(
    decision: RouteDecision,
    { headers }: ReplyMessage,
    { cause, exhausted = false }: LocalReply,
  ): void {
    const context = this.formatContext();
    context.response = headers;
    context.responseFlags = flagsText(cause?.flag ?? '', exhausted);
    if (cause) context.responseCodeDetails = cause.details;
    finalizeResponseHeaders(decision, headers, context);
  }

  formatContext(): ExchangeContext {
    this.context ??= new ExchangeContext(this.request, this.connection.info, this.clientIp);
    return this.context;
  }

  /** The name that the caller gave the operation is for this hop only. */
  #takeOperation(): void {
    if (this.connection.config.decorates !== 'inbound') return;
    this.#callerNamed = this.request.headers.has(operationHeader);
    if (this.#callerNamed) this.request.headers.remove(operationHeader);
  }

  #giveOperation(headers: Headers): void {
    const how = this.connection.config.decorates;
    if (how === 'outbound') headers.remove(operationHeader);
    else if (how === 'inbound' && !this.#callerNamed && this.decision?.kind === 'forward') {
      const operation = this.decision.route.decorator;
      if (operation !== undefined) headers.set(operationHeader, operation);
    }
  }

  /** Checks and normalises what routing depends on; answers by itself when the request is refused. */
  #admitted(): boolean {
    const { request, connection } = this;
    const admission = admit(request, connection.config, connection.info.localPort);
    switch (admission.kind) {
      case 'refuse':
        this.#refuse(admission.status);
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

  #refuse(status: number): void {
    this.reply({ status, body: '' });
  }

  #route(end: boolean, full: string | undefined): void {
    const env = this.connection.env;
    const table = this.connection.config.routes.table;
    this.decision =
      table === undefined
        ? { kind: 'notFound', virtualHost: undefined }
        : table.choose(this.request, this.connection.routeContext);
    if (!this.#upgradable(this.decision)) {
      this.#refuse(this.decision.kind === 'notFound' ? 404 : 403);
      return;
    }
    const filters = this.connection.config.filters;
    if (filters.hasFault) {
      const outcome = this.#fault(this.decision, env.random);
      if (outcome !== undefined && outcome.delay > 0) {
        this.#hold(outcome, end, full);
        return;
      }
      if (outcome?.abort) {
        this.#abortByFault(outcome);
        return;
      }
    }
    this.#act(this.decision, end, full);
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

  #fault(decision: RouteDecision, random: () => number): FaultOutcome | undefined {
    const own =
      decision.kind === 'notFound' ? undefined : filtersOf(decision)?.get('envoy.filters.http.fault');
    const plan =
      own?.kind === 'fault'
        ? own.plan
        : own?.kind === 'disabled'
          ? undefined
          : this.connection.config.filters.fault;
    if (!plan || (!plan.delay && !plan.abort)) return undefined;
    const cluster = decision.kind === 'forward' ? decision.cluster : '';
    return faultDecision(plan, this.request, {
      random,
      cluster,
      activeFaults: this.connection.env.activeFaults.value,
      downstreamNode: this.request.headers.get('x-envoy-downstream-service-node'),
    });
  }

  #hold(outcome: FaultOutcome, end: boolean, full: string | undefined): void {
    this.#held = { chunks: [], end, trailers: undefined };
    // The body waits with its sender, not in our memory.
    if (!end) this.responder.readRequest(false);
    this.#faulting(true);
    this.#delay = setTimeout(() => {
      this.#faulting(false);
      if (outcome.abort) return this.#abortByFault(outcome);
      const held = this.#held;
      this.#held = undefined;
      if (!end) this.responder.readRequest(true);
      if (this.decision) this.#act(this.decision, end, full);
      for (const chunk of held?.chunks ?? []) this.#take(chunk, false);
      if (held?.trailers) this.trailers(held.trailers);
      else if (held?.end && !end) this.#take(Buffer.alloc(0), true);
      this.flush();
    }, outcome.delay);
  }

  #faulting(on: boolean): void {
    if (on === this.#countsAsFault) return;
    this.#countsAsFault = on;
    this.connection.env.activeFaults.value += on ? 1 : -1;
  }

  #abortByFault(outcome: FaultOutcome): void {
    const abort = outcome.abort;
    if (!abort) return;
    const reply = { body: 'fault filter abort', cause: causes.abort };
    if (abort.kind === 'http') this.reply({ ...reply, status: abort.status });
    else this.reply({ ...reply, status: 200, grpcStatus: abort.status });
  }

  #act(decision: RouteDecision, end: boolean, full: string | undefined): void {
    switch (decision.kind) {
      case 'notFound':
        this.reply({ status: 404, body: '', cause: causes.noRoute });
        return;
      case 'nonForwarding':
        this.reply({ status: 500, body: '' });
        return;
      case 'redirect':
        this.reply({
          status: decision.status,
          body: '',
          headers: [['location', decision.location]],
          cause: causes.direct,
        });
        return;
      case 'directResponse':
        this.reply({
          status: decision.status,
          body: Buffer.from(decision.body).toString(),
          headers: located(decision.status)
            ? [['location', `${this.request.scheme}://${this.request.authority}${this.request.path}`]]
            : [],
          cause: causes.direct,
        });
        return;
      default:
        if (this.connection.config.filters.cors && this.#cors(decision)) return;
        this.#forward = new Forward(this, decision);
        this.#forward.start(end, full);
    }
  }

  /** Whether the request was a preflight that has been answered. */
  #cors(decision: RouteDecision & { kind: 'forward' }): boolean {
    const own = decision.filters.get('envoy.filters.http.cors');
    if (own?.kind !== 'cors') return false;
    const outcome = corsDecision(this.request, own.plan, this.connection.env.random);
    if (outcome.kind === 'annotate') this.#corsHeaders = outcome.headers;
    if (outcome.kind !== 'preflight') return false;
    this.sendHead(200, new Headers(outcome.headers.flat()), true);
    return true;
  }

  limit(idle: number | undefined, duration: number | undefined): void {
    // Most routes only say that there is no limit.
    if (!this.#clocks && !idle && !duration) return;
    this.#clocks ??= new StreamClocks({ idle: 0, request: 0, duration: 0 }, (lapse) => this.#lapsed(lapse));
    this.#clocks.override(idle, duration);
  }

  #requestComplete(): void {
    this.#requestDone = true;
    this.#clocks?.requestComplete();
  }

  #lapsed(lapse: Lapse): void {
    if (this.#headSent) {
      this.resetDownstream();
      return;
    }
    this.#forward?.abort();
    // Whoever the stream waited for is at fault.
    this.reply({ status: this.#requestDone ? 504 : 408, body: lapseTexts[lapse], cause: lapseCauses[lapse] });
  }

  #finish(): void {
    if (this.#over) return;
    this.#over = true;
    this.connection.config.stats.requestsActive.value--;
    clearTimeout(this.#delay);
    this.#clocks?.stop();
    this.#faulting(false);
  }
}

const lapseCauses = { idle: causes.idle, request: causes.requestTimeout, duration: causes.duration } as const;

const lapseTexts: Readonly<Record<Lapse, string>> = {
  idle: 'stream timeout',
  request: 'request timeout',
  duration: 'downstream duration timeout',
};

/** Statuses with which a configured response says where it is, as Envoy has it say. */
function located(status: number): boolean {
  return status === 201 || (status >= 300 && status < 400);
}

const operationHeader = 'x-envoy-decorator-operation';

function filtersOf(decision: Exclude<RouteDecision, { kind: 'notFound' }>): FilterConfigs | undefined {
  return decision.kind === 'forward' ? decision.filters : decision.route?.filters;
}
