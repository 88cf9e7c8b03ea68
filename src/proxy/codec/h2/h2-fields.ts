// Our flat header lists as the objects of node:http2.
import type { Headers } from '../http/headers.ts';
import { isHopByHop } from '../http/hop-by-hop.ts';

/** What node:http2 takes. */
export type H2Fields = Record<string, number | string | string[] | undefined>;

export function toH2(headers: Headers, into: H2Fields): H2Fields {
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
