// Whether text is what it is taken for: certificates or keys in PEM. Their content is not looked at, only that there is one of the right shape.
// https://datatracker.ietf.org/doc/html/rfc7468

const block = /-----BEGIN ([A-Z0-9 ]+)-----\s*([A-Za-z0-9+/=\s]+?)\s*-----END \1-----/g;

export function isCertificates(text: string): boolean {
  const blocks = blocksOf(text).filter(({ label }) => label === 'CERTIFICATE');
  return blocks.length > 0 && blocks.every(({ content }) => isDerSequence(content));
}

export function isCertificatePair(certificate: Uint8Array | undefined, key: Uint8Array | undefined): boolean {
  if (!certificate || !key) return false;
  const keys = blocksOf(new TextDecoder().decode(key)).filter(({ label }) => label.endsWith('PRIVATE KEY'));
  return isCertificates(new TextDecoder().decode(certificate)) && keys.some(({ content }) => isDerSequence(content));
}

function blocksOf(text: string): readonly { readonly label: string; readonly content: string }[] {
  return [...text.matchAll(block)].map(([, label = '', body = '']) => ({ label, content: body.replace(/\s/g, '') }));
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
