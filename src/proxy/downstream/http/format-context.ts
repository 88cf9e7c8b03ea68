// What header formats such as %REQ(...)% can see of an exchange; computed only when a format asks.

import type { Request } from '../../codec/http/request.ts';
import type { ConnectionInfo } from '../../decide/connection-info.ts';
import { type FormatContext, type HeaderView, peerText, type TlsNames } from '../../decide/route/index.ts';
import { formatAddress } from '../../net/address.ts';

export class ExchangeContext implements FormatContext {
  readonly request: Request;
  readonly #connection: ConnectionInfo;
  readonly #clientIp: string;
  response?: HeaderView;
  routeName?: string;
  clusterName?: string;
  virtualHostName?: string;
  upstreamRemoteAddress?: string;
  upstreamHostname?: string;
  responseCode?: number;
  responseFlags?: string;
  responseCodeDetails?: string;
  attemptCount?: number;
  readonly startTime = Date.now();

  constructor(request: Request, connection: ConnectionInfo, clientIp: string) {
    this.request = request;
    this.#connection = connection;
    this.#clientIp = clientIp;
  }

  get downstreamRemoteAddress(): string {
    const connection = this.#connection;
    return this.#clientIp === connection.remoteIp
      ? formatAddress(connection.remoteIp, connection.remotePort)
      : formatAddress(this.#clientIp, 0);
  }

  get downstreamDirectRemoteAddress(): string {
    return formatAddress(this.#connection.remoteIp, this.#connection.remotePort);
  }

  get downstreamLocalAddress(): string {
    return formatAddress(this.#connection.localIp, this.#connection.localPort);
  }

  get protocol(): string {
    return this.request.protocol === 'h2' ? 'HTTP/2' : this.request.protocol.toUpperCase();
  }

  get connectionId(): number {
    return this.#connection.id;
  }

  get streamId(): string | undefined {
    return this.request.headers.get('x-request-id');
  }

  get serverName(): string | undefined {
    const name = this.#connection.serverName;
    return name === undefined ? undefined : peerText(name);
  }

  get downstreamTls(): TlsNames | undefined {
    const tls = this.#connection.tls;
    if (!tls) return undefined;
    const peer = tls.peer;
    return {
      localUriSans: tls.localNames.uris.map(peerText),
      localDnsSans: tls.localNames.dns.map(peerText),
      version: tls.version,
      cipher: tls.cipher,
      ...(peer
        ? {
            peerUriSans: peer.names.uris.map(peerText),
            peerDnsSans: peer.names.dns.map(peerText),
            peerSubject: peerText(peer.subject),
            peerIssuer: peerText(peer.issuer),
            peerFingerprint256: peer.sha256,
            peerSerial: peer.serial,
          }
        : {}),
    };
  }
}
