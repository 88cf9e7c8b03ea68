// Hands a connection to what its filter chain ends in: HTTP in one of its versions, or TCP.
import type net from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { ConnectionInfo } from '../../decide/connection-info.ts';
import type { ConnectionGuard } from '../../filters/network-filter.ts';
import { adoptAccepted, SocketWire } from '../../net/wire.ts';
import type { HttpEnvironment } from '../environment.ts';
import { HttpConnection } from '../http/connection.ts';
import type { HttpManager } from '../http/http-manager.ts';
import type { RunningTcpProxy } from '../tcp/running-tcp-proxy.ts';
import { TcpSession } from '../tcp/tcp-proxy.ts';
import { type Peek, peek } from './peek.ts';

/** What lives on a connection. */
export interface Session {
  /** Lets what is in progress end. */
  drain(closeIdle: boolean): void;
  destroy(): void;
}

export interface OpenContext {
  readonly env: HttpEnvironment;
  opened(session: Session): void;
  over(session: Session): void;
}

export interface Opening {
  readonly socket: net.Socket;
  /** The socket's TLS layer. */
  readonly secure: TLSSocket | undefined;
  /** Read already, in the clear. */
  readonly seen: Buffer | undefined;
  readonly info: ConnectionInfo;
  /** Agreed on in the handshake, or seen in the first bytes. */
  readonly protocol: string | undefined;
  readonly draining: boolean;
  /** Asked at the first bytes. */
  readonly guards: readonly ConnectionGuard[];
}

export function openHttp(manager: HttpManager, opening: Opening, context: OpenContext): void {
  const { info, protocol, draining } = opening;
  const connection = new HttpConnection({
    manager,
    env: context.env,
    info,
    closed: () => context.over(session),
  });
  const session: Session = {
    drain: (closeIdle) => connection.drain(closeIdle),
    destroy: () => connection.destroy(),
  };
  context.opened(session);
  if (draining) connection.drain(false);
  const { codec } = manager.plan;
  const kind = codec === 'auto' ? protocol : codec;
  if (opening.guards.length > 0 && !opening.seen) {
    awaitFirst(connection, opening, (bytes) => serve(connection, { ...opening, seen: bytes }, kind));
    return;
  }
  if (refusalOf(opening)) {
    (opening.secure ?? opening.socket).destroy();
    connection.closed();
  } else serve(connection, opening, kind);
}

/** Why the connection may not go on. */
function refusalOf({ guards, info }: Opening): string | undefined {
  for (const guard of guards) {
    const refusal = guard(info);
    if (refusal !== undefined) return refusal;
  }
  return undefined;
}

function awaitFirst(connection: HttpConnection, opening: Opening, next: (bytes: Buffer) => void): void {
  const socket = opening.secure ?? opening.socket;
  const gone = (): void => {
    look?.cancel();
    socket.destroy();
    connection.closed();
  };
  connection.undecided({ close: gone });
  const decide = (bytes: Buffer): boolean => {
    if (refusalOf(opening)) gone();
    else next(bytes);
    return true;
  };
  const look: Peek | undefined = peek(socket, undefined, decide, { timeoutMs: 0, timedOut: gone, gone });
}

function serve(connection: HttpConnection, opening: Opening, kind: string | undefined): void {
  const { codec } = connection.config;
  if (kind === 'h2') serveH2(connection, opening, opening.seen);
  else if (kind === undefined && codec === 'auto') detect(connection, opening);
  else serveH1(connection, opening, opening.seen);
}

function serveH1(connection: HttpConnection, { socket, secure }: Opening, seen: Buffer | undefined): void {
  secure?.pause();
  connection.serveH1(secure ? new SocketWire(secure, secure, false) : adoptAccepted(socket), seen);
}

function serveH2(connection: HttpConnection, opening: Opening, seen: Buffer | undefined): void {
  const socket = opening.secure ?? opening.socket;
  socket.pause();
  if (seen) socket.unshift(seen);
  connection.serveH2(socket);
}

const preface = 'PRI * HTTP/2.0\r\n\r\n';

/** The first bytes tell HTTP/2 with prior knowledge from HTTP/1.1. */
function detect(connection: HttpConnection, opening: Opening): void {
  const socket = opening.secure ?? opening.socket;
  let look: Peek | undefined;
  const gone = (): void => {
    look?.cancel();
    socket.destroy();
    connection.closed();
  };
  connection.undecided({ close: gone });
  const decide = (bytes: Buffer): boolean => {
    const start = bytes.toString('latin1', 0, Math.min(bytes.length, preface.length));
    const maybe = preface.startsWith(start);
    if (maybe && start.length < preface.length) return false;
    if (maybe) serveH2(connection, opening, bytes);
    else serveH1(connection, opening, bytes);
    return true;
  };
  look = peek(socket, opening.seen, decide, { timeoutMs: 0, timedOut: gone, gone });
}

export function openTcp(proxy: RunningTcpProxy, opening: Opening, context: OpenContext): void {
  const { socket, secure, seen, info } = opening;
  const wire = secure ? new SocketWire(secure, secure, false) : adoptAccepted(socket);
  const tcp = new TcpSession(wire, {
    proxy,
    env: context.env,
    info,
    refusal: () => refusalOf(opening),
    closed: () => context.over(session),
  });
  const session: Session = { drain: () => undefined, destroy: () => tcp.close() };
  // It may be over as soon as it starts.
  context.opened(session);
  tcp.start(secure ? undefined : seen);
}
