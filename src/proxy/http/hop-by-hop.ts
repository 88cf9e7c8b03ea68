// Which fields belong to one connection only, and which protocol change they ask for (RFC 9110 section 7.6.1).
import type { Headers } from './headers.ts';

export interface ConnectionWishes {
  readonly close: boolean;
  readonly keepAlive: boolean;
  /** The protocol of an upgrade, lower case. */
  readonly upgrade: string | undefined;
}

const plain: ConnectionWishes = { close: false, keepAlive: false, upgrade: undefined };

export function connectionWishes(headers: Headers): ConnectionWishes {
  const connection = headers.get('connection');
  if (connection === undefined) return plain;
  const tokens = connection.toLowerCase().split(',');
  let upgrades = false;
  let close = false;
  let keepAlive = false;
  for (const raw of tokens) {
    const token = raw.trim();
    if (token === 'close') close = true;
    else if (token === 'keep-alive') keepAlive = true;
    else if (token === 'upgrade') upgrades = true;
    else if (token !== '' && nominable(token)) headers.remove(token);
  }
  const protocol = upgrades ? headers.get('upgrade') : undefined;
  return { close, keepAlive, upgrade: protocol === undefined || protocol === '' ? undefined : protocol.toLowerCase() };
}

/** Names that a `connection` field may take away; those that frame or route the message may not. */
function nominable(token: string): boolean {
  return (
    token !== 'te' &&
    token !== 'host' &&
    token !== 'content-length' &&
    token !== 'transfer-encoding' &&
    !token.startsWith(':') &&
    !token.startsWith('x-forwarded') &&
    token !== 'http2-settings'
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
