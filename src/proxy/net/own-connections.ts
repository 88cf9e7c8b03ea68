// The connections that this proxy has opened, to know one again when it arrives at a listener of its own. A
// connection carries how many times in a row the proxy has already called itself, so that a loop ends after a
// few turns instead of when no descriptor is left.
import type net from 'node:net';
import { formatAddress, plainIp } from '../codec/address.ts';

/**
 * A sidecar may reach its own inbound listener, a gateway itself under another name; nothing sensible goes on
 * from there for long.
 */
export const mostHops = 3;

export class OwnConnections {
  /** By the local address of the dialling socket. */
  readonly #hops = new Map<string, number>();

  /** To be called with a socket that begins to connect, on behalf of a client that came over so many hops. */
  announcer(hops: number): (socket: net.Socket) => void {
    return (socket) => {
      // The event comes just before the call that gives the socket its address; the other side cannot accept
      // before the microtask has run.
      socket.on('connectionAttempt', () => queueMicrotask(() => this.#add(socket, hops + 1)));
    };
  }

  /** 0 for an accepted connection that comes from somebody else. */
  hopsOf(accepted: net.Socket): number {
    if (this.#hops.size === 0) return 0;
    return this.#hops.get(formatAddress(plainIp(accepted.remoteAddress), accepted.remotePort ?? 0)) ?? 0;
  }

  get size(): number {
    return this.#hops.size;
  }

  #add(socket: net.Socket, hops: number): void {
    if (socket.localPort === undefined) return;
    const key = formatAddress(plainIp(socket.localAddress), socket.localPort);
    this.#hops.set(key, hops);
    socket.once('close', () => this.#hops.delete(key));
  }
}
