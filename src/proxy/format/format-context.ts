// What configured text with operators can tell of an exchange.
import type { Millis } from '../../base/index.ts';
import type { HeaderView, RequestView } from '../codec/http/request-view.ts';

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
