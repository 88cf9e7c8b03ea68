// Scans the bytes of an HTTP/1 head in one pass, strictly (RFC 9112), into flat header lists.
import { Headers } from '../http/headers.ts';
import { joinRepeated } from '../http/inline-fields.ts';

export type HeadProblem = 'malformed' | 'too-many-headers' | 'other-version';

export interface ScannedHead {
  /** Request: method, target. Response: status text as second. */
  first: string;
  second: string;
  http10: boolean;
  headers: Headers;
}

// Where names and values lie: four numbers a field, reused by every scan and grown when a scan needs more.
let fields = new Int32Array(4 * 128);

/** tchar of RFC 9110 section 5.6.2, mapped to lower case; 0 is not allowed in a name. */
const lower = new Uint8Array(256);
for (const c of "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz")
  lower[c.charCodeAt(0)] = c.charCodeAt(0);
for (let c = 0x41; c <= 0x5a; c++) lower[c] = c + 0x20;

/** Field values: visible, space, tab and obs-text. */
const inValue = new Uint8Array(256);
for (let c = 0x20; c < 0x100; c++) inValue[c] = c === 0x7f ? 0 : 1;
inValue[9] = 1;

/**
 * Which hashes of names the present scan has met: a name that comes twice is noticed, at times one that does
 * not.
 */
const seen = new Uint32Array(1024);
let generation = 0;
let repeated = false;

const CR = 13;
const LF = 10;
const SP = 32;
const DEL = 127;
const COLON = 58;

export interface ScanOptions {
  readonly request: boolean;
  readonly maxHeaders: number;
}

/** `start` is the first byte of the start line, `end` the byte after the empty line. */
export function scanHead(
  bytes: Buffer,
  start: number,
  end: number,
  options: ScanOptions,
): ScannedHead | HeadProblem {
  let at = start;
  while (inValue[bytes[at] ?? 0] === 1) at++;
  if (bytes[at] !== CR || bytes[at + 1] !== LF || at + 2 > end) return 'malformed';
  const lineLength = at - start;
  const text = bytes.toString('latin1', start, end);
  const headers = scanFields(bytes, at + 2, end, { text, base: start, maxHeaders: options.maxHeaders });
  if (typeof headers === 'string') return headers;
  if (repeated) joinRepeated(headers, options.request ? 'request' : 'response');
  return options.request ? requestLine(text, lineLength, headers) : statusLine(text, lineLength, headers);
}

/** The trailers of a chunked body; `end` is the byte after the empty line. */
export function scanTrailers(
  bytes: Buffer,
  start: number,
  end: number,
  maxHeaders: number,
): Headers | HeadProblem {
  return scanFields(bytes, start, end, {
    text: bytes.toString('latin1', start, end),
    base: start,
    maxHeaders,
  });
}

/** What is already wrong with a request of which the head is not there yet. */
export function requestProblem(bytes: Buffer, start: number, end: number): HeadProblem | undefined {
  if (lower[bytes[start] ?? 0] === 0) return 'malformed';
  const line = bytes.subarray(start, Math.min(end, start + maxEarlyLine)).indexOf(LF);
  if (line < 0) return undefined;
  const length = bytes[start + line - 1] === CR ? line - 1 : line;
  const head = requestLine(bytes.toString('latin1', start, start + length + 2), length, new Headers());
  return typeof head === 'string' ? head : undefined;
}

export function responseProblem(bytes: Buffer, start: number, end: number): HeadProblem | undefined {
  for (let i = 0; i < responseStart.length && start + i < end; i++)
    if (bytes[start + i] !== responseStart.charCodeAt(i)) return 'malformed';
  return undefined;
}

const responseStart = 'HTTP/1.';
/** A line longer than this is judged once its head is complete. */
const maxEarlyLine = 2048;

interface FieldText {
  readonly text: string;
  /** Where the text begins in the bytes. */
  readonly base: number;
  readonly maxHeaders: number;
}

function scanFields(
  bytes: Buffer,
  start: number,
  end: number,
  { text, base, maxHeaders }: FieldText,
): Headers | HeadProblem {
  let at = start;
  let count = 0;
  while (bytes[at] !== CR) {
    if (count >= maxHeaders) return 'too-many-headers';
    const nameStart = at;
    while (lower[bytes[at] ?? 0] !== 0) at++;
    if (at === nameStart || bytes[at] !== COLON) return 'malformed';
    const nameEnd = at++;
    while (bytes[at] === SP || bytes[at] === 9) at++;
    const valueStart = at;
    while (inValue[bytes[at] ?? 0] === 1) at++;
    if (bytes[at] !== CR || bytes[at + 1] !== LF) return 'malformed';
    let valueEnd = at;
    while (valueEnd > valueStart && (bytes[valueEnd - 1] === SP || bytes[valueEnd - 1] === 9)) valueEnd--;
    at += 2;
    const slot = count++ * 4;
    if (slot === fields.length) fields = grown(fields);
    fields[slot] = nameStart;
    fields[slot + 1] = nameEnd;
    fields[slot + 2] = valueStart;
    fields[slot + 3] = valueEnd;
  }
  if (bytes[at + 1] !== LF || at + 2 !== end) return 'malformed';
  generation++;
  repeated = false;
  const list = new Array<string>(count * 2);
  for (let i = 0; i < count; i++) {
    const slot = i * 4;
    list[i * 2] = fieldName(bytes, text, base, slot);
    list[i * 2 + 1] = text.slice((fields[slot + 2] ?? 0) - base, (fields[slot + 3] ?? 0) - base);
  }
  return new Headers(list);
}

function grown(full: Int32Array<ArrayBuffer>): Int32Array<ArrayBuffer> {
  const wider = new Int32Array(full.length * 2);
  wider.set(full);
  return wider;
}

function requestLine(text: string, length: number, headers: Headers): ScannedHead | HeadProblem {
  const a = text.indexOf(' ');
  const b = text.indexOf(' ', a + 1);
  for (let i = 0; i < a; i++) if (lower[text.charCodeAt(i)] === 0) return 'malformed';
  // HTTP/0.9 had no version in its request line.
  if (a > 0 && a < length - 1 && (b < 0 || b > length)) return 'other-version';
  if (a <= 0 || b <= a + 1 || b > length || text.lastIndexOf(' ', length - 1) !== b) return 'malformed';
  for (let i = a + 1; i < b; i++)
    if (text.charCodeAt(i) <= SP || text.charCodeAt(i) >= DEL) return 'malformed';
  const http11 = length === b + 9 && text.startsWith('HTTP/1.1', b + 1);
  if (!http11 && !(length === b + 9 && text.startsWith('HTTP/1.0', b + 1)))
    return /^HTTP\/\d\.\d$/.test(text.slice(b + 1, length)) ? 'other-version' : 'malformed';
  return { first: text.slice(0, a), second: text.slice(a + 1, b), http10: !http11, headers };
}

function statusLine(text: string, length: number, headers: Headers): ScannedHead | HeadProblem {
  const http11 = text.startsWith('HTTP/1.1 ');
  if (!http11 && !text.startsWith('HTTP/1.0 ')) return 'malformed';
  const status = text.slice(9, 12);
  if (!/^[1-9]\d\d$/.test(status) || (length > 12 && text.charCodeAt(12) !== SP)) return 'malformed';
  return { first: status, second: text.slice(13, length), http10: !http11, headers };
}

/** The usual names are found by hash in the bytes, so that no text is made for them. */
function fieldName(bytes: Buffer, text: string, start: number, slot: number): string {
  const from = fields[slot] ?? 0;
  const to = fields[slot + 1] ?? 0;
  let hash = to - from;
  for (let i = from; i < to; i++) hash = (Math.imul(hash, 31) + (lower[bytes[i] ?? 0] ?? 0)) | 0;
  if (seen[hash & 1023] === generation) repeated = true;
  else seen[hash & 1023] = generation;
  const known = names[hash & 1023];
  if (known !== undefined && sameName(known, bytes, from, to)) return known;
  return text.slice(from - start, to - start).toLowerCase();
}

function sameName(known: string, bytes: Buffer, from: number, to: number): boolean {
  if (known.length !== to - from) return false;
  for (let i = from; i < to; i++) if (known.charCodeAt(i - from) !== lower[bytes[i] ?? 0]) return false;
  return true;
}

const usual =
  'host user-agent accept accept-encoding accept-language connection content-length content-type transfer-encoding cookie set-cookie date server etag last-modified cache-control expires vary location origin referer authorization te trailer upgrade expect via keep-alive proxy-connection if-none-match if-modified-since range content-encoding age x-request-id x-forwarded-for x-forwarded-proto x-forwarded-host x-forwarded-client-cert x-envoy-decorator-operation x-envoy-upstream-service-time x-envoy-attempt-count x-envoy-peer-metadata x-envoy-peer-metadata-id x-envoy-expected-rq-timeout-ms x-b3-traceid x-b3-spanid x-b3-sampled x-b3-parentspanid traceparent tracestate grpc-timeout grpc-status grpc-message end-user x-powered-by accept-ranges access-control-allow-origin pragma strict-transport-security upgrade-insecure-requests sec-fetch-site sec-fetch-mode sec-fetch-dest sec-ch-ua dnt';
const names = new Array<string | undefined>(1024).fill(undefined);
for (const name of usual.split(' ')) {
  let hash = name.length;
  for (let i = 0; i < name.length; i++) hash = (Math.imul(hash, 31) + name.charCodeAt(i)) | 0;
  names[hash & 1023] = name;
}
