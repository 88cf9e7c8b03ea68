// Opens the TCP connection to a host, in time or not at all.
import type { SocketWire } from '../net/wire.ts';
import { dialPlain } from '../net/wire.ts';
import type { ConnectRequest, ConnectResult, Transport } from './transport.ts';

/** Ends the wait: true when it had not ended before. With a detail it ends in failure. */
export type Settle = (detail?: string) => boolean;

/** `next` runs once the connection stands. Returns a function that gives the attempt up. */
export function dial(request: ConnectRequest, result: ConnectResult, next: (wire: SocketWire, settle: Settle) => void): () => void {
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
    if (request.preamble) wire.writeBytes(request.preamble(wire.socket));
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

export const rawTransport: Transport = {
  secure: false,
  ready: true,
  tellsClient: false,
  connect: (request, result) => dial(request, result, (wire, settle) => void (settle() && result.connected(wire, undefined))),
};
