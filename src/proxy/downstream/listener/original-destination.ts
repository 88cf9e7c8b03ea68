// The address that a redirected connection was meant for, asked of the kernel.
import type net from 'node:net';
import ipaddr from 'ipaddr.js';
import type { HostPort } from '../../codec/address.ts';
import { plainIp } from '../../codec/address.ts';
import { descriptorOf, type GetSockOpt, socketCalls } from '../../net/socket-options.ts';

const solIp = 0;
const solIpv6 = 41;
const soOriginalDst = 80;

/** Where capture by redirection is not available, or did not happen, there is no answer. */
export class OriginalDestinations {
  of(socket: net.Socket): HostPort | undefined {
    const direct = { ip: plainIp(socket.localAddress), port: socket.localPort ?? 0 };
    const library = socketCalls();
    const fd = descriptorOf(socket);
    if (library === 'unavailable' || fd < 0) return undefined;
    const original = direct.ip.includes(':') ? v6(library.get, fd) : v4(library.get, fd);
    // The kernel answers with the address of the listener when it follows a connection without having
    // redirected it.
    return original?.ip === direct.ip && original.port === direct.port ? undefined : original;
  }
}

function v4(call: GetSockOpt, fd: number): HostPort | undefined {
  const address = Buffer.alloc(16);
  if (call(fd, solIp, soOriginalDst, address, [16]) !== 0) return undefined;
  return { ip: [...address.subarray(4, 8)].join('.'), port: address.readUInt16BE(2) };
}

function v6(call: GetSockOpt, fd: number): HostPort | undefined {
  const address = Buffer.alloc(28);
  if (call(fd, solIpv6, soOriginalDst, address, [28]) !== 0) return undefined;
  const groups = Array.from({ length: 8 }, (_, i) => address.readUInt16BE(8 + i * 2).toString(16));
  return { ip: ipaddr.parse(groups.join(':')).toString(), port: address.readUInt16BE(2) };
}
