// The PROXY protocol: who the client is, in front of what it says.
// https://www.haproxy.org/download/3.0/doc/proxy-protocol.txt
import ipaddr from 'ipaddr.js';
import { ipVersion, isIpv6 } from './ip-text.ts';

export interface ClientAddresses {
  readonly remoteIp: string;
  readonly remotePort: number;
  readonly localIp: string;
  readonly localPort: number;
}

const proxySignature = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1');

export function proxyHeaderV1({ remoteIp, remotePort, localIp, localPort }: ClientAddresses): Buffer {
  const family = isIpv6(remoteIp) ? 'TCP6' : 'TCP4';
  return Buffer.from(`PROXY ${family} ${remoteIp} ${localIp} ${remotePort} ${localPort}\r\n`, 'latin1');
}

/** Without a client the connection is the proxy's own business. */
export function proxyHeaderV2(client: ClientAddresses | undefined): Buffer {
  if (!client) return Buffer.concat([proxySignature, Buffer.from([0x20, 0, 0, 0])]);
  const addresses = [client.remoteIp, client.localIp].map((ip) => ipaddr.parse(ip));
  // Both addresses have one form: when one is IPv6 the other is written as such.
  const wide = addresses.some((address) => address.kind() === 'ipv6');
  const ports = Buffer.alloc(4);
  ports.writeUInt16BE(client.remotePort, 0);
  ports.writeUInt16BE(client.localPort, 2);
  const body = Buffer.concat([...addresses.map((address) => Buffer.from(bytesOf(address, wide))), ports]);
  return Buffer.concat([
    proxySignature,
    Buffer.from([0x21, wide ? 0x21 : 0x11, body.length >> 8, body.length & 0xff]),
    body,
  ]);
}

function bytesOf(address: ipaddr.IPv4 | ipaddr.IPv6, wide: boolean): number[] {
  if (!wide || address.kind() === 'ipv6') return address.toByteArray();
  return (address as ipaddr.IPv4).toIPv4MappedAddress().toByteArray();
}

export type ProxyHeader =
  | { readonly kind: 'incomplete' }
  | { readonly kind: 'absent' }
  | { readonly kind: 'malformed' }
  /** Without `client` the connection is the sender's own business (LOCAL, UNKNOWN). */
  | {
      readonly kind: 'header';
      readonly version: 1 | 2;
      readonly length: number;
      readonly client: ClientAddresses | undefined;
    };

const incomplete: ProxyHeader = { kind: 'incomplete' };
const malformed: ProxyHeader = { kind: 'malformed' };
const start = 'PROXY ';
const maxLine = 107;

/** What a connection begins with. */
export function readProxyHeader(bytes: Buffer): ProxyHeader {
  const seen = Math.min(bytes.length, proxySignature.length);
  if (bytes.compare(proxySignature, 0, seen, 0, seen) === 0)
    return seen < proxySignature.length ? incomplete : readV2(bytes);
  const text = bytes.toString('latin1', 0, Math.min(bytes.length, start.length));
  if (!start.startsWith(text)) return { kind: 'absent' };
  return text.length < start.length ? incomplete : readV1(bytes);
}

function readV1(bytes: Buffer): ProxyHeader {
  const end = bytes.subarray(0, maxLine).indexOf('\r\n');
  if (end < 0) return bytes.length >= maxLine ? malformed : incomplete;
  const line = bytes.toString('latin1', 0, end);
  const header = { kind: 'header', version: 1, length: end + 2 } as const;
  if (/^PROXY UNKNOWN( |$)/.test(line)) return { ...header, client: undefined };
  const match = /^PROXY TCP([46]) (\S+) (\S+) (\d{1,5}) (\d{1,5})$/.exec(line);
  const [, family, remoteIp = '', localIp = '', remotePort, localPort] = match ?? [];
  const client = { remoteIp, localIp, remotePort: Number(remotePort), localPort: Number(localPort) };
  const valid =
    [remoteIp, localIp].every((ip) => ipVersion(ip) === Number(family)) &&
    client.remotePort < 65_536 &&
    client.localPort < 65_536;
  return match && valid ? { ...header, client } : malformed;
}

/** By address family and transport: TCP over IPv4 and IPv6. */
const addressSizes: Readonly<Record<number, number>> = { 17: 4, 33: 16 };

function readV2(bytes: Buffer): ProxyHeader {
  if (bytes.length < 16) return incomplete;
  const command = bytes.readUInt8(12);
  const family = bytes.readUInt8(13);
  const length = 16 + bytes.readUInt16BE(14);
  if (command !== 0x20 && command !== 0x21) return malformed;
  if (bytes.length < length) return incomplete;
  const header = { kind: 'header', version: 2, length } as const;
  if (command === 0x20) return { ...header, client: undefined };
  const size = addressSizes[family] ?? 0;
  if (size === 0 || length < 16 + 2 * size + 4) return malformed;
  const at = (offset: number): string =>
    ipaddr.fromByteArray([...bytes.subarray(offset, offset + size)]).toString();
  return {
    ...header,
    client: {
      remoteIp: at(16),
      localIp: at(16 + size),
      remotePort: bytes.readUInt16BE(16 + 2 * size),
      localPort: bytes.readUInt16BE(18 + 2 * size),
    },
  };
}
