// Between our flat header lists and the objects of node:http2.
import type { IncomingHttpHeaders, OutgoingHttpHeaders } from 'node:http2';
import { Headers } from './headers.ts';
import { isHopByHop } from './hop-by-hop.ts';

export function fromH2(headers: IncomingHttpHeaders): Headers {
  const result = new Headers();
  for (const name in headers) {
    if (name.charCodeAt(0) === 0x3a) continue;
    const value = headers[name];
    if (value === undefined) continue;
    if (Array.isArray(value)) for (const one of value) result.add(name, one);
    else result.add(name, String(value));
  }
  return result;
}

/** node:http2 joins repeated fields; its raw list keeps the lines apart. */
export function fromRawH2(raw: readonly string[]): Headers {
  const result = new Headers();
  let cookies: string | undefined;
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const name = raw[i] ?? '';
    if (name.charCodeAt(0) === 0x3a) continue;
    // Cookie crumbs become one line again (RFC 9113 section 8.2.3).
    if (name === 'cookie') cookies = cookies === undefined ? raw[i + 1] : `${cookies}; ${raw[i + 1]}`;
    else result.add(name, raw[i + 1] ?? '');
  }
  if (cookies !== undefined) result.add('cookie', cookies);
  return result;
}

export function toH2(headers: Headers, into: OutgoingHttpHeaders): OutgoingHttpHeaders {
  const list = headers.list;
  for (let i = 0; i < list.length; i += 2) {
    const name = list[i] ?? '';
    const value = list[i + 1] ?? '';
    if (isHopByHop(name) || name === 'host' || (name === 'te' && value !== 'trailers')) continue;
    const before = into[name];
    if (before === undefined) into[name] = value;
    else if (single.has(name)) into[name] = value;
    else if (Array.isArray(before)) before.push(value);
    else into[name] = [String(before), value];
  }
  return into;
}

/** node:http2 throws when these are given twice. */
const single = new Set(
  'content-length content-type date etag location server user-agent age expires from if-modified-since if-unmodified-since last-modified max-forwards referer retry-after access-control-max-age access-control-request-method content-encoding content-language content-location content-md5 content-range dnt host if-match if-none-match if-range proxy-authorization range tk upgrade-insecure-requests x-content-type-options authorization access-control-allow-credentials'.split(
    ' ',
  ),
);
