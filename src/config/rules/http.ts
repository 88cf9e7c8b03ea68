// HTTP: header names and values, methods, status codes.
import type { Path, RuleContext } from '../schema/index.ts';

const token = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
export const httpMethods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'CONNECT', 'OPTIONS', 'TRACE'];

/** Name of a header field: a token of RFC 9110, 5.6.2. */
export function checkHeaderName(name: string, path: Path, context: RuleContext): void {
  if (name === '') context.report('MT0113', path, 'the header name is empty');
  else if (!token.test(name)) context.report('MT0113', path, `"${name}" is not a header name`);
}

export function isAuthority(name: string): boolean {
  return name.toLowerCase() === 'host' || name === ':authority';
}

/**
 * A header value is a format string for Envoy:
 * https://www.envoyproxy.io/docs/envoy/latest/configuration/http/http_conn_man/headers#custom-request-response-headers
 */
export function checkHeaderValue(value: string, path: Path, context: RuleContext): void {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what the rule is about
  if (/[\x00-\x08\x0a-\x1f\x7f]/.test(value)) {
    context.report('MT0113', path, 'a header value cannot have control characters');
    return;
  }
  const rest = value
    .replaceAll('%%', '')
    .replace(/%[A-Z0-9_]+(?:\((?:[^%()]|\([^%()]*\)|%)*\))?(?::\d+)?%/g, '');
  if (rest.includes('%'))
    context.report('MT0113', path, `"${value}" has an open %: write %% for a percent sign, or %VARIABLE%`);
}

/** Codes that Go's net/http has a text for, which is Istio's test of a status in retryOn. */
export function isNamedStatus(code: number): boolean {
  const ranges: readonly (readonly [number, number])[] = [
    [100, 103],
    [200, 208],
    [226, 226],
    [300, 305],
    [307, 308],
    [400, 418],
    [421, 426],
    [428, 429],
    [431, 431],
    [451, 451],
    [500, 508],
    [510, 511],
  ];
  return ranges.some(([from, to]) => code >= from && code <= to);
}
