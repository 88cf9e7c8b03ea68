// How bytes get to a host: plain, or TLS with the right name, certificate and trust.
import type net from 'node:net';
import type { ClientAddresses } from '../../codec/proxy-protocol.ts';
import type { DialOptions, Wire } from '../../net/wire.ts';

export interface ConnectRequest extends DialOptions {
  readonly timeoutMs: number;
  /** Offered when the transport socket names no protocols of its own. */
  readonly alpn: readonly string[];
  readonly sni: string | undefined;
  /** A DNS name that the certificate must bear, besides the configured check. */
  readonly verifyName: string | undefined;
  /** For transports that tell the host who it is for. */
  readonly client: ClientAddresses | undefined;
  /** Goes out before anything else. */
  readonly preamble?: (socket: net.Socket) => Buffer;
}

export interface ConnectResult {
  connected(wire: Wire, alpn: string | undefined): void;
  failed(detail: string, timedOut: boolean): void;
}

export interface Transport {
  readonly secure: boolean;
  /** Whether its cluster need not wait for it. */
  readonly settled: boolean;
  /** A connection is for one client: it begins with that client's address. */
  readonly tellsClient: boolean;
  /** Returns a function that gives the attempt up. */
  connect(request: ConnectRequest, result: ConnectResult): () => void;
}
