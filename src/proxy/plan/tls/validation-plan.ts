// What a peer's certificate must satisfy.
// https://www.envoyproxy.io/docs/envoy/latest/api-v3/extensions/transport_sockets/tls/v3/common.proto#extensions-transport-sockets-tls-v3-certificatevalidationcontext
import {
  type CertificateValidationContext,
  CertificateValidationContext_TrustChainVerification as Verification,
} from '@meltemi/envoy-api/envoy/extensions/transport_sockets/tls/v3/common';
import { planStringMatch, type StringMatchPlan } from '../route/string-match.ts';
import { type DataSourcePlan, planDataSource } from './data-source-plan.ts';

export interface ValidationPlan {
  readonly trustedCa: DataSourcePlan | undefined;
  readonly systemRoots: boolean;
  readonly revocations: DataSourcePlan | undefined;
  readonly acceptsUntrusted: boolean;
  readonly allowsExpired: boolean;
  /** One of them must fit one of the certificate's names; without any every name is good. */
  readonly names: readonly NameMatchPlan[];
  /** Hex digests of whole certificates, in lower case without colons. */
  readonly certificateHashes: readonly string[];
  /** Digests of public keys in base64. */
  readonly keyHashes: readonly string[];
}

export interface NameMatchPlan {
  readonly type: 'any' | 'dns' | 'uri' | 'other';
  readonly matcher: StringMatchPlan;
}

export function planValidation(source: CertificateValidationContext, problems: string[]): ValidationPlan {
  refuseUnknown(source, problems);
  return {
    trustedCa: planDataSource(source.trustedCa),
    systemRoots: source.systemRootCerts !== undefined,
    revocations: planDataSource(source.crl),
    acceptsUntrusted: source.trustChainVerification === Verification.ACCEPT_UNTRUSTED,
    allowsExpired: source.allowExpiredCertificate,
    names: namesOf(source, problems),
    certificateHashes: source.verifyCertificateHash.map((hash) => hash.replaceAll(':', '').toLowerCase()),
    keyHashes: source.verifyCertificateSpki,
  };
}

/** Names can be checked only together with the roots, which may come from elsewhere. */
export function withoutNames(plan: ValidationPlan): ValidationPlan {
  return { ...plan, names: [] };
}

function namesOf(source: CertificateValidationContext, problems: string[]): readonly NameMatchPlan[] {
  const names: NameMatchPlan[] = source.matchSubjectAltNames.map((matcher) => ({
    type: 'any',
    matcher: planStringMatch(matcher, problems),
  }));
  for (const { sanType, matcher } of source.matchTypedSubjectAltNames)
    if (matcher)
      names.push({ type: sanTypes[sanType] ?? 'other', matcher: planStringMatch(matcher, problems) });
  return names;
}

/** SubjectAltNameMatcher.SanType. */
const sanTypes: Readonly<Record<number, 'dns' | 'uri'>> = { 2: 'dns', 3: 'uri' };

/** What would narrow trust must not be passed over. */
function refuseUnknown(source: CertificateValidationContext, problems: string[]): void {
  if (source.customValidatorConfig) problems.push('custom_validator_config is not supported');
  if (source.caCertificateProviderInstance)
    problems.push('ca_certificate_provider_instance is not supported');
  if (source.requireSignedCertificateTimestamp)
    problems.push('require_signed_certificate_timestamp is not supported');
}
