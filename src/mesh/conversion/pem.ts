// Whether text is what it is taken for: certificates or keys in PEM. Their content is not looked at, only
// that there is one of the right shape.
// https://datatracker.ietf.org/doc/html/rfc7468

const begin = '-----BEGIN ';
const dashes = '-----';

export function isCertificates(text: string): boolean {
  const blocks = blocksOf(text).filter(({ label }) => label === 'CERTIFICATE');
  return blocks.length > 0 && blocks.every(({ content }) => isDerSequence(content));
}

export function isCertificatePair(certificate: Uint8Array | undefined, key: Uint8Array | undefined): boolean {
  if (!certificate || !key) return false;
  const keys = blocksOf(new TextDecoder().decode(key)).filter(({ label }) => label.endsWith('PRIVATE KEY'));
  return (
    isCertificates(new TextDecoder().decode(certificate)) &&
    keys.some(({ content }) => isDerSequence(content))
  );
}

interface Block {
  readonly label: string;
  /** Base64 without blanks. */
  readonly content: string;
}

/**
 * Searched by hand: a pattern with blanks, anything and blanks between two marks takes cubic time over a key
 * full of blanks.
 */
function blocksOf(text: string): readonly Block[] {
  const blocks: Block[] = [];
  for (let at = text.indexOf(begin); at !== -1; at = text.indexOf(begin, at)) {
    const labelAt = at + begin.length;
    const labelEnd = text.indexOf(dashes, labelAt);
    if (labelEnd === -1) break;
    const label = text.slice(labelAt, labelEnd);
    const bodyAt = labelEnd + dashes.length;
    const end = /^[A-Z0-9 ]+$/.test(label) ? text.indexOf(`-----END ${label}-----`, bodyAt) : -1;
    const body = end === -1 ? '' : text.slice(bodyAt, end);
    if (/^[A-Za-z0-9+/=\s]+$/.test(body)) blocks.push({ label, content: body.replace(/\s/g, '') });
    at = end === -1 ? bodyAt : end;
  }
  return blocks;
}

/** Base64 of one ASN.1 sequence whose length is that of the content. */
function isDerSequence(base64: string): boolean {
  let bytes: string;
  try {
    bytes = atob(base64);
  } catch {
    return false;
  }
  if (bytes.charCodeAt(0) !== 0x30) return false;
  const first = bytes.charCodeAt(1);
  if (first < 0x80) return bytes.length === 2 + first;
  const size = first & 0x7f;
  let length = 0;
  for (let i = 0; i < size; i++) length = length * 256 + bytes.charCodeAt(2 + i);
  return bytes.length === 2 + size + length;
}
