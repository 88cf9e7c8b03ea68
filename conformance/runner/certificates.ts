// A certificate authority for one run, and the certificates of the identities that the cases name. Made apart
// from the product's own authority, so that a mistake there cannot hide here.
import 'reflect-metadata';
import { randomBytes, webcrypto } from 'node:crypto';
import * as x509 from '@peculiar/x509';

export interface Certificate {
  readonly cert: string;
  readonly key: string;
}

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const hour = 3_600_000;

x509.cryptoProvider.set(webcrypto);

export class Certificates {
  readonly root: string;
  readonly #keys: webcrypto.CryptoKeyPair;
  readonly #issuer: string;
  readonly #leaves = new Map<string, Promise<Certificate>>();

  private constructor(keys: webcrypto.CryptoKeyPair, root: x509.X509Certificate) {
    this.#keys = keys;
    this.#issuer = root.subject;
    this.root = root.toString('pem');
  }

  static async create(): Promise<Certificates> {
    const keys = await newKeys();
    const root = await x509.X509CertificateGenerator.createSelfSigned({
      ...validity(),
      name: 'CN=conformance root',
      signingAlgorithm: algorithm,
      keys,
      extensions: [
        new x509.BasicConstraintsExtension(true, undefined, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign, true),
      ],
    });
    return new Certificates(keys, root);
  }

  /** The certificate of an identity, the same one for the whole run. */
  of(identity: string): Promise<Certificate> {
    const known = this.#leaves.get(identity);
    if (known) return known;
    const made = this.#issue(identity);
    this.#leaves.set(identity, made);
    return made;
  }

  async #issue(identity: string): Promise<Certificate> {
    const keys = await newKeys();
    const leaf = await x509.X509CertificateGenerator.create({
      ...validity(),
      subject: [{ CN: [identity] }],
      issuer: this.#issuer,
      signingAlgorithm: algorithm,
      publicKey: keys.publicKey,
      signingKey: this.#keys.privateKey,
      extensions: [
        new x509.SubjectAlternativeNameExtension([{ type: 'url', value: identity }]),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature),
        new x509.ExtendedKeyUsageExtension([
          x509.ExtendedKeyUsage.clientAuth,
          x509.ExtendedKeyUsage.serverAuth,
        ]),
      ],
    });
    const key = await webcrypto.subtle.exportKey('pkcs8', keys.privateKey);
    return { cert: leaf.toString('pem'), key: x509.PemConverter.encode(key, 'PRIVATE KEY') };
  }
}

async function newKeys(): Promise<webcrypto.CryptoKeyPair> {
  return (await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])) as webcrypto.CryptoKeyPair;
}

function validity(): { serialNumber: string; notBefore: Date; notAfter: Date } {
  const now = Date.now();
  return {
    serialNumber: `1${randomBytes(8).toString('hex')}`,
    notBefore: new Date(now - hour),
    notAfter: new Date(now + 48 * hour),
  };
}
