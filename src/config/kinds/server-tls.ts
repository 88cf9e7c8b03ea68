// ServerTLSSettings: TLS that a gateway or a sidecar's ingress listener terminates.
import {
  boolean,
  enumOf,
  field,
  type Infer,
  list,
  message,
  noEffect,
  type RuleContext,
  string,
} from '../schema/index.ts';

const TLSProtocol = enumOf(['TLS_AUTO', 'TLSV1_0', 'TLSV1_1', 'TLSV1_2', 'TLSV1_3']);

export const TLSCertificate = message('TLSCertificate', {
  serverCertificate: field(string, 'CommonTlsContext.tls_certificate_sds_secret_configs (file-cert:…)'),
  privateKey: field(string, 'CommonTlsContext.tls_certificate_sds_secret_configs (file-cert:…)'),
  caCertificates: noEffect(string, 'clients are checked against caCertificates beside tlsCertificates'),
});
export type TLSCertificate = Infer<typeof TLSCertificate>;

export const ServerTLSSettings = message(
  'ServerTLSSettings',
  {
    httpsRedirect: field(boolean, 'VirtualHost.require_tls'),
    mode: field(
      enumOf(['PASSTHROUGH', 'SIMPLE', 'MUTUAL', 'AUTO_PASSTHROUGH', 'ISTIO_MUTUAL', 'OPTIONAL_MUTUAL']),
      'FilterChain.transport_socket; DownstreamTlsContext.require_client_certificate',
    ),
    serverCertificate: field(string, 'CommonTlsContext.tls_certificate_sds_secret_configs (file-cert:…)'),
    privateKey: field(string, 'CommonTlsContext.tls_certificate_sds_secret_configs (file-cert:…)'),
    caCertificates: field(
      string,
      'CommonTlsContext.combined_validation_context.validation_context_sds_secret_config (file-root:…)',
    ),
    caCrl: field(string, 'CertificateValidationContext.crl'),
    credentialName: field(
      string,
      'CommonTlsContext.tls_certificate_sds_secret_configs and CommonTlsContext.combined_validation_context.validation_context_sds_secret_config (kubernetes://…)',
    ),
    credentialNames: field(
      list(string),
      'CommonTlsContext.tls_certificate_sds_secret_configs (kubernetes://…)',
    ),
    caCertCredentialName: field(
      string,
      'CommonTlsContext.combined_validation_context.validation_context_sds_secret_config (kubernetes://…)',
    ),
    tlsCertificates: list(TLSCertificate),
    subjectAltNames: field(list(string), 'CertificateValidationContext.match_subject_alt_names'),
    verifyCertificateSpki: field(list(string), 'CertificateValidationContext.verify_certificate_spki'),
    verifyCertificateHash: field(list(string), 'CertificateValidationContext.verify_certificate_hash'),
    minProtocolVersion: field(TLSProtocol, 'TlsParameters.tls_minimum_protocol_version'),
    maxProtocolVersion: field(TLSProtocol, 'TlsParameters.tls_maximum_protocol_version'),
    cipherSuites: field(list(string), 'TlsParameters.cipher_suites'),
    insecureSkipVerify: field(boolean, 'CertificateValidationContext.trust_chain_verification'),
  },
  { rules: [checkServerTls, checkVersions, checkPins] },
);
export type ServerTLSSettings = Infer<typeof ServerTLSSettings>;

/**
 * https://www.envoyproxy.io/docs/envoy/latest/api-v3/extensions/transport_sockets/tls/v3/common.proto#extensions-transport-sockets-tls-v3-certificatevalidationcontext
 */
function checkPins(
  {
    verifyCertificateSpki = [],
    verifyCertificateHash = [],
  }: { verifyCertificateSpki?: readonly string[]; verifyCertificateHash?: readonly string[] },
  context: RuleContext,
): void {
  verifyCertificateSpki.forEach((pin, i) => {
    if (!/^[A-Za-z0-9+/]{43}=$/.test(pin))
      context.report(
        'MT0117',
        ['verifyCertificateSpki', i],
        `"${pin}" is not a SHA-256 digest in base64, of 44 characters`,
      );
  });
  verifyCertificateHash.forEach((pin, i) => {
    if (!/^(?:[0-9a-f]{64}|[0-9a-f]{2}(?::[0-9a-f]{2}){31})$/i.test(pin))
      context.report(
        'MT0117',
        ['verifyCertificateHash', i],
        `"${pin}" is not a SHA-256 digest in hexadecimal digits`,
      );
  });
}

const versions = ['TLSV1_0', 'TLSV1_1', 'TLSV1_2', 'TLSV1_3'];

function checkVersions(
  {
    minProtocolVersion = 'TLS_AUTO',
    maxProtocolVersion = 'TLS_AUTO',
  }: { minProtocolVersion?: string; maxProtocolVersion?: string },
  context: RuleContext,
): void {
  const lowest = minProtocolVersion === 'TLS_AUTO' ? 'TLSV1_2' : minProtocolVersion;
  if (maxProtocolVersion !== 'TLS_AUTO' && versions.indexOf(maxProtocolVersion) < versions.indexOf(lowest))
    context.report(
      'MT0117',
      ['maxProtocolVersion'],
      `{} ${maxProtocolVersion} is below the minimum, ${lowest}`,
    );
}

interface ServerTlsFields {
  readonly mode?:
    | 'PASSTHROUGH'
    | 'SIMPLE'
    | 'MUTUAL'
    | 'AUTO_PASSTHROUGH'
    | 'ISTIO_MUTUAL'
    | 'OPTIONAL_MUTUAL';
  readonly serverCertificate?: string;
  readonly privateKey?: string;
  readonly caCertificates?: string;
  readonly caCrl?: string;
  readonly credentialName?: string;
  readonly credentialNames?: readonly string[];
  readonly caCertCredentialName?: string;
  readonly tlsCertificates?: readonly TLSCertificate[];
  readonly cipherSuites?: readonly string[];
}

const sources = [
  'serverCertificate',
  'privateKey',
  'caCertificates',
  'caCrl',
  'credentialName',
  'credentialNames',
  'tlsCertificates',
] as const;

function checkServerTls(tls: ServerTlsFields, context: RuleContext): void {
  const { mode = 'PASSTHROUGH' } = tls;
  warnCipherSuites(tls.cipherSuites ?? [], context);
  switch (mode) {
    case 'ISTIO_MUTUAL':
      for (const name of sources)
        if (isGiven(tls[name]))
          context.report(
            'MT0117',
            [name],
            '{} is not possible for ISTIO_MUTUAL: the mesh supplies the certificates',
          );
      return;
    case 'PASSTHROUGH':
    case 'AUTO_PASSTHROUGH':
      for (const name of sources)
        if (isGiven(tls[name]))
          context.report('MT0154', [name], `{} is not used: mode ${mode} does not end TLS here`);
      return;
    case 'SIMPLE':
    case 'MUTUAL':
    case 'OPTIONAL_MUTUAL':
      checkTermination(tls, mode, context);
      return;
  }
}

function checkTermination(tls: ServerTlsFields, mode: string, context: RuleContext): void {
  const { credentialName, credentialNames = [], tlsCertificates = [], serverCertificate, privateKey } = tls;
  const given = [
    credentialName,
    credentialNames.length > 0,
    serverCertificate && privateKey,
    tlsCertificates.length > 0,
  ].filter(Boolean).length;
  if (given > 1)
    context.report(
      'MT0117',
      [],
      '{} has more than one source of certificates: keep one of credentialName, credentialNames, serverCertificate with privateKey, tlsCertificates',
    );
  if (tls.caCrl && (credentialName || credentialNames.length > 0))
    context.report('MT0154', ['caCrl'], '{} is not used beside credentialName: the secret holds the list');
  if (tls.caCrl && mode === 'SIMPLE' && !credentialName && credentialNames.length === 0)
    context.report('MT0117', ['caCrl'], '{} has no use for SIMPLE: no client certificate is asked for');
  for (const [name, list] of Object.entries({ credentialNames, tlsCertificates })) {
    if (list.length > 2)
      context.report('MT0154', [name], '{}: two certificates at most are used (one RSA, one ECDSA)');
  }
  if (credentialName || credentialNames.length > 0) return;
  if (tlsCertificates.length > 0)
    tlsCertificates.forEach((certificate, i) => {
      checkPair(certificate, mode, context.at(['tlsCertificates', i]));
    });
  else checkPair(tls, mode, context);
  const hasRoot =
    tls.caCertificates ||
    tls.caCertCredentialName ||
    (tlsCertificates.length > 0 && tlsCertificates.every((item) => item.caCertificates));
  if (mode !== 'SIMPLE' && !hasRoot)
    context.report('MT0117', ['caCertificates'], `{} is missing: mode ${mode} needs it to check clients`);
}

function checkPair(
  pair: { serverCertificate?: string; privateKey?: string },
  mode: string,
  context: RuleContext,
): void {
  for (const name of ['serverCertificate', 'privateKey'] as const) {
    if (!pair[name])
      context.report(
        'MT0117',
        [name],
        `{} is missing: mode ${mode} needs a certificate and its key, or credentialName`,
      );
  }
}

function isGiven(value: string | readonly unknown[] | undefined): boolean {
  return value !== undefined && value.length > 0;
}

/** https://istio.io/latest/docs/reference/config/networking/gateway/#ServerTLSSettings, field cipherSuites */
export const knownSuites: readonly string[] = [
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
  'ECDHE-RSA-CHACHA20-POLY1305',
  'ECDHE-ECDSA-AES128-SHA',
  'ECDHE-RSA-AES128-SHA',
  'ECDHE-ECDSA-AES256-SHA',
  'ECDHE-RSA-AES256-SHA',
  'AES128-GCM-SHA256',
  'AES256-GCM-SHA384',
  'AES128-SHA',
  'AES256-SHA',
  'DES-CBC3-SHA',
];

function warnCipherSuites(suites: readonly string[], context: RuleContext): void {
  suites.forEach((suite, i) => {
    if (!knownSuites.includes(suite.replace(/^[-+!]/, '')))
      context.report(
        'MT0158',
        ['cipherSuites', i],
        `{}: "${suite}" is not a cipher suite that is known; it is ignored`,
      );
    else if (suites.indexOf(suite) < i)
      context.report('MT0158', ['cipherSuites', i], `{}: "${suite}" is listed twice`);
  });
}
