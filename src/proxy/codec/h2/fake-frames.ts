// HTTP/2 frames for tests, by hand.
// https://www.rfc-editor.org/rfc/rfc9113#section-4.1

const type = { data: 0, headers: 1, reset: 3, settings: 4, goaway: 7 } as const;
const endStream = 1;
const endHeaders = 4;

interface Frame {
  readonly type: number;
  readonly flags?: number;
  readonly stream?: number;
  readonly payload?: Uint8Array;
}

function frame({ type, flags = 0, stream = 0, payload = new Uint8Array() }: Frame): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head.writeUInt8(type, 3);
  head.writeUInt8(flags, 4);
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

export const settings = frame({ type: type.settings });
export const preface = Buffer.concat([Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'), settings]);

/** Numbers are bytes of HPACK, texts what they announce. Of stream 1. */
export function headers(fields: readonly (number | string)[], end = false): Buffer {
  const payload = Buffer.concat(
    fields.map((one) => (typeof one === 'string' ? Buffer.from(one) : Buffer.of(one))),
  );
  return frame({ type: type.headers, flags: endHeaders | (end ? endStream : 0), stream: 1, payload });
}

export function data(text: string, end = false): Buffer {
  return frame({ type: type.data, flags: end ? endStream : 0, stream: 1, payload: Buffer.from(text) });
}

export function reset(code: number): Buffer {
  return frame({ type: type.reset, stream: 1, payload: Buffer.of(0, 0, 0, code) });
}

/** `last`: the last stream that was or may be dealt with. */
export function goaway(last: number): Buffer {
  return frame({ type: type.goaway, payload: Buffer.of(0, 0, 0, last, 0, 0, 0, 0) });
}
