// One byte connection under a codec: plain sockets that read into one shared buffer, or any duplex stream
// (TLS).
import net from 'node:net';
import type { TLSSocket } from 'node:tls';
import { formatAddress, plainIp } from '../codec/address.ts';
import type { SocketOptionsPlan } from '../plan/socket-options-plan.ts';
import { setOnConnect } from './socket-options.ts';

export interface WireEvents {
  /** The bytes are borrowed: the buffer is overwritten after the call. */
  onBytes(bytes: Buffer, start: number, end: number): void;
  onDrain(): void;
  /** The peer sends no more. */
  onEnd(): void;
  onClose(error: Error | undefined): void;
}

export interface Wire {
  readonly remoteAddress: string;
  readonly remotePort: number;
  /** The proxy's own end; undefined for what is no socket of its own. */
  readonly localAddress?: string | undefined;
  readonly tls: TLSSocket | undefined;
  readonly bytesWritten: number;
  /** Writes wait in memory: the peer reads too slowly. */
  readonly backedUp: boolean;
  attach(events: WireEvents): void;
  /** Text holds one byte a character. Returns false when the caller should wait for onDrain. */
  writeText(text: string): boolean;
  /** The bytes must not change afterwards. */
  writeBytes(bytes: Uint8Array): boolean;
  /** Two writes as one. */
  writeBoth(text: string, bytes: Uint8Array): boolean;
  pause(): void;
  resume(): void;
  end(): void;
  destroy(): void;
  /** Closes with a TCP reset. */
  reset(): void;
}

/**
 * Reads of all plain connections of a process go through one buffer: a read is handled before the next one
 * starts.
 */
const shared = Buffer.allocUnsafeSlow(64 * 1024);

interface HandleHolder {
  _handle: unknown;
  server?: unknown;
  _server?: unknown;
}

export class SocketWire implements Wire {
  readonly socket: net.Socket;
  readonly tls: TLSSocket | undefined;
  readonly remoteAddress: string;
  readonly remotePort: number;
  #events: WireEvents = silent;
  #error: Error | undefined;
  #closed = false;
  #paused = false;

  /** `readsItself`: the socket was made by us with an `onread` that calls `received`. */
  constructor(socket: net.Socket, tls: TLSSocket | undefined, readsItself: boolean) {
    this.socket = socket;
    this.tls = tls;
    this.remoteAddress = socket.remoteAddress ?? '';
    this.remotePort = socket.remotePort ?? 0;
    if (!readsItself) socket.on('data', (chunk: Buffer) => this.#deliver(chunk, 0, chunk.length));
    socket.on('drain', () => this.#events.onDrain());
    socket.on('end', () => this.#events.onEnd());
    socket.on('error', (error: Error) => {
      this.#error = error;
    });
    socket.on('close', () => {
      this.#closed = true;
      this.#events.onClose(this.#error);
    });
  }

  get localAddress(): string | undefined {
    const { localAddress, localPort } = this.socket;
    return localAddress === undefined ? undefined : formatAddress(plainIp(localAddress), localPort ?? 0);
  }

  get bytesWritten(): number {
    return this.socket.bytesWritten;
  }

  get backedUp(): boolean {
    return this.socket.writableNeedDrain;
  }

  attach(events: WireEvents): void {
    this.#events = events;
    if (this.#closed) queueMicrotask(() => events.onClose(this.#error));
  }

  received(length: number): void {
    this.#deliver(shared, 0, length);
  }

  /** A fault in the handling of one connection's bytes ends that connection, not the proxy. */
  #deliver(bytes: Buffer, start: number, end: number): void {
    try {
      this.#events.onBytes(bytes, start, end);
    } catch (error) {
      process.emitWarning(error instanceof Error ? error : String(error));
      this.destroy();
    }
  }

  writeText(text: string): boolean {
    return this.socket.write(text, 'latin1');
  }

  writeBytes(bytes: Uint8Array): boolean {
    return this.socket.write(bytes);
  }

  writeBoth(text: string, bytes: Uint8Array): boolean {
    this.socket.cork();
    this.socket.write(text, 'latin1');
    const more = this.socket.write(bytes);
    this.socket.uncork();
    return more;
  }

  pause(): void {
    this.#paused = true;
    this.socket.pause();
  }

  resume(): void {
    this.#paused = false;
    this.socket.resume();
  }

  /**
   * A pause right after a resume does not reach a socket with `onread`: it begins to read all the same, and
   * is stopped then.
   */
  get paused(): boolean {
    return this.#paused;
  }

  end(): void {
    this.socket.end();
  }

  destroy(): void {
    this.socket.destroy();
  }

  reset(): void {
    if (this.tls) this.socket.destroy();
    else this.socket.resetAndDestroy();
  }
}

/** Takes over an accepted, paused plain socket so that its reads need no buffer of their own. */
export function adoptAccepted(socket: net.Socket): SocketWire {
  const holder = socket as unknown as HandleHolder;
  const handle = holder._handle;
  if (!handle) return new SocketWire(socket, undefined, false);
  // The handle moves to a second Socket: `onread` can only be given to the constructor, and net.Server makes
  // its sockets itself.
  holder._handle = null;
  let wire: SocketWire | undefined;
  const options = {
    handle,
    allowHalfOpen: true,
    pauseOnCreate: true,
    readable: true,
    writable: true,
    onread: { buffer: shared, callback: (length: number): boolean => deliver(wire, length) },
  };
  const adopted = new net.Socket(options as unknown as net.SocketConstructorOpts);
  const taken = adopted as unknown as HandleHolder;
  taken.server = holder.server;
  taken._server = holder._server;
  holder.server = null;
  holder._server = null;
  wire = new SocketWire(adopted, undefined, true);
  return wire;
}

export interface DialOptions {
  readonly host: string;
  readonly port: number;
  readonly path?: string | undefined;
  readonly localAddress?: string | undefined;
  readonly options?: SocketOptionsPlan | undefined;
  /** Given the socket before it begins to connect. */
  readonly announce?: ((socket: net.Socket) => void) | undefined;
}

/** A plain client connection; the caller waits for `connect` or `close` on the socket. */
export function dialPlain(options: DialOptions): SocketWire {
  let wire: SocketWire | undefined;
  const onread = { buffer: shared, callback: (length: number): boolean => deliver(wire, length) };
  const target =
    options.path !== undefined ? { path: options.path } : { host: options.host, port: options.port };
  const localAddress =
    options.localAddress ?? (options.options?.byNumber.length ? anyAddress(options.host) : undefined);
  const local = localAddress === undefined ? {} : { localAddress };
  const socket = net.connect({
    ...target,
    ...local,
    noDelay: true,
    allowHalfOpen: true,
    onread,
  } as net.NetConnectOpts);
  options.announce?.(socket);
  if (options.options) setOnConnect(socket, options.options);
  wire = new SocketWire(socket, undefined, true);
  return wire;
}

/** A socket that is bound has a descriptor before it connects. */
function anyAddress(host: string): string {
  return host.includes(':') ? '::' : '0.0.0.0';
}

function deliver(wire: SocketWire | undefined, length: number): boolean {
  wire?.received(length);
  return wire?.paused !== true;
}

const silent: WireEvents = {
  onBytes: () => undefined,
  onDrain: () => undefined,
  onEnd: () => undefined,
  onClose: () => undefined,
};
