// A certificate with its key, as configuration gives it: all of it can be read and belongs together, or it is
// a problem.
import tls, { type SecureContextOptions } from 'node:tls';
import type { ReadSource } from '../net/data-source.ts';
import type { CertificatePlan } from '../plan/tls/certificate-plan.ts';
import { problemOf } from './pem.ts';

/** One pair of certificate chain and key, in the form that node:tls takes. */
export type Identity = Pick<SecureContextOptions, 'pfx' | 'passphrase'> & {
  readonly cert?: Buffer;
  readonly key?: Buffer;
};

export function readIdentity(
  source: CertificatePlan,
  read: ReadSource,
  problems: string[],
): Identity | undefined {
  const known = problems.length;
  const take = (field: keyof CertificatePlan): Buffer | undefined => {
    const got = read(source[field]);
    if (got.kind === 'problem') problems.push(`Failed to load ${names[field]}: ${got.problem}`);
    return got.kind === 'bytes' ? got.bytes : undefined;
  };
  const [cert, key, pfx, password] = [
    take('certificateChain'),
    take('privateKey'),
    take('pkcs12'),
    take('password'),
  ];
  if (problems.length > known) return undefined;
  if (!pfx && !(cert && key)) {
    problems.push('Failed to load incomplete certificate: certificate chain and private key are both needed');
    return undefined;
  }
  const identity: Identity = {
    ...(pfx ? { pfx } : {}),
    ...(cert && key ? { cert, key } : {}),
    ...(password ? { passphrase: password.toString().trimEnd() } : {}),
  };
  const problem = problemOf(() => tls.createSecureContext(identity));
  if (problem === undefined) return identity;
  problems.push(`Failed to load certificate and private key: ${problem}`);
  return undefined;
}

const names = {
  certificateChain: 'certificate chain',
  privateKey: 'private key',
  pkcs12: 'PKCS #12 file',
  password: 'password',
} as const;
