// IP addresses, CIDR blocks, unix sockets and ports.
import ipaddr from 'ipaddr.js';
import type { Path, RuleContext } from '../schema/index.ts';

export const unixPrefix = 'unix://';

const byte = '(?:25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)';
const ipv4 = new RegExp(`^${byte}(?:\\.${byte}){3}$`);

// The library's own test for IPv4 throws and catches inside, which costs more than all else where thousands
// of names are asked about.
export function isIpAddress(text: string): boolean {
  return ipv4.test(text) || (text.includes(':') && ipaddr.IPv6.isValid(text));
}

export function isCidr(text: string): boolean {
  const slash = text.indexOf('/');
  return slash > 0 && isIpAddress(text.slice(0, slash)) && ipaddr.isValidCIDR(text);
}

export function checkPort(port: number | undefined, path: Path, context: RuleContext): void {
  if (port === undefined || port < 1 || port > 65535)
    context.report('MT0105', path, `{} must be a port from 1 to 65535, not ${port ?? 0}`);
}

/** As `checkPort`, where 0 is the same as no port. */
export function checkOptionalPort(port: number | undefined, path: Path, context: RuleContext): void {
  if (port) checkPort(port, path, context);
}

export function checkSubnet(subnet: string, path: Path, context: RuleContext): void {
  if (!isIpAddress(subnet) && !isCidr(subnet))
    context.report('MT0119', path, `"${subnet}" is neither an IP address nor a CIDR block`);
}

export function checkIpAddress(address: string, path: Path, context: RuleContext): void {
  if (!isIpAddress(address)) context.report('MT0119', path, `"${address}" is not an IP address`);
}

/** The path of `unix://PATH`: absolute, or abstract with a leading @. */
export function checkUnixPath(socket: string, path: Path, context: RuleContext): void {
  const isFile =
    (socket.startsWith('/') || socket.startsWith('@')) && !socket.endsWith('/') && socket.length > 1;
  if (!isFile) context.report('MT0119', path, `"${socket}" is not the absolute path of a socket`);
}
