// What decisions are made from: read-only views of a request, and what the runtime can tell about the
// exchange.
import type { Millis } from '../../../base/index.ts';

/**
 * Reads header lines by lower-case name, without pseudo headers. `get` is the first line; `getAll` every
 * line, each unsplit.
 */
export interface HeaderView {
  get(name: string): string | undefined;
  getAll(name: string): readonly string[];
}

/** The part of a request that decides. `path` is the `:path` header with its query, after normalisation. */
export interface RequestView extends HeaderView {
  readonly method: string;
  readonly path: string;
  readonly authority: string;
  readonly scheme: string;
}

/** What the choice may depend on besides the request. */
export interface RouteContext {
  /** In [0, 1). Drawn at most once for weighted clusters and once for each runtime fraction. */
  readonly random: () => number;
  readonly tls?: { readonly presented: boolean; readonly validated: boolean };
  /** Dynamic metadata by filter namespace. */
  readonly metadata?: Readonly<Record<string, unknown>>;
}

/**
 * A request or response on its way, for header mutations. Names are lower case; `:path` and `:authority` are
 * names too on a request.
 */
export interface MutableHeaders {
  get(name: string): string | undefined;
  set(name: string, value: string): void;
  /** Adds a line after the existing ones. */
  add(name: string, value: string): void;
  remove(name: string): void;
}

/** What `%...%` in configured headers can see. An absent value formats as empty and drops the header. */
export interface FormatContext {
  /** As it stands: earlier mutations show, on the response too. */
  readonly request: RequestView;
  readonly response?: HeaderView | undefined;
  readonly trailers?: HeaderView | undefined;
  readonly routeName?: string | undefined;
  readonly clusterName?: string | undefined;
  readonly virtualHostName?: string | undefined;
  /** Addresses as `ip:port` (`[ip]:port` for IPv6). */
  readonly downstreamRemoteAddress?: string | undefined;
  readonly downstreamDirectRemoteAddress?: string | undefined;
  readonly downstreamLocalAddress?: string | undefined;
  /** The host chosen, whether or not there was a connection to it. */
  readonly upstreamHost?: string | undefined;
  readonly upstreamRemoteAddress?: string | undefined;
  readonly upstreamLocalAddress?: string | undefined;
  readonly upstreamHostname?: string | undefined;
  readonly protocol?: string | undefined;
  readonly upstreamProtocol?: string | undefined;
  readonly startTime?: Millis | undefined;
  readonly duration?: Millis | undefined;
  readonly responseCode?: number | undefined;
  readonly responseCodeDetails?: string | undefined;
  readonly responseFlags?: string | undefined;
  readonly bytesReceived?: number | undefined;
  readonly bytesSent?: number | undefined;
  readonly requestHeadersBytes?: number | undefined;
  readonly responseHeadersBytes?: number | undefined;
  readonly responseTrailersBytes?: number | undefined;
  readonly moments?: Moments | undefined;
  readonly localReplyBody?: string | undefined;
  readonly connectionTerminationDetails?: string | undefined;
  readonly upstreamTransportFailureReason?: string | undefined;
  readonly downstreamTransportFailureReason?: string | undefined;
  readonly accessLogType?: string | undefined;
  readonly attemptCount?: number | undefined;
  readonly connectionId?: number | undefined;
  readonly streamId?: string | undefined;
  readonly hostname?: string | undefined;
  readonly serverName?: string | undefined;
  readonly downstreamTls?: TlsNames | undefined;
  readonly upstreamTls?: TlsNames | undefined;
  readonly metadata?: Readonly<Record<string, unknown>> | undefined;
  readonly upstreamMetadata?: Readonly<Record<string, unknown>> | undefined;
  readonly filterState?: ReadonlyMap<string, string> | undefined;
}

/** Of an exchange, in milliseconds of a steady clock; 0 for what has not come about. */
export interface Moments {
  readonly begun: number;
  /** The last byte of the request came in. */
  readonly requestDone: number;
  /** The first and the last byte of the request went to the upstream. */
  readonly upstreamBegun: number;
  readonly upstreamRequestDone: number;
  /** The first and the last byte of the response came from the upstream. */
  readonly firstFromUpstream: number;
  readonly lastFromUpstream: number;
  /** The first and the last byte of the response went out. */
  readonly firstToClient: number;
  readonly lastToClient: number;
}

export interface TlsNames {
  readonly peerUriSans?: readonly string[];
  readonly peerDnsSans?: readonly string[];
  readonly localUriSans?: readonly string[];
  readonly localDnsSans?: readonly string[];
  readonly peerSubject?: string;
  readonly localSubject?: string;
  readonly peerIssuer?: string;
  readonly peerFingerprint256?: string;
  readonly peerSerial?: string;
  readonly version?: string;
  readonly cipher?: string;
  readonly sessionId?: string;
}
