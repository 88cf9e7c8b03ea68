// Which fields belong to one connection only, and which protocol change they ask for (RFC 9110 section
// 7.6.1).
import type { Headers } from './headers.ts';

export interface ConnectionWishes {
  readonly close: boolean;
  readonly keepAlive: boolean;
  /** The protocol of an upgrade, lower case; nothing at all is one that nobody allows. */
  readonly upgrade: string | undefined;
  /** False for a request that asks to hide where it comes from, or for more removals than anybody needs. */
  readonly valid: boolean;
}

const plain: ConnectionWishes = { close: false, keepAlive: false, upgrade: undefined, valid: true };
const keepsAlive: ConnectionWishes = { ...plain, keepAlive: true };
const maxTokens = 10;

export function connectionWishes(headers: Headers): ConnectionWishes {
  const connection = headers.joined('connection');
  if (connection === undefined) return plain;
  // What servers say in every response.
  if (connection === 'keep-alive') return keepsAlive;
  const tokens = connection.toLowerCase().split(',');
  let valid = tokens.length < maxTokens;
  let upgrades = false;
  let close = false;
  let keepAlive = false;
  for (const raw of tokens) {
    const token = raw.trim();
    if (token === 'close') close = true;
    else if (token === 'keep-alive') keepAlive = true;
    else if (token === 'upgrade') upgrades = true;
    else if (forbidden(token)) valid = false;
    else if (token !== '' && nominable(token)) headers.remove(token);
  }
  const protocol = upgrades ? headers.get('upgrade') : undefined;
  return { close, keepAlive, upgrade: protocol?.toLowerCase(), valid };
}

/** Whoever took these away would be taken for somebody else further on. */
function forbidden(token: string): boolean {
  return (
    token === 'x-forwarded-for' ||
    token === 'x-forwarded-host' ||
    token === 'x-forwarded-proto' ||
    token === 'host' ||
    token.startsWith(':')
  );
}

/** Names that a `connection` field may take away; those that frame the message may not. */
function nominable(token: string): boolean {
  return (
    token !== 'te' &&
    token !== 'content-length' &&
    token !== 'transfer-encoding' &&
    token !== 'http2-settings' &&
    token !== 'connection'
  );
}

/** Drops what must not be forwarded; an upgrade keeps its own two fields. */
export function dropHopByHop(headers: Headers, keepUpgrade: boolean): void {
  const list = headers.list;
  for (let i = 0; i < list.length; i += 2) {
    const name = list[i];
    if (name === undefined || !isHopByHop(name)) continue;
    headers.removeWhere((n) => isHopByHop(n) && !(keepUpgrade && (n === 'connection' || n === 'upgrade')));
    return;
  }
}

/**
 * Trailers without what frames, routes or authorises a message: that has its meaning only at the front (RFC
 * 9110 section 6.5.1).
 */
export function passableTrailers(trailers: Headers): Headers {
  trailers.removeWhere((name) => isHopByHop(name) || frontOnly.has(name));
  return trailers;
}

const frontOnly = new Set([
  'content-length',
  'host',
  'te',
  'trailer',
  'authorization',
  'proxy-authorization',
  'cookie',
  'set-cookie',
]);

export function isHopByHop(name: string): boolean {
  switch (name) {
    case 'connection':
    case 'keep-alive':
    case 'proxy-connection':
    case 'transfer-encoding':
    case 'upgrade':
    case 'http2-settings':
      return true;
    default:
      return false;
  }
}
