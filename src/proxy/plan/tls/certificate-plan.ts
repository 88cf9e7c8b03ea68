// Where a certificate and its key are.
import type { TlsCertificate } from '@meltemi/envoy-api/envoy/extensions/transport_sockets/tls/v3/common';
import { type DataSourcePlan, planDataSource } from './data-source-plan.ts';

export interface CertificatePlan {
  readonly certificateChain: DataSourcePlan | undefined;
  readonly privateKey: DataSourcePlan | undefined;
  readonly pkcs12: DataSourcePlan | undefined;
  readonly password: DataSourcePlan | undefined;
}

export function planCertificate(source: TlsCertificate, problems: string[]): CertificatePlan {
  if (source.privateKeyProvider && !source.privateKeyProvider.fallback)
    problems.push('private_key_provider is not supported');
  return {
    certificateChain: planDataSource(source.certificateChain),
    privateKey: planDataSource(source.privateKey),
    pkcs12: planDataSource(source.pkcs12),
    password: planDataSource(source.password),
  };
}
