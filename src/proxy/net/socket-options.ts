// Options of TCP sockets that Node does not offer, set by the C library: how a peer that vanished is noticed,
// and options by number.
import { createRequire } from 'node:module';
import type net from 'node:net';
import type { OptionPlan, SocketOptionsPlan, TcpKeepAlivePlan } from '../plan/socket-options-plan.ts';

export type SetSockOpt = (fd: number, level: number, name: number, value: Buffer, length: number) => number;
export type GetSockOpt = (fd: number, level: number, name: number, value: Buffer, length: number[]) => number;

export interface SocketCalls {
  readonly set: SetSockOpt;
  readonly get: GetSockOpt;
}

// Numbers of Linux (socket.h, tcp.h).
export const numbers = {
  socket: { level: 1, keepAlive: 9 },
  tcp: { level: 6, keepIdle: 4, keepInterval: 5, keepCount: 6, userTimeout: 18 },
} as const;

/**
 * Without an option for it Linux gives up on data in flight after about as long: a limit beyond that would
 * only make it slower.
 */
const longestUserTimeout = 900;

let calls: SocketCalls | 'unavailable' | undefined;

/** Loaded when it is first needed: a laptop without the library never needs it. */
export function socketCalls(): SocketCalls | 'unavailable' {
  calls ??= load();
  return calls;
}

function load(): SocketCalls | 'unavailable' {
  if (process.platform !== 'linux') return 'unavailable';
  try {
    const library = createRequire(import.meta.url)('koffi').load(null);
    return {
      set: library.func('int setsockopt(int fd, int level, int name, const void *value, uint32_t length)'),
      get: library.func('int getsockopt(int fd, int level, int name, void *value, _Inout_ uint32_t *length)'),
    };
  } catch {
    return 'unavailable';
  }
}

export function descriptorOf(owner: net.Socket | net.Server): number {
  return (owner as unknown as { readonly _handle?: { readonly fd?: number } })._handle?.fd ?? -1;
}

/**
 * Of a socket that begins to connect: before its first packet where it is bound already, otherwise right
 * after.
 */
export function setOnConnect(socket: net.Socket, options: SocketOptionsPlan, library = socketCalls()): void {
  if (library === 'unavailable') {
    warnUnavailable();
    if (options.keepAlive && !isOff(options.keepAlive))
      socket.setKeepAlive(true, (options.keepAlive.time ?? 7200) * 1000);
    return;
  }
  socket.on('connectionAttempt', () => {
    if (descriptorOf(socket) >= 0) setAll(library, descriptorOf(socket), options);
    else queueMicrotask(() => setAll(library, descriptorOf(socket), options));
  });
}

/** Of a socket that listens; those that it accepts inherit them. */
export function setOnServer(server: net.Server, options: SocketOptionsPlan, library = socketCalls()): void {
  if (library === 'unavailable') warnUnavailable();
  else setAll(library, descriptorOf(server), options);
}

function setAll(library: SocketCalls, fd: number, { keepAlive, byNumber }: SocketOptionsPlan): void {
  if (fd < 0) return;
  if (keepAlive) setKeepAlive(library, fd, keepAlive);
  for (const one of byNumber) set(library, fd, one);
}

/** Any zero switches it off. */
function isOff({ probes, time, interval }: TcpKeepAlivePlan): boolean {
  return probes === 0 || time === 0 || interval === 0;
}

function setKeepAlive(library: SocketCalls, fd: number, keepAlive: TcpKeepAlivePlan): void {
  const { socket, tcp } = numbers;
  const { probes, time, interval } = keepAlive;
  const off = isOff(keepAlive);
  set(library, fd, { level: socket.level, name: socket.keepAlive, value: off ? 0 : 1 });
  if (off) return;
  if (time !== undefined) set(library, fd, { level: tcp.level, name: tcp.keepIdle, value: time });
  if (interval !== undefined) set(library, fd, { level: tcp.level, name: tcp.keepInterval, value: interval });
  if (probes !== undefined) set(library, fd, { level: tcp.level, name: tcp.keepCount, value: probes });
  // Probes are for silence only: a peer that vanishes with data in flight is given up after the same time.
  const read = (name: number): number => readNumber(library, fd, tcp.level, name) ?? Number.NaN;
  const seconds = read(tcp.keepIdle) + read(tcp.keepCount) * read(tcp.keepInterval);
  if (seconds < longestUserTimeout)
    set(library, fd, { level: tcp.level, name: tcp.userTimeout, value: seconds * 1000 });
}

export function readNumber(
  library: SocketCalls,
  fd: number,
  level: number,
  name: number,
): number | undefined {
  const value = Buffer.alloc(4);
  return library.get(fd, level, name, value, [value.length]) === 0 ? value.readInt32LE() : undefined;
}

function set(library: SocketCalls, fd: number, option: OptionPlan): void {
  const { level, name } = option;
  const value = bytesOf(option.value);
  if (library.set(fd, level, name, value, value.length) !== 0)
    warnOnce(`the system refuses socket option ${name} of level ${level}`);
}

function bytesOf(value: number | Uint8Array): Buffer {
  if (typeof value !== 'number') return Buffer.from(value);
  const bytes = Buffer.alloc(4);
  bytes.writeInt32LE(value);
  return bytes;
}

const warned = new Set<string>();

function warnUnavailable(): void {
  warnOnce(
    'socket options are set with koffi and on Linux only: of TCP keep-alive its time alone is in force, other options are not',
  );
}

function warnOnce(message: string): void {
  if (warned.has(message)) return;
  warned.add(message);
  process.emitWarning(message);
}
