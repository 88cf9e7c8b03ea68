// ClientTLSSettings: TLS towards the endpoints of a service.
import {
  boolean,
  enumOf,
  field,
  type Infer,
  list,
  message,
  type RuleContext,
  string,
} from '../../schema/index.ts';

export const ClientTLSSettings = message(
  'ClientTLSSettings',
  {
    mode: field(enumOf(['DISABLE', 'SIMPLE', 'MUTUAL', 'ISTIO_MUTUAL']), 'Cluster.transport_socket'),
    clientCertificate: field(string, 'CommonTlsContext.tls_certificate_sds_secret_configs (file-cert:…)'),
    privateKey: field(string, 'CommonTlsContext.tls_certificate_sds_secret_configs (file-cert:…)'),
    caCertificates: field(
      string,
      'CommonTlsContext.combined_validation_context.validation_context_sds_secret_config (file-root:…)',
    ),
    credentialName: field(
      string,
      'CommonTlsContext.tls_certificate_sds_secret_configs and CommonTlsContext.combined_validation_context.validation_context_sds_secret_config (kubernetes://…)',
    ),
    subjectAltNames: field(list(string), 'CertificateValidationContext.match_subject_alt_names'),
    sni: field(string, 'UpstreamTlsContext.sni; absent: UpstreamHttpProtocolOptions.auto_sni'),
    insecureSkipVerify: field(boolean, 'CommonTlsContext.validation_context, without roots'),
    caCrl: field(string, 'CertificateValidationContext.crl'),
  },
  { rules: [checkCertificates, checkSkipVerify, checkSni] },
);
export type ClientTLSSettings = Infer<typeof ClientTLSSettings>;

/** Envoy's limit, and that of DNS names. */
function checkSni({ sni = '' }: { readonly sni?: string }, context: RuleContext): void {
  if (new TextEncoder().encode(sni).length > 255)
    context.report('MT0133', ['sni'], '{} has more than 255 bytes');
}

interface ClientTlsFields {
  readonly mode?: 'DISABLE' | 'SIMPLE' | 'MUTUAL' | 'ISTIO_MUTUAL';
  readonly clientCertificate?: string;
  readonly privateKey?: string;
  readonly caCertificates?: string;
  readonly credentialName?: string;
  readonly subjectAltNames?: readonly string[];
  readonly insecureSkipVerify?: boolean;
  readonly caCrl?: string;
}

function checkCertificates(tls: ClientTlsFields, context: RuleContext): void {
  const { mode, credentialName } = tls;
  if (credentialName && (mode === 'SIMPLE' || mode === 'MUTUAL')) {
    for (const name of ['clientCertificate', 'privateKey', 'caCertificates', 'caCrl'] as const) {
      if (tls[name]) context.report('MT0117', [name], '{} cannot stand beside credentialName');
    }
    return;
  }
  if (mode !== 'MUTUAL') return;
  for (const name of ['clientCertificate', 'privateKey'] as const)
    if (!tls[name]) context.report('MT0117', [name], '{} is missing: mode MUTUAL needs it');
}

/** What is of no use where nothing is verified, by mode. */
const uselessUnverified: Readonly<Record<string, readonly (keyof ClientTlsFields)[]>> = {
  SIMPLE: ['caCertificates', 'credentialName', 'subjectAltNames'],
  MUTUAL: ['caCertificates', 'subjectAltNames'],
};

function checkSkipVerify(tls: ClientTlsFields, context: RuleContext): void {
  if (!tls.insecureSkipVerify) return;
  for (const name of uselessUnverified[tls.mode ?? ''] ?? []) {
    const value = tls[name];
    if (value && value !== '' && !(Array.isArray(value) && value.length === 0))
      context.report(
        'MT0117',
        [name],
        '{} cannot stand beside insecureSkipVerify: nothing would be verified with it',
      );
  }
}
