// The built-in certificate authority: a root made when it starts, and short-lived certificates of workloads.
import 'reflect-metadata';
import { webcrypto } from 'node:crypto';
import * as x509 from '@peculiar/x509';

export interface KeyPair {
  /** PEM: the certificate, then what leads to the root. */
  readonly certificateChain: string;
  /** PEM, PKCS 8. */
  readonly privateKey: Redacted;
  readonly notAfter: Date;
}

/** Text that must not appear in logs, dumps or errors. */
export class Redacted {
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  reveal(): string {
    return this.#text;
  }

  toString(): string {
    return '[redacted]';
  }

  toJSON(): string {
    return '[redacted]';
  }
}

export interface AuthorityOptions {
  readonly now: () => Date;
  readonly rootLifetimeMs?: number;
  readonly leafLifetimeMs?: number;
}

const day = 86_400_000;
const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
/** Clocks of other machines may be behind. */
const skewMs = 60_000;

x509.cryptoProvider.set(webcrypto);

export class CertificateAuthority {
  readonly #options: Required<AuthorityOptions>;
  readonly #keys: webcrypto.CryptoKeyPair;
  readonly #root: x509.X509Certificate;

  private constructor(
    options: Required<AuthorityOptions>,
    keys: webcrypto.CryptoKeyPair,
    root: x509.X509Certificate,
  ) {
    this.#options = options;
    this.#keys = keys;
    this.#root = root;
  }

  static async create(options: AuthorityOptions): Promise<CertificateAuthority> {
    const all = { rootLifetimeMs: 3650 * day, leafLifetimeMs: day, ...options };
    const keys = (await webcrypto.subtle.generateKey(algorithm, true, [
      'sign',
      'verify',
    ])) as webcrypto.CryptoKeyPair;
    const root = await x509.X509CertificateGenerator.createSelfSigned({
      serialNumber: serialNumber(),
      name: 'O=Meltemi, CN=mesh root',
      ...lifetime(all.now(), all.rootLifetimeMs),
      signingAlgorithm: algorithm,
      keys,
      extensions: [
        new x509.BasicConstraintsExtension(true, undefined, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
        await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
      ],
    });
    return new CertificateAuthority(all, keys, root);
  }

  /** PEM of the root. */
  get rootCertificate(): string {
    return this.#root.toString('pem');
  }

  /**
   * A certificate for a SPIFFE identity, for both ends of a connection:
   * https://github.com/spiffe/spiffe/blob/main/standards/X509-SVID.md
   */
  async issue(identity: string): Promise<KeyPair> {
    const keys = (await webcrypto.subtle.generateKey(algorithm, true, [
      'sign',
      'verify',
    ])) as webcrypto.CryptoKeyPair;
    const certificate = await x509.X509CertificateGenerator.create({
      serialNumber: serialNumber(),
      subject: 'O=Meltemi',
      issuer: this.#root.subject,
      ...lifetime(this.#options.now(), this.#options.leafLifetimeMs),
      signingAlgorithm: algorithm,
      publicKey: keys.publicKey,
      signingKey: this.#keys.privateKey,
      extensions: [
        new x509.BasicConstraintsExtension(false, undefined, true),
        new x509.KeyUsagesExtension(
          x509.KeyUsageFlags.digitalSignature | x509.KeyUsageFlags.keyEncipherment,
          true,
        ),
        new x509.ExtendedKeyUsageExtension([
          x509.ExtendedKeyUsage.serverAuth,
          x509.ExtendedKeyUsage.clientAuth,
        ]),
        new x509.SubjectAlternativeNameExtension([{ type: 'url', value: identity }], true),
        await x509.AuthorityKeyIdentifierExtension.create(this.#keys.publicKey),
      ],
    });
    return {
      certificateChain: certificate.toString('pem'),
      privateKey: new Redacted(await privateKeyPem(keys.privateKey)),
      notAfter: certificate.notAfter,
    };
  }
}

function lifetime(now: Date, length: number): { notBefore: Date; notAfter: Date } {
  return { notBefore: new Date(now.getTime() - skewMs), notAfter: new Date(now.getTime() + length) };
}

function serialNumber(): string {
  const bytes = webcrypto.getRandomValues(new Uint8Array(16));
  // Positive, as X.509 demands.
  return `1${Buffer.from(bytes).toString('hex')}`;
}

async function privateKeyPem(key: webcrypto.CryptoKey): Promise<string> {
  return x509.PemConverter.encode(await webcrypto.subtle.exportKey('pkcs8', key), 'PRIVATE KEY');
}
