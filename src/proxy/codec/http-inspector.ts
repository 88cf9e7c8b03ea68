// Tells HTTP from other plaintext protocols by the first bytes, as Envoy's http_inspector does.

export type HttpGuess = 'incomplete' | 'http/1.0' | 'http/1.1' | 'h2c' | 'other';

const preface = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n';
/**
 * What a method may begin with (tchar of RFC 9110 section 5.6.2); anything else is another protocol at once.
 */
const tokenStart = /^[!#$%&'*+.^_`|~0-9A-Za-z-]/;
const maxLine = 64 * 1024;

export function guessHttp(bytes: Buffer): HttpGuess {
  if (bytes.length === 0) return 'incomplete';
  const start = bytes.toString('latin1', 0, Math.min(bytes.length, preface.length));
  if (start === preface) return 'h2c';
  if (preface.startsWith(start)) return 'incomplete';
  if (!tokenStart.test(start)) return 'other';
  const end = bytes.indexOf(10);
  if (end < 0) return bytes.length > maxLine ? 'other' : 'incomplete';
  const match = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+ \S+ +(HTTP\/1\.[01])\r?$/.exec(
    bytes.toString('latin1', 0, end),
  );
  if (!match) return 'other';
  return match[1] === 'HTTP/1.0' ? 'http/1.0' : 'http/1.1';
}
