// A PING that answers none is to be ignored (RFC 9113 section 6.7); node:http2 ends the session, with the
// error that also stands for real breaches of the protocol. After those nghttp2 writes a GOAWAY and nothing
// more: a PING of ours tells whether the session lives on.

import type { Http2Session } from 'node:http2';
import type { Clock, Timer } from '../../net/clock.ts';

/** NGHTTP2_ERR_PROTO */
const protocolError = -505;
const patienceMs = 500;

export function ignoreStrayAcks(session: Http2Session, clock: Clock): void {
  const destroy = session.destroy.bind(session);
  let trial: Timer | undefined;
  session.once('close', () => trial?.close());
  session.destroy = (error?: Error, code?: number): void => {
    if ((error as { readonly errno?: number } | undefined)?.errno !== protocolError) {
      destroy(error, code);
      return;
    }
    if (trial) return;
    trial = clock.after(patienceMs, () => destroy(error, code));
    setImmediate(() => {
      if (session.destroyed || session.closed) return;
      session.ping((failure) => {
        if (failure) return;
        trial?.close();
        trial = undefined;
      });
    });
  };
}
