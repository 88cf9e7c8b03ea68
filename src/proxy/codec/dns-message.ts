// DNS messages, as far as a server of addresses needs them. https://www.rfc-editor.org/rfc/rfc1035#section-4
import ipaddr from 'ipaddr.js';

export const recordType = { a: 1, aaaa: 28 } as const;
export const responseCode = { ok: 0, malformed: 1, failed: 2, noSuchName: 3, notImplemented: 4 } as const;

export interface Query {
  readonly id: number;
  /** Lower case, without the dot at the end. */
  readonly name: string;
  readonly type: number;
  /** 1 is the Internet. */
  readonly class: number;
  /** The question as it came, to be repeated in the response. */
  readonly question: Buffer;
  readonly recursionDesired: boolean;
}

export type ParsedQuery =
  | { readonly kind: 'query'; readonly query: Query }
  | { readonly kind: 'malformed'; readonly id: number }
  | { readonly kind: 'none' };

const headerLength = 12;
const maxName = 255;

/** `none`: nothing that could be answered. */
export function parseQuery(bytes: Buffer): ParsedQuery {
  if (bytes.length < headerLength) return { kind: 'none' };
  const id = bytes.readUInt16BE(0);
  const flags = bytes.readUInt16BE(2);
  // A response must not be answered, or two servers would talk for ever.
  if (flags & 0x8000) return { kind: 'none' };
  const name = readName(bytes, headerLength);
  if (bytes.readUInt16BE(4) !== 1 || (flags & 0x7800) !== 0 || !name || name.end + 4 > bytes.length)
    return { kind: 'malformed', id };
  return {
    kind: 'query',
    query: {
      id,
      name: name.text,
      type: bytes.readUInt16BE(name.end),
      class: bytes.readUInt16BE(name.end + 2),
      question: bytes.subarray(headerLength, name.end + 4),
      recursionDesired: (flags & 0x0100) !== 0,
    },
  };
}

function readName(bytes: Buffer, start: number): { text: string; end: number } | undefined {
  const labels: string[] = [];
  let at = start;
  while (at < bytes.length && at - start < maxName) {
    const length = bytes[at] ?? 0;
    if (length === 0) return { text: labels.join('.').toLowerCase(), end: at + 1 };
    // Two high bits make a pointer, which a question has no use for.
    if (length > 63 || at + 1 + length > bytes.length) return undefined;
    labels.push(bytes.toString('latin1', at + 1, at + 1 + length));
    at += 1 + length;
  }
  return undefined;
}

export interface Reply {
  readonly code: number;
  readonly addresses: readonly string[];
  readonly ttlSeconds: number;
}

/** What fits into a datagram of this size; the rest is left out and the response marked as cut. */
const maxDatagram = 512;

export function encodeReply(query: Query, { code, addresses, ttlSeconds }: Reply): Buffer {
  const answers = addresses.map((address) => answer(query.type, address, ttlSeconds));
  const room = maxDatagram - headerLength - query.question.length;
  const size = answers[0]?.length ?? 1;
  const fitting = answers.slice(0, Math.floor(room / size));
  const flags =
    0x8080 | (query.recursionDesired ? 0x0100 : 0) | (fitting.length < answers.length ? 0x0200 : 0) | code;
  return Buffer.concat([
    header(query.id, flags, { questions: 1, answers: fitting.length }),
    query.question,
    ...fitting,
  ]);
}

export function encodeFailure(id: number, code: number): Buffer {
  return header(id, 0x8080 | code, { questions: 0, answers: 0 });
}

function header(id: number, flags: number, counts: { questions: number; answers: number }): Buffer {
  const bytes = Buffer.alloc(headerLength);
  bytes.writeUInt16BE(id, 0);
  bytes.writeUInt16BE(flags, 2);
  bytes.writeUInt16BE(counts.questions, 4);
  bytes.writeUInt16BE(counts.answers, 6);
  return bytes;
}

function answer(type: number, address: string, ttlSeconds: number): Buffer {
  const data = Buffer.from(ipaddr.parse(address).toByteArray());
  const head = Buffer.alloc(12);
  // The name is the one in the question, right behind the header.
  head.writeUInt16BE(0xc000 | headerLength, 0);
  head.writeUInt16BE(type, 2);
  head.writeUInt16BE(1, 4);
  head.writeUInt32BE(ttlSeconds, 6);
  head.writeUInt16BE(data.length, 10);
  return Buffer.concat([head, data]);
}
