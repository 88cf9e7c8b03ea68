// Who is believed to be who: roots, revocations, and what else a peer's certificate must satisfy.
// https://www.envoyproxy.io/docs/envoy/latest/api-v3/extensions/transport_sockets/tls/v3/common.proto#extensions-transport-sockets-tls-v3-certificatevalidationcontext
import { createHash, type X509Certificate } from 'node:crypto';
import tls from 'node:tls';
import type { DataSource } from '@meltemi/envoy-api/envoy/config/core/v3/base';
import {
  type CertificateValidationContext,
  CertificateValidationContext_TrustChainVerification as Verification,
} from '@meltemi/envoy-api/envoy/extensions/transport_sockets/tls/v3/common';
import type { ReadSource } from '../net/data-source.ts';
import { pemBlocks, revocationsProblem, rootsProblem } from './pem.ts';
import { compileSanCheck, readSans, type SanCheck } from './san.ts';

/** What was read of one context, or of a context and the one that its secret adds. */
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

/** Later contexts take precedence where only one can be. */
export function readTrust(
  contexts: readonly CertificateValidationContext[],
  read: ReadSource,
  problems: string[],
): Trust | undefined {
  const known = problems.length;
  const ca = lastOf(contexts, (one) => one.trustedCa);
  const crl = lastOf(contexts, (one) => one.crl);
  const roots = ca
    ? load(ca, { read, what: 'trusted CA certificates', check: rootsProblem }, problems)
    : systemRoots(contexts);
  const lists = crl && load(crl, { read, what: 'CRL', check: revocationsProblem }, problems);
  for (const one of contexts) refuseUnknown(one, problems);
  const accepts = contexts.some((one) => one.trustChainVerification === Verification.ACCEPT_UNTRUSTED);
  const names = compileSanCheck(contexts, problems);
  if (names && !roots)
    problems.push(
      'SAN-based verification of peer certificates without trusted CA is insecure and not allowed',
    );
  if (problems.length > known) return undefined;
  return {
    roots,
    revocations: lists ? pemBlocks(lists, 'X509 CRL') : [],
    verifies: roots !== undefined && !accepts,
    allowsExpired: contexts.some((one) => one.allowExpiredCertificate),
    names,
    pins: {
      certificates: new Set(
        contexts.flatMap((one) =>
          one.verifyCertificateHash.map((hash) => hash.replaceAll(':', '').toLowerCase()),
        ),
      ),
      keys: new Set(contexts.flatMap((one) => one.verifyCertificateSpki)),
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

function load(source: DataSource, { read, what, check }: Loading, problems: string[]): Buffer | undefined {
  const got = read(source);
  const problem =
    got.kind === 'bytes' ? check(got.bytes) : got.kind === 'problem' ? got.problem : 'nothing is named';
  if (problem !== undefined) problems.push(`Failed to load ${what}: ${problem}`);
  return got.kind === 'bytes' && problem === undefined ? got.bytes : undefined;
}

function systemRoots(contexts: readonly CertificateValidationContext[]): Buffer | undefined {
  return contexts.some((one) => one.systemRootCerts)
    ? Buffer.from(tls.getCACertificates('system').join('\n'))
    : undefined;
}

function lastOf<T>(
  contexts: readonly CertificateValidationContext[],
  field: (one: CertificateValidationContext) => T | undefined,
): T | undefined {
  return contexts.map(field).findLast((value) => value !== undefined);
}

/** What would narrow trust must not be passed over. */
function refuseUnknown(context: CertificateValidationContext, problems: string[]): void {
  if (context.customValidatorConfig) problems.push('custom_validator_config is not supported');
  if (context.caCertificateProviderInstance)
    problems.push('ca_certificate_provider_instance is not supported');
  if (context.requireSignedCertificateTimestamp)
    problems.push('require_signed_certificate_timestamp is not supported');
}

/** Whether there is anything that a certificate could fail. */
export function verifiesAnything(trust: Trust): boolean {
  return trust.roots !== undefined || trust.pins.certificates.size + trust.pins.keys.size > 0;
}
