// TLS towards clients: handshake on an accepted socket, client certificates checked, what was learnt handed
// on.
import type { X509Certificate } from 'node:crypto';
import type net from 'node:net';
import { TLSSocket } from 'node:tls';
import type { ConnectionTls, PeerCertificateInfo } from '../decide/connection-info.ts';
import type { DownstreamTlsPlan } from '../plan/tls/downstream-tls-plan.ts';
import type { HandshakeFailure } from './handshake-report.ts';
import { readSans } from './san.ts';
import type { SecretStore } from './secret-store.ts';
import { TlsContext } from './tls-context.ts';
import { distrust } from './trust.ts';

export interface HandshakeResult {
  secured(socket: TLSSocket, alpn: string | undefined, tls: ConnectionTls): void;
  failed(failure: HandshakeFailure): void;
}

export class DownstreamTls {
  readonly #plan: DownstreamTlsPlan;
  readonly #context: TlsContext;

  /** What is wrong with the bytes that the plan names becomes a problem: then it lets nobody in. */
  constructor(plan: DownstreamTlsPlan, secrets: SecretStore, problems: string[]) {
    this.#plan = plan;
    this.#context = new TlsContext(plan.tls, secrets, problems);
  }

  /** Whether it is not to be waited for. */
  get settled(): boolean {
    return this.#context.settled;
  }

  /**
   * The socket must be paused with what was read of it put back. `offered` are the protocols of the client's
   * hello.
   */
  handshake(
    socket: net.Socket,
    offered: readonly string[],
    timeoutMs: number,
    result: HandshakeResult,
  ): void {
    let secure: TLSSocket;
    try {
      secure = new TLSSocket(socket, {
        isServer: true,
        secureContext: this.#context.context(),
        requestCert: this.#plan.requiresCertificate || this.#context.trust !== undefined,
        rejectUnauthorized: this.#plan.requiresCertificate,
        // node:tls refuses a client that offers no common protocol; Envoy goes on without one.
        ...(offered.some((protocol) => this.#plan.tls.alpn.includes(protocol))
          ? { ALPNProtocols: [...this.#plan.tls.alpn] }
          : {}),
      });
    } catch (error) {
      socket.destroy();
      result.failed({ kind: 'error', detail: error instanceof Error ? error.message : String(error) });
      return;
    }
    const timer =
      timeoutMs > 0
        ? setTimeout(() => fail({ kind: 'timeout', detail: `not done after ${timeoutMs} ms` }), timeoutMs)
        : undefined;
    let over = false;
    const fail = (failure: HandshakeFailure): void => {
      if (over) return;
      over = true;
      clearTimeout(timer);
      secure.destroy();
      result.failed(failure);
    };
    secure.on('error', (error: Error) => fail(failureOf(error)));
    const gone = (): void => fail({ kind: 'error', detail: 'the client closed the connection' });
    secure.on('close', gone);
    // Half-open as the socket is, it stays otherwise when its client ends in the middle of the handshake.
    secure.once('end', gone);
    secure.once('secure', () => {
      const problem = this.#verify(secure);
      if (problem !== undefined) return fail(problem);
      over = true;
      clearTimeout(timer);
      // tls.Server does this for its sockets; node:http2 waits for it.
      (secure as unknown as { secureConnecting: boolean }).secureConnecting = false;
      const alpn = secure.alpnProtocol || undefined;
      result.secured(secure, alpn, this.#facts(secure));
    });
  }

  /** node:tls verifies by itself only under a tls.Server. */
  #verify(socket: TLSSocket): HandshakeFailure | undefined {
    if (this.#plan.requiresSni && typeof socket.servername !== 'string')
      return { kind: 'error', detail: 'no SNI' };
    const certificate = socket.getPeerX509Certificate();
    if (!certificate)
      return this.#plan.requiresCertificate
        ? { kind: 'no-certificate', detail: 'no client certificate' }
        : undefined;
    const trust = this.#context.trust;
    if (!trust) return undefined;
    const error = (
      socket as unknown as { ssl?: { verifyError(): (Error & { code?: string }) | null } }
    ).ssl?.verifyError();
    const kind = distrust(trust, certificate, error ? (error.code ?? error.message) : undefined);
    return (
      kind && {
        kind,
        detail: `${reasons[kind]}${kind === 'verify' && error ? `: ${error.message}` : ''} (${certificate.subject})`,
      }
    );
  }

  #facts(socket: TLSSocket): ConnectionTls {
    const own = socket.getX509Certificate();
    const sni = socket.servername;
    return {
      sni: typeof sni === 'string' && sni !== '' ? sni : undefined,
      version: socket.getProtocol() ?? '',
      cipher: socket.getCipher()?.standardName ?? '',
      peer: peerOf(this.#context.trust ? socket.getPeerX509Certificate() : undefined),
      localNames: readSans(own?.subjectAltName),
    };
  }
}

/** Why a certificate is not accepted, for people. */
export const reasons = {
  verify: 'the certificate is not trusted',
  san: 'none of the names in the certificate is an expected one',
  hash: 'the certificate is not one of those that are pinned',
} as const;

function failureOf(error: Error & { code?: string }): HandshakeFailure {
  return {
    kind: error.code === 'ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE' ? 'no-certificate' : 'error',
    detail: error.message,
  };
}

function peerOf(certificate: X509Certificate | undefined): PeerCertificateInfo | undefined {
  if (!certificate) return undefined;
  return {
    names: readSans(certificate.subjectAltName),
    subject: rfc2253(certificate.subject),
    issuer: rfc2253(certificate.issuer),
    sha256: certificate.fingerprint256.replaceAll(':', '').toLowerCase(),
    pem: certificate.toString(),
    serial: certificate.serialNumber.toLowerCase(),
  };
}

/** Node prints one attribute a line in the order of the certificate; RFC 2253 wants the reverse. */
function rfc2253(name: string | undefined): string {
  return (name ?? '')
    .split('\n')
    .filter((line) => line !== '')
    .reverse()
    .join(',');
}
