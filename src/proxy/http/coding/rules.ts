// Which responses are compressed, which bodies decompressed, and what their fields become.
// https://www.envoyproxy.io/docs/envoy/latest/configuration/http/http_filters/compressor_filter#how-it-works
import type { Headers } from '../headers.ts';
import type { Coding, CompressorPlan } from './coding-plan.ts';

/** Whether the client takes the coding. */
export function accepts(acceptEncoding: string | undefined, coding: Coding): boolean {
  let any = false;
  for (const part of (acceptEncoding ?? '').split(',')) {
    const [name = '', ...params] = part.split(';').map((piece) => piece.trim().toLowerCase());
    const quality = params.find((param) => param.startsWith('q='));
    const wanted = quality === undefined || Number(quality.slice(2)) > 0;
    if (name === coding) return wanted;
    if (name === '*') any = wanted;
  }
  return any;
}

/** Changes the fields when the response is to be compressed. */
export function compresses(plan: CompressorPlan, headers: Headers, acceptEncoding: string | undefined): boolean {
  const { response } = plan;
  if (!response || !accepts(acceptEncoding, plan.coding) || headers.has('content-encoding')) return false;
  if (plan.exceptWithEtag && headers.has('etag')) return false;
  if (/(^|,)\s*no-transform\s*(,|$)/i.test(headers.get('cache-control') ?? '')) return false;
  const length = headers.get('content-length');
  if (length !== undefined && Number(length) < response.minLength) return false;
  const type = headers.get('content-type')?.split(';')[0]?.trim().toLowerCase();
  if (type !== undefined && !response.contentTypes.has(type)) return false;
  headers.remove('content-length');
  // A strong tag names the bytes, which are others now.
  if (headers.has('etag') && !headers.get('etag')?.startsWith('W/')) headers.remove('etag');
  headers.set('content-encoding', plan.coding);
  addVary(headers);
  return true;
}

function addVary(headers: Headers): void {
  const vary = headers.get('vary');
  if (vary === undefined || vary === '') headers.set('vary', 'Accept-Encoding');
  else if (!/(^|,)\s*(\*|accept-encoding)\s*(,|$)/i.test(vary)) headers.set('vary', `${vary}, Accept-Encoding`);
}

/** Changes the fields when the body is in the coding. Only the outermost coding is taken off. */
export function decompresses(coding: Coding, headers: Headers): boolean {
  const codings = (headers.get('content-encoding') ?? '').split(',').map((name) => name.trim());
  if (codings.at(-1)?.toLowerCase() !== coding) return false;
  if (/(^|,)\s*no-transform\s*(,|$)/i.test(headers.get('cache-control') ?? '')) return false;
  codings.pop();
  headers.remove('content-length');
  if (codings.length > 0) headers.set('content-encoding', codings.join(', '));
  else headers.remove('content-encoding');
  return true;
}
