// The PROXY protocol: who the client is, in front of what it says.
// https://www.haproxy.org/download/3.0/doc/proxy-protocol.txt
import net from 'node:net';
import ipaddr from 'ipaddr.js';

export interface ClientAddresses {
  readonly remoteIp: string;
  readonly remotePort: number;
  readonly localIp: string;
  readonly localPort: number;
}

export const proxySignature = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1');

export function proxyHeaderV1({ remoteIp, remotePort, localIp, localPort }: ClientAddresses): Buffer {
  const family = net.isIPv6(remoteIp) ? 'TCP6' : 'TCP4';
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
  return Buffer.concat([proxySignature, Buffer.from([0x21, wide ? 0x21 : 0x11, body.length >> 8, body.length & 0xff]), body]);
}

function bytesOf(address: ipaddr.IPv4 | ipaddr.IPv6, wide: boolean): number[] {
  if (!wide || address.kind() === 'ipv6') return address.toByteArray();
  return (address as ipaddr.IPv4).toIPv4MappedAddress().toByteArray();
}
