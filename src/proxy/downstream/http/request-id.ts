// Ids for requests that come without one.
import { randomFillSync } from 'node:crypto';

const pool = Buffer.alloc(16 * 256);
let used = pool.length;
const hex = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

/** A random UUID (RFC 9562 version 4); random bytes are drawn for many at a time. */
export function randomId(): string {
  if (used === pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  const at = used;
  used += 16;
  let text = '';
  for (let i = 0; i < 16; i++) {
    let byte = pool[at + i] ?? 0;
    if (i === 6) byte = (byte & 0x0f) | 0x40;
    if (i === 8) byte = (byte & 0x3f) | 0x80;
    text += hex[byte];
    if (i === 3 || i === 5 || i === 7 || i === 9) text += '-';
  }
  return text;
}
