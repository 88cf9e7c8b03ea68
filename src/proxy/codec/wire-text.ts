// Text on its way to the wire. Everything between the codecs is one byte a character: text of the
// configuration and of certificates is turned into its UTF-8 bytes first. Written out as it is, U+010D U+010A
// would be CR LF.

const encoder = new TextEncoder();
const ascii = /^[\0-\x7f]*$/;
const breaks = /[\0\r\n]/;

/** The UTF-8 bytes of a text, one a character. */
export function wireText(text: string): string {
  return ascii.test(text)
    ? text
    : Array.from(encoder.encode(text), (byte) => String.fromCharCode(byte)).join('');
}

/** Configured text for a header field or a request line; what would end the line there is a problem. */
export function configuredText(text: string, what: string, problems: string[]): string {
  if (breaks.test(text)) problems.push(`${what} ${JSON.stringify(text)} holds a line break or NUL`);
  return wireText(text);
}

/** Text from a peer, such as a name in its certificate, without what would end a field. */
export function peerText(text: string): string {
  const bytes = wireText(text);
  return breaks.test(bytes) ? bytes.replace(/[\0\r\n]/g, '') : bytes;
}

/** Lower case for the letters of ASCII, the only ones whose case HTTP knows. */
export function asciiLower(text: string): string {
  return ascii.test(text) ? text.toLowerCase() : text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
}
