// What formats such as %DOWNSTREAM_REMOTE_ADDRESS% can see of a client's connection; computed only when asked.

import { formatAddress } from '../codec/address.ts';
import { peerText } from '../codec/wire-text.ts';
import type { ConnectionInfo } from '../decide/connection-info.ts';
import type { TlsNames } from '../format/format-context.ts';

export class ConnectionFacts {
  readonly connection: ConnectionInfo;
  /** The client after trusted proxies. */
  clientIp: string;

  constructor(connection: ConnectionInfo) {
    this.connection = connection;
    this.clientIp = connection.remoteIp;
  }

  get downstreamRemoteAddress(): string {
    const { remoteIp, remotePort } = this.connection;
    return this.clientIp === remoteIp ? formatAddress(remoteIp, remotePort) : formatAddress(this.clientIp, 0);
  }

  get downstreamDirectRemoteAddress(): string {
    return formatAddress(this.connection.remoteIp, this.connection.remotePort);
  }

  get downstreamLocalAddress(): string {
    return formatAddress(this.connection.localIp, this.connection.localPort);
  }

  get connectionId(): number {
    return this.connection.id;
  }

  get serverName(): string | undefined {
    const name = this.connection.serverName;
    return name === undefined ? undefined : peerText(name);
  }

  get downstreamTls(): TlsNames | undefined {
    const { tls } = this.connection;
    if (!tls) return undefined;
    const { peer } = tls;
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
