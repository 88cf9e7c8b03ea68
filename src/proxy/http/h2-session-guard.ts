// node:http2 aborts the process when the native half of a session is collected before those of its streams: "Assertion failed:
// (current_nghttp2_memory_) == (0)". A client brings it about by ending connections with many requests under way (seen with Node 24.21 and
// 26.12; nodejs/node#35233, #39951). Here the native half stays for a while after the end of its session, and its streams go first.
import type { Http2Session } from 'node:http2';

const keepMs = 10_000;
const kept = new Set<object>();

/** Returns whether the session's native half was found. Call it once the session is connected. */
export function guardSession(session: Http2Session): boolean {
  const key = Object.getOwnPropertySymbols(session).find((symbol) => symbol.description === 'kHandle');
  const handle = key && (session as unknown as Readonly<Record<symbol, unknown>>)[key];
  if (typeof handle !== 'object' || handle === null) return false;
  session.once('close', () => {
    kept.add(handle);
    setTimeout(() => kept.delete(handle), keepMs).unref();
  });
  return true;
}

/** How many sessions have ended not long ago. */
export function guardedSessions(): number {
  return kept.size;
}
