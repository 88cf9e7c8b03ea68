// Certificates, keys and revocation lists in PEM, checked before they are used: node:tls passes over roots
// that it cannot read, and would then trust nobody or, without any, ask for nothing.
import { X509Certificate } from 'node:crypto';
import tls from 'node:tls';

/** The PEM blocks of a kind, in their order. */
export function pemBlocks(bytes: Buffer, label: string): readonly string[] {
  const blocks: string[] = [];
  const text = bytes.toString('latin1');
  const head = `-----BEGIN ${label}-----`;
  const foot = `-----END ${label}-----`;
  for (let at = text.indexOf(head); at >= 0; at = text.indexOf(head, at + 1)) {
    const end = text.indexOf(foot, at);
    blocks.push(end < 0 ? text.slice(at) : `${text.slice(at, end + foot.length)}\n`);
  }
  return blocks;
}

/** What is wrong with these roots, if anything. */
export function rootsProblem(bytes: Buffer): string | undefined {
  const blocks = ['CERTIFICATE', 'TRUSTED CERTIFICATE', 'X509 CERTIFICATE'].flatMap((label) =>
    pemBlocks(bytes, label),
  );
  if (blocks.length === 0) return 'no certificate in it';
  return problemOf(() => blocks.map((block) => new X509Certificate(block)));
}

export function revocationsProblem(bytes: Buffer): string | undefined {
  const blocks = pemBlocks(bytes, 'X509 CRL');
  if (blocks.length === 0) return 'no revocation list in it';
  return problemOf(() => tls.createSecureContext({ crl: [...blocks] }));
}

/** Runs what throws for bad input. */
export function problemOf(run: () => unknown): string | undefined {
  try {
    run();
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
