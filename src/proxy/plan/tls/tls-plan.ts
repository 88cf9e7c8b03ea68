// CommonTlsContext as a plan: versions and ciphers, who this side is, whom it trusts, which secrets that takes.
import type { CertificateValidationContext } from '@meltemi/envoy-api/envoy/extensions/transport_sockets/tls/v3/common';
import type { SdsSecretConfig } from '@meltemi/envoy-api/envoy/extensions/transport_sockets/tls/v3/secret';
import type { CommonTlsContext } from '@meltemi/envoy-api/envoy/extensions/transport_sockets/tls/v3/tls';
import { millis } from '../../codec/duration.ts';
import { type CertificatePlan, planCertificate } from './certificate-plan.ts';
import { planValidation, type ValidationPlan } from './validation-plan.ts';

/**
 * `source` is the cluster that serves the secret, empty for the ADS stream and `static` for the bootstrap's
 * own.
 */
export interface SecretRef {
  readonly source: string;
  readonly name: string;
}

/** How long what needs the secret may be held up by it; 0 is for ever. */
export interface SecretWish extends SecretRef {
  readonly waitMs: number;
}

export type TlsVersion = 'TLSv1' | 'TLSv1.1' | 'TLSv1.2' | 'TLSv1.3';

export interface TlsPlan {
  readonly alpn: readonly string[];
  readonly minVersion: TlsVersion;
  readonly maxVersion: TlsVersion;
  /** Empty for the library's own. */
  readonly ciphers: readonly string[];
  readonly curves: readonly string[];
  readonly certificates: readonly CertificatePlan[];
  readonly certificateSecrets: readonly SecretWish[];
  /** Both apply where both are. */
  readonly validation: ValidationPlan | undefined;
  readonly validationSecret: SecretWish | undefined;
}

export function planTls(common: CommonTlsContext | undefined, problems: string[]): TlsPlan {
  if (common) refuseProviders(common, problems);
  const params = common?.tlsParams;
  const ciphers = params?.cipherSuites ?? [];
  const { inline, secret } = validationOf(common, problems);
  return {
    alpn: common?.alpnProtocols ?? [],
    minVersion: versions[params?.tlsMinimumProtocolVersion ?? 0] ?? 'TLSv1.2',
    maxVersion: versions[params?.tlsMaximumProtocolVersion ?? 0] ?? 'TLSv1.3',
    ciphers: ciphers.length > 0 ? [...ciphers, ...tls13Suites] : [],
    curves: params?.ecdhCurves ?? [],
    certificates: (common?.tlsCertificates ?? []).map((one) => planCertificate(one, problems)),
    certificateSecrets: (common?.tlsCertificateSdsSecretConfigs ?? []).map(wishOf),
    validation: inline && planValidation(inline, problems),
    validationSecret: secret,
  };
}

/** Every secret that must have come before the first handshake. */
export function secretsOf(plan: TlsPlan): readonly SecretWish[] {
  return plan.validationSecret
    ? [...plan.certificateSecrets, plan.validationSecret]
    : plan.certificateSecrets;
}

interface Validation {
  readonly inline: CertificateValidationContext | undefined;
  readonly secret: SecretWish | undefined;
}

function validationOf(common: CommonTlsContext | undefined, problems: string[]): Validation {
  const validation = common?.validationContextType;
  if (validation?.case === undefined) return { inline: undefined, secret: undefined };
  switch (validation.case) {
    case 'validationContext':
      return { inline: validation.value, secret: undefined };
    case 'validationContextSdsSecretConfig':
      return { inline: undefined, secret: wishOf(validation.value) };
    case 'combinedValidationContext': {
      const { defaultValidationContext, validationContextSdsSecretConfig: sds } = validation.value;
      if (!sds) problems.push('combined_validation_context without a secret');
      return { inline: defaultValidationContext, secret: sds && wishOf(sds) };
    }
    default:
      problems.push(`validation context of kind ${validation.case} is not supported`);
      return { inline: undefined, secret: undefined };
  }
}

function refuseProviders(common: CommonTlsContext, problems: string[]): void {
  if (
    common.tlsCertificateProviderInstance ||
    common.tlsCertificateCertificateProvider ||
    common.tlsCertificateCertificateProviderInstance
  )
    problems.push('certificate providers are not supported');
  if (common.customHandshaker) problems.push('custom_handshaker is not supported');
}

/** The suites of TLS 1.3 are always on in Envoy, whatever `cipher_suites` says. */
const tls13Suites = ['TLS_AES_256_GCM_SHA384', 'TLS_CHACHA20_POLY1305_SHA256', 'TLS_AES_128_GCM_SHA256'];

/** TlsParameters.TlsProtocol; 0 leaves it to this side. */
const versions: Readonly<Record<number, TlsVersion>> = {
  1: 'TLSv1',
  2: 'TLSv1.1',
  3: 'TLSv1.2',
  4: 'TLSv1.3',
};

const initialFetchMs = 15_000;

function wishOf({ name, sdsConfig }: SdsSecretConfig): SecretWish {
  const source = sdsConfig?.configSourceSpecifier;
  if (source === undefined || source.case === undefined) return { source: 'static', name, waitMs: 0 };
  const waitMs = millis(sdsConfig?.initialFetchTimeout) ?? initialFetchMs;
  if (source.case !== 'apiConfigSource') return { source: '', name, waitMs };
  const service = source.value.grpcServices[0]?.targetSpecifier;
  const served =
    service?.case === 'envoyGrpc' ? service.value.clusterName : (source.value.clusterNames[0] ?? '');
  return { source: served, name, waitMs };
}
