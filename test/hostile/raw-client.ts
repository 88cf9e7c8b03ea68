// Sends bytes as they are and keeps what comes back.
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

export interface Answer {
  /** One byte a character. */
  readonly text: string;
  readonly end: 'open' | 'fin' | 'reset';
}

export interface SendOptions {
  /** Without a byte for this long after the first one, nothing more is expected. */
  readonly quietMs?: number;
  /** How long the first byte, or the end, is waited for. */
  readonly patienceMs?: number;
  readonly endAfter?: boolean;
}

/**
 * Sends a piece, or several that must not arrive as one, and returns when the other side has gone quiet or
 * away.
 */
export async function send(
  port: number,
  pieces: string | readonly string[],
  options: SendOptions = {},
): Promise<Answer> {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true });
  const listening = listen(socket, options);
  await Promise.race([once(socket, 'connect'), listening]);
  const list = typeof pieces === 'string' ? [pieces] : pieces;
  for (const [index, piece] of list.entries()) {
    if (index > 0) await new Promise((resolve) => setTimeout(resolve, 40));
    if (!socket.destroyed) socket.write(piece, 'latin1');
  }
  if (options.endAfter) socket.end();
  const answer = await listening;
  socket.destroy();
  return answer;
}

export function statuses(text: string): readonly number[] {
  return [...text.matchAll(/HTTP\/1\.[01] (\d\d\d)/g)].map((match) => Number(match[1]));
}

function listen(socket: Socket, { quietMs = 250, patienceMs = 1500 }: SendOptions): Promise<Answer> {
  return new Promise((resolve) => {
    let text = '';
    const over = (end: Answer['end']): void => {
      clearTimeout(timer);
      resolve({ text, end });
    };
    let timer = setTimeout(() => over('open'), patienceMs);
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1');
      clearTimeout(timer);
      timer = setTimeout(() => over('open'), quietMs);
    });
    socket.on('end', () => over('fin'));
    socket.on('error', () => over('reset'));
    socket.on('close', () => over('reset'));
  });
}
