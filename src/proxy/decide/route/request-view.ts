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
  readonly response?: HeaderView;
  readonly trailers?: HeaderView;
  readonly routeName?: string;
  readonly clusterName?: string;
  readonly virtualHostName?: string;
  /** Addresses as `ip:port` (`[ip]:port` for IPv6). */
  readonly downstreamRemoteAddress?: string;
  readonly downstreamDirectRemoteAddress?: string;
  readonly downstreamLocalAddress?: string;
  readonly upstreamRemoteAddress?: string;
  readonly upstreamLocalAddress?: string;
  readonly upstreamHostname?: string;
  readonly protocol?: string;
  readonly upstreamProtocol?: string;
  readonly startTime?: Millis;
  readonly duration?: Millis;
  readonly responseCode?: number;
  readonly responseCodeDetails?: string;
  readonly responseFlags?: string;
  readonly bytesReceived?: number;
  readonly bytesSent?: number;
  readonly attemptCount?: number;
  readonly connectionId?: number;
  readonly streamId?: string;
  readonly hostname?: string;
  readonly serverName?: string;
  readonly downstreamTls?: TlsNames;
  readonly upstreamTls?: TlsNames;
  readonly metadata?: Readonly<Record<string, unknown>>;
  readonly upstreamMetadata?: Readonly<Record<string, unknown>>;
  readonly filterState?: ReadonlyMap<string, string>;
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
