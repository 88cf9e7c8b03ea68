// Looks at the first bytes of a connection until they are enough to decide by.
import type net from 'node:net';

export interface PeekOptions {
  /** 0 waits for ever. */
  readonly timeoutMs: number;
  readonly timedOut: () => void;
  /** The client ended or broke the connection first. */
  readonly gone: () => void;
}

export interface Peek {
  cancel(): void;
}

/**
 * Calls `decide` with everything read so far, each time more has come, until it returns true. The socket must
 * be paused.
 */
export function peek(
  socket: net.Socket,
  seen: Buffer | undefined,
  decide: (bytes: Buffer) => boolean,
  options: PeekOptions,
): Peek {
  let bytes = seen;
  let timer: NodeJS.Timeout | undefined;
  const stop = (): void => {
    clearTimeout(timer);
    socket.off('data', onData);
    socket.off('end', onGone);
    socket.off('close', onGone);
  };
  const onGone = (): void => {
    stop();
    options.gone();
  };
  const onData = (chunk: Buffer): void => {
    bytes = bytes ? Buffer.concat([bytes, chunk]) : chunk;
    // The listeners must be off before a decision hands the socket on.
    stop();
    if (!decide(bytes)) listen();
  };
  const listen = (): void => {
    if (options.timeoutMs > 0) timer = setTimeout(expired, Math.max(1, deadline - performance.now()));
    socket.on('data', onData);
    socket.on('end', onGone);
    socket.on('close', onGone);
    socket.resume();
  };
  const expired = (): void => {
    stop();
    options.timedOut();
  };
  const deadline = performance.now() + options.timeoutMs;
  if (!bytes || !decide(bytes)) listen();
  return { cancel: stop };
}
