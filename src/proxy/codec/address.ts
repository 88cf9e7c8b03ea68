// Socket addresses of configuration, and IPv4/IPv6 prefixes as comparable bytes.
import type { Address, CidrRange } from '@meltemi/envoy-api/envoy/config/core/v3/address';
import ipaddr from 'ipaddr.js';
import { ipVersion, isIpv4 } from './ip-text.ts';

export interface HostPort {
  readonly ip: string;
  readonly port: number;
  /** The path of a Unix socket instead. */
  readonly path?: string;
}

export function readAddress(address: Address | undefined): HostPort | undefined {
  const kind = address?.address;
  if (kind?.case === 'pipe') return { ip: '', port: 0, path: kind.value.path };
  if (kind?.case !== 'socketAddress') return undefined;
  const port = kind.value.portSpecifier.case === 'portValue' ? kind.value.portSpecifier.value : 0;
  return { ip: kind.value.address, port };
}

export function formatAddress(ip: string, port: number): string {
  return ip.includes(':') ? `[${ip}]:${port}` : `${ip}:${port}`;
}

/** `1.2.3.4:80` or `[::1]:80`. */
export function splitAddress(text: string | undefined): HostPort | undefined {
  const match = /^(?:\[([0-9a-fA-F.:]+)\]|([0-9.]+)):(\d{1,5})$/.exec(text ?? '');
  const ip = match?.[1] ?? match?.[2] ?? '';
  const port = Number(match?.[3]);
  return ipVersion(ip) !== 0 && port > 0 && port < 65_536 ? { ip, port } : undefined;
}

/** IPv4-mapped IPv6 addresses, which dual-stack sockets report, become IPv4. */
export function plainIp(ip: string | undefined): string {
  if (ip === undefined) return '';
  return ip.startsWith('::ffff:') && isIpv4(ip.slice(7)) ? ip.slice(7) : ip;
}

export interface Prefix {
  readonly bytes: readonly number[];
  readonly length: number;
}

export function compilePrefix(range: CidrRange, problems: string[]): Prefix | undefined {
  if (!ipaddr.isValid(range.addressPrefix)) {
    problems.push(`${range.addressPrefix} is not an IP address`);
    return undefined;
  }
  return { bytes: addressBytes(range.addressPrefix), length: range.prefixLen ?? 0 };
}

/** `10.0.0.0/8`. */
export function formatPrefix({ bytes, length }: Prefix): string {
  return `${ipaddr.fromByteArray([...bytes])}/${length}`;
}

export function addressBytes(ip: string): readonly number[] {
  return ipaddr.isValid(ip) ? ipaddr.process(ip).toByteArray() : [];
}

export function inPrefix(address: readonly number[], prefix: Prefix): boolean {
  if (address.length !== prefix.bytes.length) return false;
  for (let bit = 0; bit < prefix.length; bit += 8) {
    const mask = (0xff00 >> Math.min(8, prefix.length - bit)) & 0xff;
    if (((address[bit >> 3] ?? 0) & mask) !== ((prefix.bytes[bit >> 3] ?? 0) & mask)) return false;
  }
  return true;
}
