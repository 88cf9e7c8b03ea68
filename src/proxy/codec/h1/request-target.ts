// What a request line and its Host are for: path, authority, scheme.

import { validAuthority } from '../http/authority.ts';
import { isIpv6 } from '../ip-text.ts';
import type { ScannedHead } from './head-scanner.ts';

export interface Target {
  readonly path: string;
  readonly authority: string;
  readonly scheme: string;
}

/**
 * RFC 9112 section 3.2: origin form, absolute form, authority form of CONNECT, asterisk form. A number is the
 * status to refuse with.
 */
export function readTarget(head: ScannedHead, refusesHttps: boolean): Target | number {
  // Two Host fields become one value that no virtual host has, as Envoy joins them.
  const host = head.headers.joined('host');
  if (host === undefined && !head.http10) return 400;
  head.headers.remove('host');
  const target = form(head, host ?? '', refusesHttps);
  return typeof target === 'number' || validAuthority(target.authority) ? target : 400;
}

function form(head: ScannedHead, host: string, refusesHttps: boolean): Target | number {
  const target = head.second;
  if (head.first === 'CONNECT') return { path: '', authority: target, scheme: '' };
  if (target.charCodeAt(0) === 0x2f || target === '*') return { path: target, authority: host, scheme: '' };
  // Userinfo is dropped: nothing beyond this hop may see it or mistake it for the host.
  const absolute = /^(https?):\/\/(?:[^/?#@]*@)?([^/?#@]+)((?:[/?][^#]*)?)$/i.exec(target);
  if (!absolute) return 400;
  const [, scheme = '', authority = '', path = ''] = absolute;
  if (!namesOneHost(authority)) return 400;
  const secure = scheme.toLowerCase() === 'https';
  if (secure && refusesHttps) return 403;
  return { path: path === '' ? '/' : path, authority, scheme: secure ? 'https' : 'http' };
}

/**
 * The host of an absolute target is a name or an address, one of IPv6 in brackets, and its port a number:
 * Envoy's parser takes no other.
 */
function namesOneHost(authority: string): boolean {
  const [whole, address, port = '0'] = /^(?:[a-z0-9.-]+|\[([^\]]*)\])(?::(\d{1,5}))?$/i.exec(authority) ?? [];
  return whole !== undefined && (address === undefined || isIpv6(address)) && Number(port) <= 65_535;
}
