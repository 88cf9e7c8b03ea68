// A DNS server that knows the names of the case and nothing else.
// https://www.rfc-editor.org/rfc/rfc1035#section-4
import { createSocket, type Socket } from 'node:dgram';

export interface ResolverSpec {
  readonly address: string;
  readonly names: Readonly<Record<string, readonly string[]>>;
}

const headerBytes = 12;
const noError = 0x8180;
const noSuchName = 0x8183;
const typeA = 1;
const classInternet = 1;
const ttlSeconds = 5;
/** A pointer to the question's name. */
const namePointer = 0xc00c;

export class Resolver {
  readonly #socket: Socket;

  private constructor(socket: Socket) {
    this.#socket = socket;
  }

  static start({ address, names }: ResolverSpec): Promise<Resolver> {
    const known = new Map(Object.entries(names).map(([name, addresses]) => [name.toLowerCase(), addresses]));
    const socket = createSocket('udp4');
    socket.on('message', (query, from) => socket.send(reply(query, known), from.port, from.address));
    return new Promise((resolve, reject) => {
      socket.once('error', reject);
      socket.bind(53, address, () => resolve(new Resolver(socket)));
    });
  }

  stop(): Promise<void> {
    return new Promise((resolve) => this.#socket.close(() => resolve()));
  }
}

function reply(query: Buffer, known: ReadonlyMap<string, readonly string[]>): Buffer {
  const { name, type, end } = readQuestion(query);
  const addresses = known.get(name);
  const answers = type === typeA ? (addresses ?? []) : [];
  const header = Buffer.from(query.subarray(0, headerBytes));
  header.writeUInt16BE(addresses ? noError : noSuchName, 2);
  header.writeUInt16BE(1, 4);
  header.writeUInt16BE(answers.length, 6);
  header.writeUInt32BE(0, 8);
  return Buffer.concat([header, query.subarray(headerBytes, end), ...answers.map(addressRecord)]);
}

function readQuestion(query: Buffer): { readonly name: string; readonly type: number; readonly end: number } {
  const labels: string[] = [];
  let at = headerBytes;
  for (let length = query[at] ?? 0; length > 0; length = query[at] ?? 0) {
    labels.push(query.toString('latin1', at + 1, at + 1 + length));
    at += length + 1;
  }
  return { name: labels.join('.').toLowerCase(), type: query.readUInt16BE(at + 1), end: at + 5 };
}

function addressRecord(address: string): Buffer {
  const record = Buffer.alloc(16);
  record.writeUInt16BE(namePointer, 0);
  record.writeUInt16BE(typeA, 2);
  record.writeUInt16BE(classInternet, 4);
  record.writeUInt32BE(ttlSeconds, 6);
  record.writeUInt16BE(4, 10);
  record.set(address.split('.').map(Number), 12);
  return record;
}
