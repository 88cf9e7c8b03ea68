// Opens the TCP connection to a host, in time or not at all.
import type { SocketWire } from '../../net/wire.ts';
import { dialPlain } from '../../net/wire.ts';
import type { ConnectRequest, ConnectResult, Transport } from './transport.ts';

/** Ends the wait: true when it had not ended before. With a detail it ends in failure. */
export type Settle = (detail?: string) => boolean;

/** What an attempt that fails is to close. */
export interface Closable {
  destroy(): void;
}

/**
 * `next` runs once the connection stands; what it puts around the connection is closed in its place, for to
 * close a socket under TLS and then the TLS socket from inside its own event ends the process. Returns a
 * function that gives the attempt up.
 */
export function dial(
  request: ConnectRequest,
  result: ConnectResult,
  next: (wire: SocketWire, settle: Settle) => Closable | undefined,
): () => void {
  const wire = dialPlain(request);
  let outermost: Closable = wire;
  let settled = false;
  const timer = setTimeout(() => settle('connection timeout', true), request.timeoutMs);
  const settle = (detail?: string, timedOut = false): boolean => {
    if (settled) return false;
    settled = true;
    clearTimeout(timer);
    if (detail === undefined) return true;
    outermost.destroy();
    result.failed(detail, timedOut);
    return true;
  };
  const early = (error: Error): void => void settle(describe(error));
  wire.socket.once('error', early);
  wire.socket.once('close', () => settle('connection closed'));
  wire.socket.once('connect', () => {
    if (settled) return;
    if (request.preamble) wire.writeBytes(request.preamble(wire.socket));
    outermost = next(wire, settle) ?? wire;
  });
  return () => {
    if (!settled) {
      settled = true;
      clearTimeout(timer);
      outermost.destroy();
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

export const rawTransport: Transport = {
  secure: false,
  settled: true,
  tellsClient: false,
  connect: (request, result) =>
    dial(request, result, (wire, settle) => {
      if (settle()) result.connected(wire, undefined);
      return undefined;
    }),
};
