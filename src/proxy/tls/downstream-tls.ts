// TLS towards clients: handshake on an accepted socket, client certificates checked, what was learnt handed on.
import type { X509Certificate } from 'node:crypto';
import type net from 'node:net';
import { TLSSocket } from 'node:tls';
import { fromBinary } from '@bufbuild/protobuf';
import type { TransportSocket } from '@meltemi/envoy-api/envoy/config/core/v3/base';
import { DownstreamTlsContextSchema } from '@meltemi/envoy-api/envoy/extensions/transport_sockets/tls/v3/tls';
import type { ConnectionTls, PeerCertificateInfo } from '../http/connection-info.ts';
import { readSans } from './san.ts';
import type { SecretStore } from './secret-store.ts';
import { TlsPlan } from './tls-plan.ts';

export interface HandshakeResult {
  secured(socket: TLSSocket, alpn: string | undefined, tls: ConnectionTls): void;
  failed(detail: string): void;
}

export class DownstreamTls {
  readonly #plan: TlsPlan;
  readonly #requireCertificate: boolean;

  constructor(plan: TlsPlan, requireCertificate: boolean) {
    this.#plan = plan;
    this.#requireCertificate = requireCertificate;
  }

  get ready(): boolean {
    return this.#plan.ready;
  }

  /** The socket must be paused with what was read of it put back. `offered` are the protocols of the client's hello. */
  handshake(socket: net.Socket, offered: readonly string[], timeoutMs: number, result: HandshakeResult): void {
    let secure: TLSSocket;
    try {
      secure = new TLSSocket(socket, {
        isServer: true,
        secureContext: this.#plan.context(),
        requestCert: this.#requireCertificate || this.#plan.trusted,
        rejectUnauthorized: this.#requireCertificate,
        // node:tls refuses a client that offers no common protocol; Envoy goes on without one.
        ...(offered.some((protocol) => this.#plan.alpn.includes(protocol)) ? { ALPNProtocols: [...this.#plan.alpn] } : {}),
      });
    } catch (error) {
      socket.destroy();
      result.failed(error instanceof Error ? error.message : '');
      return;
    }
    const timer = timeoutMs > 0 ? setTimeout(() => fail('handshake timeout'), timeoutMs) : undefined;
    let over = false;
    const fail = (detail: string): void => {
      if (over) return;
      over = true;
      clearTimeout(timer);
      secure.destroy();
      result.failed(detail);
    };
    secure.on('error', (error: Error) => fail(error.message));
    secure.on('close', () => fail('closed'));
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
  #verify(socket: TLSSocket): string | undefined {
    const certificate = socket.getPeerX509Certificate();
    if (!certificate) return this.#requireCertificate ? 'no client certificate' : undefined;
    if (!this.#plan.trusted) return undefined;
    const error = (socket as unknown as { ssl?: { verifyError(): Error | null } }).ssl?.verifyError();
    if (error) return error.message;
    const check = this.#plan.sanCheck;
    return check && !check(readSans(certificate.subjectAltName)) ? 'verify SAN list' : undefined;
  }

  #facts(socket: TLSSocket): ConnectionTls {
    const own = socket.getX509Certificate();
    const sni = socket.servername;
    return {
      sni: typeof sni === 'string' && sni !== '' ? sni : undefined,
      version: socket.getProtocol() ?? '',
      cipher: socket.getCipher()?.standardName ?? '',
      peer: peerOf(this.#plan.trusted ? socket.getPeerX509Certificate() : undefined),
      localNames: readSans(own?.subjectAltName),
    };
  }
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

export function compileDownstreamTls(
  socket: TransportSocket | undefined,
  secrets: SecretStore,
  problems: string[],
): DownstreamTls | undefined {
  if (!socket) return undefined;
  const any = socket.configType.case === 'typedConfig' ? socket.configType.value : undefined;
  if (socket.name === 'envoy.transport_sockets.raw_buffer' || any?.typeUrl.endsWith('.RawBuffer')) return undefined;
  if (!any?.typeUrl.endsWith('.DownstreamTlsContext')) {
    problems.push(`transport socket ${socket.name} is not supported`);
    return undefined;
  }
  const context = fromBinary(DownstreamTlsContextSchema, any.value);
  return new DownstreamTls(new TlsPlan(context.commonTlsContext, secrets, problems), context.requireClientCertificate ?? false);
}
