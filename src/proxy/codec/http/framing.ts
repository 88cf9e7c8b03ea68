// How long the body of an HTTP/1 message is: RFC 9112 section 6, refusing everything that two parsers could
// read differently.
import type { Headers } from './headers.ts';

/** A length in bytes, or one of the marks below. */
export type Framing = number;

export const chunked = -1;
export const untilClose = -2;
export const ambiguous = -3;
export const unknownCoding = -4;

export function requestFraming(headers: Headers): Framing {
  const declared = declaredFraming(headers);
  return declared === undefined ? 0 : declared;
}

export function responseFraming(headers: Headers, status: number, method: string): Framing {
  const declared = declaredFraming(headers);
  if (declared === ambiguous || declared === unknownCoding) return declared;
  // Where there can be no body, one that is announced would be taken for the next response by somebody.
  if (status < 200 || status === 204) {
    if (declared !== undefined && declared !== 0) return ambiguous;
    headers.remove('content-length');
  }
  if (method === 'HEAD' || status < 200 || status === 204 || status === 304) return 0;
  return declared === undefined ? untilClose : declared;
}

function declaredFraming(headers: Headers): Framing | undefined {
  const list = headers.list;
  let length: number | undefined;
  let coding: string | undefined;
  for (let i = 0; i < list.length; i += 2) {
    const name = list[i];
    if (name === 'content-length') {
      if (length !== undefined) return ambiguous;
      length = decimal(list[i + 1] ?? '');
      if (length < 0) return ambiguous;
    } else if (name === 'transfer-encoding') {
      coding = coding === undefined ? (list[i + 1] ?? '') : `${coding},${list[i + 1]}`;
    }
  }
  if (coding === undefined) return length;
  if (length !== undefined) return ambiguous;
  return coding === 'chunked' || coding.toLowerCase() === 'chunked' ? chunked : unknownCoding;
}

function decimal(text: string): number {
  if (text.length === 0 || text.length > 15) return -1;
  let value = 0;
  for (let i = 0; i < text.length; i++) {
    const digit = text.charCodeAt(i) - 48;
    if (digit < 0 || digit > 9) return -1;
    value = value * 10 + digit;
  }
  return value;
}
