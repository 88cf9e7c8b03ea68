// Writes HTTP/1.1 heads, chunks and trailers as text, one byte a character.
import type { Headers } from '../http/headers.ts';
import { statusTexts } from '../http/status-text.ts';

const statusLines = new Map<number, string>();
for (const [code, text] of Object.entries(statusTexts))
  statusLines.set(Number(code), `HTTP/1.1 ${code} ${text}\r\n`);

/** In the version that the client speaks. */
export function statusLine(status: number, http10 = false): string {
  const line = statusLines.get(status) ?? `HTTP/1.1 ${status} Unknown\r\n`;
  return http10 ? line.replace('1.1', '1.0') : line;
}

/**
 * Every field of the list as a line; names and values hold one byte a character and no line end (see
 * wire-text.ts).
 */
export function fieldLines(headers: Headers): string {
  const list = headers.list;
  let text = '';
  for (let i = 0; i < list.length; i += 2) text += `${list[i]}: ${list[i + 1]}\r\n`;
  return text;
}

export function chunkText(chunk: Buffer): string {
  return `${chunk.length.toString(16)}\r\n${chunk.toString('latin1')}\r\n`;
}

export const lastChunk = '0\r\n\r\n';

/** Body pieces up to this size are written as text together with what is held back. */
export const textLimit = 16 * 1024;
