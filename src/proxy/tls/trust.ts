// Who is believed to be who: roots, revocations, and what else a peer's certificate must satisfy.
// https://www.envoyproxy.io/docs/envoy/latest/api-v3/extensions/transport_sockets/tls/v3/common.proto#extensions-transport-sockets-tls-v3-certificatevalidationcontext
import { createHash, type X509Certificate } from 'node:crypto';
import tls from 'node:tls';
import type { ReadSource, SourceRead } from '../net/data-source.ts';
import type { DataSourcePlan } from '../plan/tls/data-source-plan.ts';
import type { ValidationPlan } from '../plan/tls/validation-plan.ts';
import { pemBlocks, revocationsProblem, rootsProblem } from './pem.ts';
import { readSans, type SanCheck, sanCheck } from './san.ts';

/** What was read for one plan, or for a plan and the one that its secret adds. */
export interface Trust {
  readonly roots: Buffer | undefined;
  readonly revocations: readonly string[];
  /** Whether a chain to the roots is needed. */
  readonly verifies: boolean;
  readonly allowsExpired: boolean;
  readonly names: SanCheck | undefined;
  /**
   * Hex digests of whole certificates, and base64 ones of public keys: one of all must fit, when there are
   * any.
   */
  readonly pins: { readonly certificates: ReadonlySet<string>; readonly keys: ReadonlySet<string> };
}

export type Distrust = 'verify' | 'san' | 'hash';

/** Later plans take precedence where only one can be. */
export function readTrust(
  plans: readonly ValidationPlan[],
  read: ReadSource,
  problems: string[],
): Trust | undefined {
  const known = problems.length;
  const ca = lastOf(plans, (one) => one.trustedCa);
  const crl = lastOf(plans, (one) => one.revocations);
  const roots = ca
    ? load(ca, { read, what: 'trusted CA certificates', check: rootsProblem }, problems)
    : systemRoots(plans);
  const lists = crl && load(crl, { read, what: 'CRL', check: revocationsProblem }, problems);
  const names = sanCheck(plans.flatMap((one) => one.names));
  if (names && !roots)
    problems.push(
      'SAN-based verification of peer certificates without trusted CA is insecure and not allowed',
    );
  if (problems.length > known) return undefined;
  return {
    roots,
    revocations: lists ? pemBlocks(lists, 'X509 CRL') : [],
    verifies: roots !== undefined && !plans.some((one) => one.acceptsUntrusted),
    allowsExpired: plans.some((one) => one.allowsExpired),
    names,
    pins: {
      certificates: new Set(plans.flatMap((one) => one.certificateHashes)),
      keys: new Set(plans.flatMap((one) => one.keyHashes)),
    },
  };
}

/** What a certificate lacks; `chain` is the verdict of the handshake over its chain. */
export function distrust(
  trust: Trust,
  certificate: X509Certificate,
  chain: string | undefined,
): Distrust | undefined {
  if (trust.verifies && chain !== undefined && !(trust.allowsExpired && timeErrors.has(chain)))
    return 'verify';
  if (trust.names && !trust.names(readSans(certificate.subjectAltName))) return 'san';
  const { certificates, keys } = trust.pins;
  if (certificates.size + keys.size === 0) return undefined;
  const digest = certificate.fingerprint256.replaceAll(':', '').toLowerCase();
  return certificates.has(digest) || keys.has(keyDigest(certificate)) ? undefined : 'hash';
}

const timeErrors = new Set(['CERT_HAS_EXPIRED', 'CERT_NOT_YET_VALID']);

function keyDigest(certificate: X509Certificate): string {
  return createHash('sha256')
    .update(certificate.publicKey.export({ type: 'spki', format: 'der' }))
    .digest('base64');
}

interface Loading {
  readonly read: ReadSource;
  readonly what: string;
  readonly check: (bytes: Buffer) => string | undefined;
}

function load(
  source: DataSourcePlan,
  { read, what, check }: Loading,
  problems: string[],
): Buffer | undefined {
  const got = read(source);
  const problem = problemIn(got, check);
  if (problem !== undefined) problems.push(`Failed to load ${what}: ${problem}`);
  return got.kind === 'bytes' && problem === undefined ? got.bytes : undefined;
}

function problemIn(got: SourceRead, check: Loading['check']): string | undefined {
  if (got.kind === 'bytes') return check(got.bytes);
  return got.kind === 'problem' ? got.problem : 'nothing is named';
}

function systemRoots(plans: readonly ValidationPlan[]): Buffer | undefined {
  return plans.some((one) => one.systemRoots)
    ? Buffer.from(tls.getCACertificates('system').join('\n'))
    : undefined;
}

function lastOf<T>(
  plans: readonly ValidationPlan[],
  field: (one: ValidationPlan) => T | undefined,
): T | undefined {
  return plans.map(field).findLast((value) => value !== undefined);
}

/** Whether there is anything that a certificate could fail. */
export function verifiesAnything(trust: Trust): boolean {
  return trust.roots !== undefined || trust.pins.certificates.size + trust.pins.keys.size > 0;
}
