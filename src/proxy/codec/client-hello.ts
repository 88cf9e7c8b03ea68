// Reads server name and protocols out of a TLS ClientHello without taking part in the handshake (RFC 8446
// section 4.1.2).

export type HelloResult =
  | { readonly kind: 'incomplete' }
  | { readonly kind: 'notTls' }
  | { readonly kind: 'hello'; readonly serverName: string | undefined; readonly alpn: readonly string[] };

const incomplete: HelloResult = { kind: 'incomplete' };
const notTls: HelloResult = { kind: 'notTls' };
const handshakeRecord = 22;
const clientHello = 1;
const maxHello = 64 * 1024;

export function readClientHello(bytes: Buffer): HelloResult {
  if (bytes.length === 0) return incomplete;
  if (bytes[0] !== handshakeRecord || (bytes.length > 1 && bytes[1] !== 3)) return notTls;
  const message = handshakeMessage(bytes);
  if (message === undefined) return bytes.length > maxHello ? notTls : incomplete;
  return message === 'bad' ? notTls : parseHello(message);
}

/** The handshake message may be spread over several records. */
function handshakeMessage(bytes: Buffer): Buffer | 'bad' | undefined {
  const parts: Buffer[] = [];
  let have = 0;
  let need = Number.POSITIVE_INFINITY;
  for (let at = 0; at + 5 <= bytes.length; ) {
    const length = bytes.readUInt16BE(at + 3);
    if (bytes[at] !== handshakeRecord || length === 0) return 'bad';
    const part = bytes.subarray(at + 5, at + 5 + length);
    parts.push(part);
    have += part.length;
    at += 5 + length;
    if (have >= 4 && need === Number.POSITIVE_INFINITY) {
      const start = Buffer.concat(parts);
      if (start[0] !== clientHello) return 'bad';
      need = 4 + start.readUIntBE(1, 3);
      if (need > maxHello) return 'bad';
    }
    if (have >= need) return Buffer.concat(parts).subarray(4, need);
  }
  return undefined;
}

function parseHello(body: Buffer): HelloResult {
  const reader = new Reader(body);
  reader.skip(2 + 32);
  reader.skip(reader.u8());
  reader.skip(reader.u16());
  reader.skip(reader.u8());
  let serverName: string | undefined;
  let alpn: readonly string[] = [];
  const end = reader.left >= 2 ? reader.at + 2 + reader.u16() : reader.at;
  while (reader.at + 4 <= end && !reader.broken) {
    const type = reader.u16();
    const extension = reader.take(reader.u16());
    if (type === 0) serverName = readServerName(new Reader(extension));
    else if (type === 16) alpn = readProtocols(new Reader(extension));
  }
  return reader.broken ? notTls : { kind: 'hello', serverName, alpn };
}

function readServerName(reader: Reader): string | undefined {
  reader.skip(2);
  const type = reader.u8();
  const name = reader.take(reader.u16()).toString('latin1');
  return type === 0 && !reader.broken && name !== '' ? name.toLowerCase() : undefined;
}

function readProtocols(reader: Reader): readonly string[] {
  reader.skip(2);
  const names: string[] = [];
  while (reader.left > 0 && !reader.broken) names.push(reader.take(reader.u8()).toString('latin1'));
  return names;
}

class Reader {
  readonly #bytes: Buffer;
  at = 0;
  broken = false;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get left(): number {
    return this.#bytes.length - this.at;
  }

  u8(): number {
    return this.take(1)[0] ?? 0;
  }

  u16(): number {
    const two = this.take(2);
    return two.length === 2 ? two.readUInt16BE(0) : 0;
  }

  skip(length: number): void {
    this.take(length);
  }

  take(length: number): Buffer {
    if (length > this.left) {
      this.broken = true;
      this.at = this.#bytes.length;
      return Buffer.alloc(0);
    }
    const part = this.#bytes.subarray(this.at, this.at + length);
    this.at += length;
    return part;
  }
}
