// An HTTP/2 host of hand-made frames, which can fall silent.
import { ack, endHeaders, endStream, frame, frameType, preface, takeFrames } from './h2-frames.ts';
import type { Handler } from './raw-upstream.ts';

export interface H2HostState {
  /** Requests get a 200 without a body. */
  answers: boolean;
  /** PING frames get their acknowledgement. */
  acknowledges: boolean;
}

/** `:status: 200` of the static table (RFC 7541 appendix A). */
const ok = Buffer.from([0x88]);

export function h2Host(state: H2HostState): Handler {
  return ({ socket }) => {
    let bytes: Buffer = Buffer.alloc(0);
    let opened = false;
    socket.write(frame(frameType.settings, 0, 0));
    socket.on('data', (chunk: Buffer) => {
      bytes = Buffer.concat([bytes, chunk]);
      if (!opened) {
        if (bytes.length < preface.length) return;
        bytes = bytes.subarray(preface.length);
        opened = true;
      }
      const { frames, rest } = takeFrames(bytes);
      bytes = rest;
      for (const one of frames) {
        if (one.flags & ack && one.type !== frameType.headers) continue;
        if (one.type === frameType.settings) socket.write(frame(frameType.settings, ack, 0));
        if (one.type === frameType.ping && state.acknowledges)
          socket.write(frame(frameType.ping, ack, 0, one.payload));
        if (one.type === frameType.headers && state.answers)
          socket.write(frame(frameType.headers, endHeaders | endStream, one.stream, ok));
      }
    });
    socket.on('end', () => socket.end());
  };
}
