// HTTP/2 header blocks, checked: node:http2 hands on what the peer sent, and an HTTP/1.1 hop would read some
// of it as something else. RFC 9113 sections 8.2 and 8.3
import { validAuthority } from '../http/authority.ts';
import { Headers } from '../http/headers.ts';
import { joinRepeated } from '../http/inline-fields.ts';

export interface H2RequestHead {
  readonly method: string;
  readonly path: string | undefined;
  readonly authority: string;
  readonly scheme: string;
  /** Of an extended CONNECT (RFC 8441). */
  readonly protocol: string | undefined;
  readonly headers: Headers;
}

/** Undefined for a head that is malformed. */
export function readRequestHead(raw: readonly string[]): H2RequestHead | undefined {
  const pseudo = new Map<string, string>();
  const headers = readFields(raw, requestPseudo, pseudo);
  const method = pseudo.get(':method');
  const protocol = pseudo.get(':protocol');
  if (!headers || method === undefined || !token.test(method)) return undefined;
  const path = pseudo.get(':path');
  const hosts = headers.getAll('host');
  const authority = pseudo.get(':authority') ?? hosts[0];
  headers.remove('host');
  if (!authority || hosts.length > 1 || !validAuthority(authority)) return undefined;
  if (
    method === 'CONNECT' ? (path === undefined) !== (protocol === undefined) : !path || protocol !== undefined
  )
    return undefined;
  const scheme = pseudo.get(':scheme') ?? '';
  if (scheme === '' && (method !== 'CONNECT' || protocol !== undefined)) return undefined;
  if (path !== undefined && unsafeInPath.test(path)) return undefined;
  if (protocol !== undefined && !token.test(protocol)) return undefined;
  return { method, path, authority, scheme, protocol: protocol?.toLowerCase(), headers };
}

/** Undefined for a head that is malformed. */
export function readResponseHead(
  raw: readonly string[],
): { readonly status: number; readonly headers: Headers } | undefined {
  const pseudo = new Map<string, string>();
  const headers = readFields(raw, responsePseudo, pseudo);
  const status = pseudo.get(':status') ?? '';
  return headers && /^[1-9]\d\d$/.test(status) ? { status: Number(status), headers } : undefined;
}

export function readTrailers(raw: readonly string[]): Headers | undefined {
  return readFields(raw, noPseudo, new Map());
}

const requestPseudo: ReadonlySet<string> = new Set([
  ':method',
  ':path',
  ':scheme',
  ':authority',
  ':protocol',
]);
const responsePseudo: ReadonlySet<string> = new Set([':status']);
const noPseudo: ReadonlySet<string> = new Set();

function readFields(
  raw: readonly string[],
  known: ReadonlySet<string>,
  pseudo: Map<string, string>,
): Headers | undefined {
  const headers = new Headers();
  let cookies: string | undefined;
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const name = raw[i] ?? '';
    const value = raw[i + 1] ?? '';
    if (name.charCodeAt(0) === 0x3a) {
      if (!known.has(name) || pseudo.has(name) || headers.size > 0 || !fieldValue.test(value))
        return undefined;
      pseudo.set(name, value);
      continue;
    }
    if (!fieldName.test(name) || !fieldValue.test(value) || connectionSpecific(name, value)) return undefined;
    // Cookie crumbs become one line again (RFC 9113 section 8.2.3).
    if (name === 'cookie') cookies = cookies === undefined ? value : `${cookies}; ${value}`;
    else headers.add(name, value);
  }
  if (cookies !== undefined) headers.add('cookie', cookies);
  joinRepeated(headers, known === requestPseudo ? 'request' : 'response');
  return headers;
}

const token = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
const fieldName = /^[!#$%&'*+.^_`|~0-9a-z-]+$/;
const fieldValue = /^[\t\x20-\x7e\x80-\xff]*$/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
const unsafeInPath = /[\x00-\x20\x7f]/;

function connectionSpecific(name: string, value: string): boolean {
  switch (name) {
    case 'connection':
    case 'transfer-encoding':
    case 'upgrade':
    case 'keep-alive':
    case 'proxy-connection':
      return true;
    case 'te':
      return value.toLowerCase() !== 'trailers';
    default:
      return false;
  }
}
