// Certificates for tests: an authority, what it signs, and what it takes back.
import 'reflect-metadata';
import { webcrypto } from 'node:crypto';
import * as x509 from '@peculiar/x509';

x509.cryptoProvider.set(webcrypto);
const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const hour = 3_600_000;

export interface Pair {
  readonly cert: string;
  readonly key: string;
}

export interface LeafOptions {
  readonly names?: readonly string[];
  readonly notAfter?: Date;
}

export class FakeAuthority {
  readonly #keys: webcrypto.CryptoKeyPair;
  readonly #root: x509.X509Certificate;
  #serial = 10;

  private constructor(keys: webcrypto.CryptoKeyPair, root: x509.X509Certificate) {
    this.#keys = keys;
    this.#root = root;
  }

  static async create(name: string): Promise<FakeAuthority> {
    const keys = await generate();
    const root = await x509.X509CertificateGenerator.createSelfSigned({
      serialNumber: '01',
      name: `CN=${name}`,
      ...lifetime(),
      signingAlgorithm: algorithm,
      keys,
      extensions: [
        new x509.BasicConstraintsExtension(true, undefined, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      ],
    });
    return new FakeAuthority(keys, root);
  }

  get root(): string {
    return this.#root.toString('pem');
  }

  async issue({ names = ['a.example'], notAfter }: LeafOptions = {}): Promise<Pair> {
    const keys = await generate();
    const certificate = await x509.X509CertificateGenerator.create({
      serialNumber: String(++this.#serial),
      subject: `CN=${names[0]}`,
      issuer: this.#root.subject,
      ...lifetime(notAfter),
      signingAlgorithm: algorithm,
      publicKey: keys.publicKey,
      signingKey: this.#keys.privateKey,
      extensions: [
        new x509.SubjectAlternativeNameExtension(names.map((value) => ({ type: 'dns' as const, value }))),
      ],
    });
    return {
      cert: certificate.toString('pem'),
      key: pem(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey)),
    };
  }

  async revocations(of: readonly Pair[]): Promise<string> {
    const list = await x509.X509CrlGenerator.create({
      issuer: this.#root.subject,
      thisUpdate: new Date(Date.now() - hour),
      nextUpdate: new Date(Date.now() + hour),
      entries: of.map((pair) => ({
        serialNumber: new x509.X509Certificate(pair.cert).serialNumber,
        revocationDate: new Date(),
      })),
      signingAlgorithm: algorithm,
      signingKey: this.#keys.privateKey,
    });
    return list.toString('pem').replaceAll(' CRL-----', ' X509 CRL-----');
  }
}

async function generate(): Promise<webcrypto.CryptoKeyPair> {
  return (await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])) as webcrypto.CryptoKeyPair;
}

function lifetime(notAfter = new Date(Date.now() + hour)): { notBefore: Date; notAfter: Date } {
  return { notBefore: new Date(notAfter.getTime() - 24 * hour), notAfter };
}

function pem(key: ArrayBuffer): string {
  const lines =
    Buffer.from(key)
      .toString('base64')
      .match(/.{1,64}/g) ?? [];
  return `-----BEGIN PRIVATE KEY-----\n${lines.join('\n')}\n-----END PRIVATE KEY-----\n`;
}
