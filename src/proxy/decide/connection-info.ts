// What requests can know of the connection that brought them.

export interface ConnectionInfo {
  readonly id: number;
  readonly remoteIp: string;
  readonly remotePort: number;
  /** The address that the client dialled. */
  readonly localIp: string;
  readonly localPort: number;
  /** The kernel sent the connection here from the address above; otherwise that is the listener's own. */
  readonly redirected: boolean;
  /** How many times in a row the proxy has called itself to get here. */
  readonly hops: number;
  readonly tls: ConnectionTls | undefined;
  /** Asked for in the TLS handshake, whether it ends here or was only looked at. */
  readonly serverName: string | undefined;
}

export interface ConnectionTls {
  readonly sni: string | undefined;
  readonly version: string;
  readonly cipher: string;
  /** Absent when the client presented no certificate. */
  readonly peer: PeerCertificateInfo | undefined;
  readonly localNames: PeerNames;
}

/** Subject alternative names. */
export interface PeerNames {
  readonly uris: readonly string[];
  readonly dns: readonly string[];
  readonly others: readonly string[];
}

export interface PeerCertificateInfo {
  readonly names: PeerNames;
  /** RFC 2253. */
  readonly subject: string;
  readonly issuer: string;
  readonly sha256: string;
  readonly pem: string;
  readonly serial: string;
}
