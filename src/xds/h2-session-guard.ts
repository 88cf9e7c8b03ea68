// node:http2 aborts the process when the native half of a session is collected before those of its streams: "Assertion failed:
// (current_nghttp2_memory_) == (0)". A client brings it about by ending connections with many requests under way (seen with Node 24.21 and
// 26.12; nodejs/node#35233, #39951). Here the native half stays for a while after the end of its session, and its streams go first.
import diagnostics from 'node:diagnostics_channel';
import type { Http2Session, ServerHttp2Stream } from 'node:http2';

const keepMs = 10_000;
const kept = new Set<object>();
const handles = new WeakMap<Http2Session, object>();

/** Returns whether the session's native half was found. Call it once the session is connected; more than once is the same. */
export function guardSession(session: Http2Session): boolean {
  if (handles.has(session)) return true;
  const key = Object.getOwnPropertySymbols(session).find((symbol) => symbol.description === 'kHandle');
  const handle = key && (session as unknown as Readonly<Record<symbol, unknown>>)[key];
  if (typeof handle !== 'object' || handle === null) return false;
  handles.set(session, handle);
  session.once('close', () => {
    kept.add(handle);
    setTimeout(() => {
      kept.delete(handle);
      // A session that closed before its peer acknowledged its settings is held by its own native half.
      handles.delete(session);
    }, keepMs).unref();
  });
  return true;
}

/** Whether the session is guarded and has ended not long ago. */
export function isKept(session: Http2Session): boolean {
  const handle = handles.get(session);
  return handle !== undefined && kept.has(handle);
}

const streamCreated = 'http2.server.stream.created';

/**
 * For servers that show neither their sessions nor what makes them, as gRPC's: Node tells of every stream in the process, and a session without
 * one needs no guard. Returns a function that ends it for sessions to come.
 */
export function guardServerSessions(): () => void {
  const guard = (message: unknown): void => {
    const { session } = (message as { readonly stream: ServerHttp2Stream }).stream;
    if (session) guardSession(session);
  };
  diagnostics.subscribe(streamCreated, guard);
  return () => void diagnostics.unsubscribe(streamCreated, guard);
}
