// TLS to a host.
import tls, { type TLSSocket } from 'node:tls';
import { SocketWire } from '../../net/wire.ts';
import { reasons } from '../../tls/downstream-tls.ts';
import type { HandshakeFailure, HandshakeReport } from '../../tls/handshake-report.ts';
import type { TlsContext } from '../../tls/tls-context.ts';
import { distrust } from '../../tls/trust.ts';
import { type Closable, dial, type Settle } from './dial.ts';
import type { ConnectRequest, ConnectResult, Transport } from './transport.ts';

export class TlsTransport implements Transport {
  readonly secure = true;
  readonly tellsClient = false;
  readonly #context: TlsContext;
  readonly #sni: string;
  readonly #report: HandshakeReport;

  constructor(context: TlsContext, sni: string, report: HandshakeReport) {
    this.#context = context;
    this.#sni = sni;
    this.#report = report;
  }

  get settled(): boolean {
    return this.#context.settled;
  }

  connect(request: ConnectRequest, result: ConnectResult): () => void {
    if (!this.#context.ready) {
      queueMicrotask(() => result.failed('TLS error: Secret is not supplied by SDS', false));
      return () => undefined;
    }
    return dial(request, result, (wire, settle) => this.#secure(wire, request, result, settle));
  }

  #secure(
    plain: SocketWire,
    request: ConnectRequest,
    result: ConnectResult,
    settle: Settle,
  ): Closable | undefined {
    const sni = request.sni ?? this.#sni;
    const fail = (failure: HandshakeFailure): void => {
      if (settle(`TLS error: ${failure.detail}`))
        this.#report.failed(failure, `${request.host}:${request.port}`);
    };
    let socket: TLSSocket;
    try {
      socket = tls.connect({
        socket: plain.socket,
        secureContext: this.#context.context(),
        ...(sni === '' ? {} : { servername: sni }),
        ALPNProtocols: [...(this.#context.plan.alpn.length > 0 ? this.#context.plan.alpn : request.alpn)],
        // Decided below, over all that the configuration asks for.
        rejectUnauthorized: false,
        checkServerIdentity: () => undefined,
        allowHalfOpen: true,
      } as tls.ConnectionOptions);
    } catch (error) {
      fail({ kind: 'error', detail: error instanceof Error ? error.message : String(error) });
      return undefined;
    }
    socket.once('error', (error: Error) => fail({ kind: 'error', detail: error.message }));
    const closed = (): void => fail({ kind: 'error', detail: 'connection closed during the TLS handshake' });
    socket.once('close', closed);
    socket.once('end', closed);
    socket.once('secureConnect', () => {
      const failure = this.#verify(socket, request.verifyName);
      if (failure) {
        fail(failure);
      } else if (settle()) {
        this.#report.succeeded(true);
        result.connected(new SocketWire(socket, socket, false), socket.alpnProtocol || undefined);
      } else socket.destroy();
    });
    return socket;
  }

  #verify(socket: TLSSocket, verifyName: string | undefined): HandshakeFailure | undefined {
    const trust = this.#context.trust;
    const certificate = socket.getPeerX509Certificate();
    if (!trust) return undefined;
    if (!certificate) return { kind: 'no-certificate', detail: 'the host has no certificate' };
    // Typed as an Error, and its code in fact.
    const chain = socket.authorizationError as unknown as string | Error | undefined;
    const kind = distrust(trust, certificate, chain ? String(chain) : undefined);
    if (kind) return { kind, detail: `${reasons[kind]}${kind === 'verify' ? `: ${String(chain)}` : ''}` };
    if (verifyName === undefined || trust.names) return undefined;
    const error = tls.checkServerIdentity(verifyName, socket.getPeerCertificate());
    return error && { kind: 'san', detail: error.message };
  }
}
