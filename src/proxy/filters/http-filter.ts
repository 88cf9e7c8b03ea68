// The shape of an HTTP filter: how the configuration names it, what it plans from its messages, and what it
// does with a request and its response.
// https://www.envoyproxy.io/docs/envoy/latest/intro/arch_overview/http/http_filters
import type { DescMessage } from '@bufbuild/protobuf';
import type { Headers } from '../codec/http/headers.ts';
import type { Responder } from '../codec/http/message-contract.ts';
import type { Request } from '../codec/http/request.ts';
import type { ConnectionInfo } from '../decide/connection-info.ts';
import type { LocalReply } from '../decide/local-reply.ts';
import type { RouteDecision } from '../decide/route/decision.ts';
import type { FilterPlanner, Kinded } from '../plan/filter-catalog.ts';
import type { Codings } from './coding/codings.ts';

/** `P`: its plan; `R`: its plan for a route. Both carry the filter's `kind`. */
export interface HttpFilterDefinition<P extends Kinded, R extends Kinded> {
  readonly kind: P['kind'] & R['kind'];
  /** Under which routes configure it where the connection manager says nothing else. */
  readonly name: string;
  /** That configure it. */
  readonly messages: readonly DescMessage[];
  plan(message: Uint8Array, problems: string[]): P;
  /** That configure it for a route. */
  readonly routeMessages?: readonly DescMessage[];
  planRoute?(message: Uint8Array, problems: string[]): R;
  /** Once for a connection manager. Undefined when there is nothing that it could ever do. */
  open(plan: P, scope: FilterScope): OpenFilter<R> | undefined;
}

/** What all requests of a connection manager share. */
export interface OpenFilter<R> {
  /** It has nothing to do where a route has no plan for it. */
  readonly onlyByRoute: boolean;
  /** What it does in one request; undefined for nothing. */
  stream(context: StreamContext, route: R | undefined): StreamFilter | undefined;
}

/** One request and its response. What is left out costs nothing. */
export interface StreamFilter {
  /** `stop`: it has answered, or goes on later by `resume`. */
  requestHead?(context: StreamContext): 'continue' | 'stop';
  /** Stands before the given end of the request's body and trailers. */
  requestBody?(onward: RequestSink): RequestSink;
  /** Changes the head of a response; those of the proxy itself pass here too. */
  responseHead?(status: number, headers: Headers): void;
  /** Stands before what takes the response's body and trailers. */
  response?(onward: Responder): Responder;
  /** The client can take more of the response. */
  writable?(): void;
  /** The exchange is over, in whatever way. */
  end?(): void;
}

export interface RequestSink {
  /** The chunk is borrowed for the call. */
  body(chunk: Buffer, end: boolean): void;
  trailers(trailers: Headers): void;
  flush(): void;
}

export interface FilterScope {
  /** `http.PREFIX.` of the connection manager. */
  readonly statPrefix: string;
  counter(name: string): Counter;
  readonly codings: Codings;
  readonly proxy: FilterProxy;
}

export interface Counter {
  value: number;
}

/** The proxy around a filter. */
export interface FilterProxy {
  readonly random: () => number;
  readonly nodeCluster: string;
  /** Requests that a fault holds up at this moment. */
  readonly activeFaults: Counter;
  readonly draining: () => boolean;
  /** Its administrator wants health checks to fail. */
  readonly healthFailing: () => boolean;
  /** Hosts of a cluster; none for a cluster that there is not. */
  readonly hostsOf: (cluster: string) => { readonly total: number; readonly healthy: number };
}

/** One request, as seen by filters. */
export interface StreamContext {
  readonly request: Request;
  readonly info: ConnectionInfo;
  readonly clientIp: string;
  readonly decision: RouteDecision;
  /** Dynamic metadata by namespace. */
  readonly metadata: Readonly<Record<string, unknown>>;
  setMetadata(namespace: string, fields: Readonly<Record<string, unknown>>): void;
  /** The request goes on as gRPC, whatever it came as. */
  becomesGrpc(): void;
  /** Adds one of Envoy's response flags. */
  flag(flag: string): void;
  /** The request asks for the health of this proxy. */
  isHealthCheck(): void;
  /** Answers in place of the upstream; ends the forward when there is one. */
  reply(reply: LocalReply): void;
  /** Goes on with the next filter after a `stop`. */
  resume(): void;
  /** Sends the request where its route says, or answers as the route says. */
  carryOut(options: { readonly envoyHeaders: boolean }): void;
  after(ms: number, run: () => void): Timer;
  /** What was paused may send more of the response. */
  responseWritable(): void;
}

export interface Timer {
  cancel(): void;
}

/** A filter whose types of plans are its own affair. */
export interface HttpFilter {
  readonly kind: string;
  readonly name: string;
  readonly messages: readonly DescMessage[];
  readonly routeMessages: readonly DescMessage[];
  readonly plan: FilterPlanner;
  readonly planRoute: FilterPlanner;
  open(plan: Kinded, scope: FilterScope): OpenFilter<Kinded> | undefined;
}

export function httpFilter<P extends Kinded, R extends Kinded>(
  definition: HttpFilterDefinition<P, R>,
): HttpFilter {
  const { kind, name, messages, routeMessages = [] } = definition;
  const isPlan = (plan: Kinded): plan is P => plan.kind === kind;
  const isRoutePlan = (plan: Kinded): plan is R => plan.kind === kind;
  return {
    kind,
    name,
    messages,
    routeMessages,
    plan: (message, problems) => definition.plan(message, problems),
    planRoute: (message, problems) => definition.planRoute?.(message, problems) ?? { kind: 'opaque' },
    open: (plan, scope) => {
      const open = isPlan(plan) ? definition.open(plan, scope) : undefined;
      return (
        open && {
          onlyByRoute: open.onlyByRoute,
          stream: (context, route) => open.stream(context, route && isRoutePlan(route) ? route : undefined),
        }
      );
    },
  };
}
