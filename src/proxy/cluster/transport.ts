// How bytes get to a host: plain, or TLS with the right name, certificate and trust.
import tls, { type PeerCertificate, type TLSSocket } from 'node:tls';
import { fromBinary } from '@bufbuild/protobuf';
import type { TransportSocket } from '@meltemi/envoy-api/envoy/config/core/v3/base';
import { UpstreamTlsContextSchema } from '@meltemi/envoy-api/envoy/extensions/transport_sockets/tls/v3/tls';
import { type DialOptions, dialPlain, SocketWire, type Wire } from '../net/wire.ts';
import { readSans } from '../tls/san.ts';
import type { SecretRef, SecretStore } from '../tls/secret-store.ts';
import { TlsPlan } from '../tls/tls-plan.ts';

export interface ConnectRequest extends DialOptions {
  readonly timeoutMs: number;
  /** Offered when the transport socket names no protocols of its own. */
  readonly alpn: readonly string[];
  readonly sni: string | undefined;
  /** A DNS name that the certificate must bear, besides the configured check. */
  readonly verifyName: string | undefined;
}

export interface ConnectResult {
  connected(wire: Wire, alpn: string | undefined): void;
  failed(detail: string, timedOut: boolean): void;
}

export interface Transport {
  readonly secure: boolean;
  readonly ready: boolean;
  readonly secrets: readonly SecretRef[];
  /** Returns a function that gives the attempt up. */
  connect(request: ConnectRequest, result: ConnectResult): () => void;
}

export const rawTransport: Transport = {
  secure: false,
  ready: true,
  secrets: [],
  connect: (request, result) => dial(request, result, (wire, settle) => void (settle() && result.connected(wire, undefined))),
};

export function compileTransport(socket: TransportSocket | undefined, secrets: SecretStore, problems: string[]): Transport {
  if (!socket) return rawTransport;
  const any = socket.configType.case === 'typedConfig' ? socket.configType.value : undefined;
  if (socket.name === 'envoy.transport_sockets.raw_buffer' || any?.typeUrl.endsWith('.RawBuffer')) return rawTransport;
  if (!any?.typeUrl.endsWith('.UpstreamTlsContext')) {
    problems.push(`transport socket ${socket.name} is not supported`);
    return rawTransport;
  }
  const context = fromBinary(UpstreamTlsContextSchema, any.value);
  return new TlsTransport(new TlsPlan(context.commonTlsContext, secrets, problems), context.sni);
}

class TlsTransport implements Transport {
  readonly secure = true;
  readonly #plan: TlsPlan;
  readonly #sni: string;

  constructor(plan: TlsPlan, sni: string) {
    this.#plan = plan;
    this.#sni = sni;
  }

  get ready(): boolean {
    return this.#plan.ready;
  }

  get secrets(): readonly SecretRef[] {
    return this.#plan.secrets;
  }

  connect(request: ConnectRequest, result: ConnectResult): () => void {
    if (!this.ready) {
      queueMicrotask(() => result.failed('TLS error: Secret is not supplied by SDS', false));
      return () => undefined;
    }
    return dial(request, result, (wire, settle) => this.#secure(wire, request, result, settle));
  }

  #secure(plain: SocketWire, request: ConnectRequest, result: ConnectResult, settle: (detail?: string) => boolean): void {
    const sni = request.sni ?? this.#sni;
    let socket: TLSSocket;
    try {
      socket = tls.connect({
        socket: plain.socket,
        secureContext: this.#plan.context(),
        ...(sni === '' ? {} : { servername: sni }),
        ALPNProtocols: [...(this.#plan.alpn.length > 0 ? this.#plan.alpn : request.alpn)],
        rejectUnauthorized: this.#plan.trusted,
        checkServerIdentity: (_host: string, certificate: PeerCertificate) => this.#check(certificate, request.verifyName),
        allowHalfOpen: true,
      } as tls.ConnectionOptions);
    } catch (error) {
      settle(`TLS error: ${error instanceof Error ? error.message : ''}`);
      plain.destroy();
      return;
    }
    socket.once('error', (error: Error) => settle(`TLS error: ${error.message}`));
    socket.once('close', () => settle('connection closed during the TLS handshake'));
    socket.once('secureConnect', () => {
      if (!settle()) return void socket.destroy();
      result.connected(new SocketWire(socket, socket, false), socket.alpnProtocol || undefined);
    });
  }

  #check(certificate: PeerCertificate, verifyName: string | undefined): Error | undefined {
    const names = readSans(certificate.subjectaltname);
    const check = this.#plan.sanCheck;
    if (check && !check(names)) return new Error('verify SAN list');
    return verifyName === undefined || check ? undefined : tls.checkServerIdentity(verifyName, certificate);
  }
}

/** Opens the TCP connection; `next` runs once it stands, with a function that ends the wait (true when it had not ended before). */
function dial(
  request: ConnectRequest,
  result: ConnectResult,
  next: (wire: SocketWire, settle: (detail?: string) => boolean) => void,
): () => void {
  const wire = dialPlain(request);
  let settled = false;
  const timer = setTimeout(() => settle('connection timeout', true), request.timeoutMs);
  const settle = (detail?: string, timedOut = false): boolean => {
    if (settled) return false;
    settled = true;
    clearTimeout(timer);
    if (detail === undefined) return true;
    wire.destroy();
    result.failed(detail, timedOut);
    return true;
  };
  const early = (error: Error): void => void settle(describe(error));
  wire.socket.once('error', early);
  wire.socket.once('close', () => settle('connection closed'));
  wire.socket.once('connect', () => {
    if (settled) return;
    next(wire, settle);
  });
  return () => {
    if (!settled) {
      settled = true;
      clearTimeout(timer);
      wire.destroy();
    }
  };
}

function describe(error: Error & { code?: string }): string {
  switch (error.code) {
    case 'ECONNREFUSED':
      return 'delayed connect error: Connection refused';
    case 'ECONNRESET':
      return 'delayed connect error: Connection reset by peer';
    case 'EHOSTUNREACH':
      return 'delayed connect error: No route to host';
    case 'ENETUNREACH':
      return 'immediate connect error: Network is unreachable';
    default:
      return `delayed connect error: ${error.message}`;
  }
}
