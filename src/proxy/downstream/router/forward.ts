// The router: sends a request to a host of its cluster, within timeouts, again where the retry policy says
// so, and copies to mirrors.

import { formatAddress } from '../../codec/address.ts';
import type { Headers } from '../../codec/http/headers.ts';
import type { ResetReason } from '../../codec/http/message-contract.ts';
import type { LocalReply } from '../../decide/local-reply.ts';
import { causes, lateResetCause, type ReplyCause, resetCause, resetText } from '../../decide/reply-cause.ts';
import {
  type ForwardDecision,
  finalizeRequestHeaders,
  finalizeResponseHeaders,
  type HashResult,
  type RetryOutcome,
  requestHash,
  requestRetry,
  requestTimeouts,
  rewriteAuthority,
} from '../../decide/route/index.ts';
import type { Clock, Timer } from '../../net/clock.ts';
import type { RetryPlan } from '../../plan/route/retry.ts';
import type { TimeoutPlan } from '../../plan/route/timeout.ts';
import type { Cluster } from '../../upstream/cluster.ts';
import { type DynamicHosts, type Lookup, namedIn } from '../../upstream/dynamic-hosts.ts';
import type { Host } from '../../upstream/host.ts';
import { Attempt } from '../../upstream/http/attempt.ts';
import type { Try, TryOwner } from '../../upstream/http/try.ts';
import type { Answerable } from './answerable.ts';
import { BodyBuffer } from './body-buffer.ts';
import { chooseHost } from './choose-host.ts';
import { type Mirror, startMirrors } from './mirror.ts';
import { RetryState } from './retry-state.ts';

export class Forward implements TryOwner {
  readonly stream: Answerable;
  readonly decision: ForwardDecision;
  readonly #envoyHeaders: boolean;
  #cluster: Cluster | undefined;
  #retryPlan: RetryPlan | undefined;
  #retry: RetryState | undefined;
  readonly #body: BodyBuffer;
  #timeouts: TimeoutPlan | undefined;
  #hash: HashResult | undefined;
  #attempt: Attempt | undefined;
  #attempts = 0;
  #tried: Host[] = [];
  #found: Host | undefined;
  #mirrors: readonly Mirror[] = [];
  #replayed = false;
  #timer: Timer | undefined;
  #backoff: Timer | undefined;
  #interim = false;
  #over = false;

  constructor(stream: Answerable, decision: ForwardDecision, envoyHeaders: boolean) {
    this.stream = stream;
    this.decision = decision;
    this.#envoyHeaders = envoyHeaders;
    this.#body = new BodyBuffer(decision.route.requestBufferLimit, (on) => stream.readRequest(on));
  }

  start(end: boolean, full: string | undefined): void {
    const { stream, decision } = this;
    const route = decision.route;
    const env = stream.connection.env;
    const cluster = env.cluster(decision.cluster);
    if (!cluster) {
      this.#fail(route.clusterNotFoundStatus, '', causes.noCluster);
      return;
    }
    this.#cluster = cluster;
    const request = stream.request;
    this.#timeouts = requestTimeouts(route.timeouts, request, {
      trusted: stream.internal,
      grpc: stream.grpc,
    });
    this.#retryPlan = requestRetry(route.retry, request, { trusted: stream.internal });
    if (this.#retryPlan) this.#retry = this.#retryState(this.#retryPlan, cluster);
    if (route.hash) this.#hash = requestHash(route.hash, request, this.#hashContext());
    finalizeRequestHeaders(decision, request, stream.exchange, this.#envoyHeaders);
    this.#announce();
    this.#body.begin(end, full);
    if (route.includeAttemptCount) request.headers.set('x-envoy-attempt-count', '1');
    if (decision.mirrors.length > 0)
      this.#mirrors = startMirrors(decision.mirrors, request, {
        env,
        end,
        full,
        info: stream.connection.info,
      });
    if (end) this.#startTimer();
    stream.limit(this.#timeouts.idle, this.#timeouts.maxStream);
    if (cluster.dynamic) this.#lookUp(cluster.dynamic);
    else this.#try();
  }

  body(chunk: Buffer, end: boolean): void {
    if (this.#over) return;
    for (const mirror of this.#mirrors) mirror.send(chunk, end);
    this.#body.add(chunk, end, this.#attempt);
    if (end) this.#startTimer();
  }

  trailers(trailers: Headers): void {
    if (this.#over) return;
    for (const mirror of this.#mirrors) mirror.send(Buffer.alloc(0), true);
    this.#body.end(trailers, this.#attempt);
    this.#startTimer();
  }

  flushRequest(): void {
    this.#attempt?.sendFlush();
  }

  readResponse(on: boolean): void {
    this.#attempt?.readResponse(on);
  }

  abort(): void {
    this.#attempt?.cancel();
    this.#attempt = undefined;
    this.#end();
  }

  // What an attempt reports.

  /**
   * The attempt has a connection: it takes the body from here on.
   */
  onConnected(attempt: Try, begin: (end: boolean, full: string | undefined) => void): void {
    if (attempt !== this.#attempt) return;
    this.#body.send(attempt, begin);
    if (!this.#retry) this.#body.drop();
    this.#body.pause(false);
  }

  onWritable(): void {
    this.#body.pause(false);
  }

  /** The first 100, 102 or 103 is passed on; once the client has seen one there are no retries. */
  onInterim(attempt: Try, status: number, headers: Headers): void {
    if (attempt !== this.#attempt || this.#interim || (status !== 100 && status !== 102 && status !== 103))
      return;
    this.#interim = true;
    this.#body.drop();
    this.stream.interim(status, headers);
  }

  onHead(attempt: Try, status: number, headers: Headers, end: boolean, full: string | undefined): void {
    if (attempt !== this.#attempt) return;
    const { stream, decision } = this;
    const cluster = this.#cluster;
    if (!cluster) return;
    stream.exchange.attempt?.counted(status);
    if (this.#mayRetry(responseOutcome(status, headers))) {
      attempt.cancel();
      this.#again();
      return;
    }
    this.#body.drop();
    if (this.#envoyHeaders) headers.set('x-envoy-upstream-service-time', String(Math.round(attempt.elapsed)));
    if (decision.route.includeAttemptCountInResponse)
      headers.set('x-envoy-attempt-count', String(this.#attempts));
    for (const cookie of this.#hash?.cookies ?? []) headers.add('set-cookie', cookie.setCookie);
    const { exchange } = stream;
    exchange.responseCode = status;
    exchange.responseCodeDetails = 'via_upstream';
    if (decision.route.responseHeaders.length > 0 || decision.weighted) {
      exchange.response = headers;
      finalizeResponseHeaders(decision, headers, exchange);
    }
    if (end) this.#end();
    stream.sendHead(status, headers, end, full);
  }

  onBody(attempt: Try, chunk: Buffer, end: boolean): void {
    if (attempt !== this.#attempt) return;
    if (end) this.#end();
    if (!this.stream.sendBody(chunk, end)) attempt.readResponse(false);
  }

  onTrailers(attempt: Try, trailers: Headers): void {
    if (attempt !== this.#attempt) return;
    this.#end();
    this.stream.sendTrailers(trailers);
  }

  onFailed(attempt: Try, reason: ResetReason, stale: boolean): void {
    if (attempt !== this.#attempt) return;
    this.#attempt = undefined;
    if (attempt.headSeen) {
      this.#end();
      this.stream.exchange.caused(lateResetCause(reason));
      this.stream.resetDownstream();
      return;
    }
    if (stale && this.#mayReplay()) {
      this.#attempts--;
      this.#try();
      return;
    }
    if (
      this.#retry &&
      this.#mayRetry({ kind: 'reset', reason: resetKinds[reason], requestStarted: attempt.started })
    ) {
      this.#again();
      return;
    }
    if (reason === 'overflow') {
      this.#fail(503, resetText(reason, this.#attempts), resetCause(reason), [
        ['x-envoy-overloaded', 'true'],
      ]);
      return;
    }
    this.#fail(
      reason === 'protocol-error' ? 502 : 503,
      resetText(reason, this.#attempts),
      resetCause(reason, this.stream.exchange.attempt?.transportFailure),
    );
  }

  onTryTimeout(attempt: Try): void {
    if (attempt !== this.#attempt) return;
    this.#attempt = undefined;
    if (attempt.headSeen) {
      this.#end();
      this.stream.resetDownstream();
      return;
    }
    if (this.#mayRetry({ kind: 'reset', reason: 'timeout', requestStarted: true })) {
      this.#again();
      return;
    }
    this.#fail(504, 'upstream request timeout', causes.tryTimeout);
  }

  /** The name that the request is for becomes its host before the first try; later tries go there as well. */
  #lookUp(hosts: DynamicHosts): void {
    const secure = this.#cluster?.transports.own.secure ?? false;
    const named = namedIn(this.stream.request.authority, secure ? 443 : 80);
    const failed: Lookup = { kind: 'unknown' };
    const done = (lookup: Lookup): void => {
      if (this.#over) return;
      if (lookup.kind === 'found') {
        this.#found = lookup.host;
        this.#try();
        this.flushRequest();
      } else
        this.#fail(
          503,
          lookup.kind === 'overflow' ? 'DNS cache overflow' : 'DNS resolution failure',
          causes.dns,
        );
    };
    if (named) hosts.find(named, done);
    else done(failed);
  }

  onLastedTooLong(attempt: Try): void {
    if (attempt !== this.#attempt) return;
    this.#attempt = undefined;
    if (attempt.headSeen) {
      this.#end();
      this.stream.resetDownstream();
    } else if (this.#mayRetry({ kind: 'reset', reason: 'localReset', requestStarted: true })) this.#again();
    else
      this.#fail(
        this.#body.complete ? 504 : 408,
        'upstream max stream duration reached',
        causes.upstreamDuration,
      );
  }

  #try(): void {
    const cluster = this.#cluster;
    if (!cluster) return;
    this.#attempts++;
    const { stream, decision } = this;
    stream.exchange.attemptCount = this.#attempts;
    const request = stream.request;
    const choice = { stream, decision, hash: this.#hash?.hash, retry: this.#retryPlan, tried: this.#tried };
    const host = this.#found ?? chooseHost(cluster, choice);
    if (!host) {
      cluster.stats.noHealthy.value++;
      this.#fail(503, 'no healthy upstream', causes.noHealthy);
      return;
    }
    if (this.#retry) this.#tried.push(host);
    if (decision.route.includeAttemptCount)
      request.headers.set('x-envoy-attempt-count', String(this.#attempts));
    if (decision.route.hostRewrite.kind === 'auto' && host.hostname !== '' && this.#attempts === 1)
      rewriteAuthority(request, host.fieldName, {
        appendForwardedHost: decision.route.appendForwardedHost,
        keepOriginal: true,
      });
    const attempt = new Attempt(this, cluster, host, request);
    this.#attempt = attempt;
    attempt.start({ idle: this.#timeouts?.perTryIdle ?? 0 });
    if (this.#body.complete) attempt.limit(this.#timeouts?.perTry ?? 0);
  }

  get #clock(): Clock {
    return this.stream.connection.env.clock;
  }

  #hashContext(): { sourceIp: string; downstreamRemoteAddress: string; downstreamLocalAddress: string } {
    const info = this.stream.connection.info;
    return {
      sourceIp: this.stream.exchange.clientIp,
      downstreamRemoteAddress: formatAddress(info.remoteIp, info.remotePort),
      downstreamLocalAddress: formatAddress(info.localIp, info.localPort),
    };
  }

  /** Headers by which the upstream learns what the router does. */
  #announce(): void {
    const headers = this.stream.request.headers;
    const timeouts = this.#timeouts;
    if (this.#envoyHeaders && timeouts) {
      const expected = timeouts.perTry > 0 ? timeouts.perTry : timeouts.request;
      if (expected > 0) headers.set('x-envoy-expected-rq-timeout-ms', String(Math.round(expected)));
    }
    for (const cookie of this.#hash?.cookies ?? [])
      headers.set(
        'cookie',
        headers.has('cookie')
          ? `${headers.get('cookie')}; ${cookie.name}=${cookie.value}`
          : `${cookie.name}=${cookie.value}`,
      );
  }

  #retryState(plan: RetryPlan, cluster: Cluster): RetryState {
    const { connection, exchange } = this.stream;
    return new RetryState({
      plan,
      cluster,
      priority: this.decision.route.priority,
      random: connection.env.random,
      wall: connection.env.clock.wall,
      exhausted: () => exchange.flag('URX'),
    });
  }

  #mayRetry(outcome: RetryOutcome): boolean {
    if (!this.#retry || !this.#body.replayable || this.stream.request.upgrade !== undefined) return false;
    return this.#retry.allows(outcome);
  }

  /**
   * A host that closes idle connections may do so just when a request is on its way. A request that is safe
   * to repeat (RFC 9110 section 9.2.1) goes out once more, on another connection, whatever the retry policy
   * says.
   */
  #mayReplay(): boolean {
    const method = this.stream.request.method;
    if (this.#replayed || !this.#body.complete || !this.#body.empty) return false;
    this.#replayed = true;
    return method === 'GET' || method === 'HEAD' || method === 'OPTIONS';
  }

  #again(): void {
    if (!this.#retry) return;
    this.#attempt = undefined;
    this.#backoff = this.#clock.after(this.#retry.take(this.#attempts), () => {
      this.#try();
      this.flushRequest();
    });
  }

  #startTimer(): void {
    const limit = this.#timeouts?.request ?? 0;
    if (limit > 0 && !this.#timer && !this.#over)
      this.#timer = this.#clock.after(limit, () => this.#expired());
    this.#attempt?.limit(this.#timeouts?.perTry ?? 0);
  }

  #expired(): void {
    const attempt = this.#attempt;
    this.#attempt = undefined;
    if (this.#cluster) this.#cluster.stats.timeouts.value++;
    attempt?.timedOut();
    if (attempt?.headSeen) {
      this.#end();
      this.stream.exchange.caused(causes.timeout);
      this.stream.resetDownstream();
      return;
    }
    this.#fail(504, 'upstream request timeout', causes.timeout);
  }

  #fail(status: number, body: string, cause: ReplyCause, headers: LocalReply['headers'] = []): void {
    this.#end();
    this.stream.reply({ status, body, headers, cause });
  }

  #end(): void {
    if (this.#over) return;
    this.#over = true;
    this.#timer?.close();
    this.#backoff?.close();
    this.#retry?.end();
    this.#body.clear();
  }
}

const resetKinds = {
  'connect-failure': 'connectFailure',
  'connect-timeout': 'connectFailure',
  termination: 'remoteReset',
  'remote-reset': 'remoteReset',
  'refused-stream': 'refusedStream',
  'protocol-error': 'remoteReset',
  overflow: 'overflow',
  local: 'localReset',
} as const;

function responseOutcome(status: number, headers: Headers): RetryOutcome {
  const grpc = headers.get('grpc-status');
  return { kind: 'response', status, headers, ...(grpc === undefined ? {} : { grpcStatus: Number(grpc) }) };
}
