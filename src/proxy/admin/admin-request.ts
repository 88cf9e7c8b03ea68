// What is asked of the administration interface, and whether it may be.
import type { IncomingMessage } from 'node:http';
import net from 'node:net';
import { plainIp } from '../codec/address.ts';

export interface AdminRequest {
  readonly path: string;
  readonly query: URLSearchParams;
}

/** Undefined for a target that is not a plain path. */
export function readTarget(target: string | undefined): AdminRequest | undefined {
  if (!target?.startsWith('/') || target.startsWith('//')) return undefined;
  const at = target.search(/[?#]/);
  const path = at < 0 ? target : target.slice(0, at);
  return { path, query: new URLSearchParams(at >= 0 && target[at] === '?' ? target.slice(at + 1) : '') };
}

/**
 * Why a change is not taken from this request, if so. A page in a browser can send requests here, under a
 * name that its owner lets point to this machine (DNS rebinding): neither its name nor its origin is this
 * interface's own.
 */
export function changeProblem(
  request: IncomingMessage,
  configured: string,
): { status: number; text: string } | undefined {
  if (request.method !== 'POST') return { status: 405, text: 'use POST\n' };
  const host = request.headers.host ?? '';
  if (!isOwnName(hostOf(host), [configured, plainIp(request.socket.localAddress)]))
    return { status: 403, text: 'the Host of the request is not an address of this interface\n' };
  const { origin } = request.headers;
  if (origin !== undefined && origin.replace(/^https?:\/\//, '') !== host)
    return { status: 403, text: 'requests of other sites are not taken\n' };
  return undefined;
}

function isOwnName(name: string, addresses: readonly string[]): boolean {
  if (name === 'localhost' || name === '::1' || (net.isIPv4(name) && name.startsWith('127.'))) return true;
  return name !== '' && addresses.includes(name);
}

function hostOf(host: string): string {
  const match = /^(?:\[([^\]]*)\]|([^:]*))(?::\d*)?$/.exec(host.toLowerCase());
  return match?.[1] ?? match?.[2] ?? '';
}
