// Which responses are compressed, which bodies decompressed, and what their fields become.
// https://www.envoyproxy.io/docs/envoy/latest/configuration/http/http_filters/compressor_filter#how-it-works
import type { Headers } from '../../codec/http/headers.ts';
import type { Coding, CompressorPlan } from './coding-plan.ts';

/** Whether the client takes the coding, and does not like the plain form more. */
export function accepts(acceptEncoding: string | undefined, coding: Coding): boolean {
  const qualities = new Map<string, number>();
  for (const part of (acceptEncoding ?? '').split(',')) {
    const [name = '', ...params] = part.split(';').map((piece) => piece.trim().toLowerCase());
    const quality = params.find((param) => param.startsWith('q='));
    if (name !== '') qualities.set(name, quality === undefined ? 1 : Number(quality.slice(2)));
  }
  const own = qualities.get(coding) ?? qualities.get('*') ?? 0;
  return own > 0 && own >= (qualities.get('identity') ?? 0);
}

/**
 * Whether the response is to be compressed. Changes its fields, also where only this client does not want it
 * so.
 */
export function compresses(plan: CompressorPlan, headers: Headers, wanted: boolean): boolean {
  if (!compressible(plan, headers)) return false;
  addVary(headers);
  if (!wanted) return false;
  headers.remove('content-length');
  // A strong tag names the bytes, which are others now.
  if (headers.has('etag') && !headers.get('etag')?.startsWith('W/')) headers.remove('etag');
  headers.set('content-encoding', plan.coding);
  return true;
}

function compressible({ response, exceptWithEtag }: CompressorPlan, headers: Headers): boolean {
  if (!response || headers.has('content-encoding') || (exceptWithEtag && headers.has('etag'))) return false;
  if (/(^|,)\s*no-transform\s*(,|$)/i.test(headers.get('cache-control') ?? '')) return false;
  const length = headers.get('content-length');
  if (length !== undefined && Number(length) < response.minLength) return false;
  const type = headers.get('content-type')?.split(';')[0]?.trim().toLowerCase();
  return type === undefined || response.contentTypes.has(type);
}

function addVary(headers: Headers): void {
  const vary = headers.get('vary');
  if (vary === undefined || vary === '') headers.set('vary', 'Accept-Encoding');
  else if (!/(^|,)\s*(\*|accept-encoding)\s*(,|$)/i.test(vary))
    headers.set('vary', `${vary}, Accept-Encoding`);
}

/** Changes the fields when the body is in the coding, and in no other besides. */
export function decompresses(coding: Coding, headers: Headers): boolean {
  if (!isCoded(coding, headers)) return false;
  headers.remove('content-length');
  headers.remove('content-encoding');
  return true;
}

/** Whether the body is in the coding alone, and may be changed. */
export function isCoded(coding: Coding, headers: Headers): boolean {
  if (headers.get('content-encoding')?.trim().toLowerCase() !== coding) return false;
  return !/(^|,)\s*no-transform\s*(,|$)/i.test(headers.get('cache-control') ?? '');
}
