// ServerTLSSettings: TLS that a gateway or a sidecar's ingress listener terminates.
import { boolean, enumOf, type Infer, list, message, noEffect, type RuleContext, string } from '../schema/index.ts';

const TLSProtocol = enumOf(['TLS_AUTO', 'TLSV1_0', 'TLSV1_1', 'TLSV1_2', 'TLSV1_3']);

export const TLSCertificate = message('TLSCertificate', { serverCertificate: string, privateKey: string, caCertificates: string });
export type TLSCertificate = Infer<typeof TLSCertificate>;

export const ServerTLSSettings = message(
  'ServerTLSSettings',
  {
    httpsRedirect: boolean,
    mode: enumOf(['PASSTHROUGH', 'SIMPLE', 'MUTUAL', 'AUTO_PASSTHROUGH', 'ISTIO_MUTUAL', 'OPTIONAL_MUTUAL']),
    serverCertificate: string,
    privateKey: string,
    caCertificates: string,
    caCrl: noEffect(string, 'revocation lists are not implemented yet'),
    credentialName: string,
    credentialNames: list(string),
    caCertCredentialName: string,
    tlsCertificates: list(TLSCertificate),
    subjectAltNames: list(string),
    verifyCertificateSpki: list(string),
    verifyCertificateHash: list(string),
    minProtocolVersion: TLSProtocol,
    maxProtocolVersion: TLSProtocol,
    cipherSuites: list(string),
    insecureSkipVerify: boolean,
  },
  { rules: [checkServerTls] },
);
export type ServerTLSSettings = Infer<typeof ServerTLSSettings>;

interface ServerTlsFields {
  readonly mode?: 'PASSTHROUGH' | 'SIMPLE' | 'MUTUAL' | 'AUTO_PASSTHROUGH' | 'ISTIO_MUTUAL' | 'OPTIONAL_MUTUAL';
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
        if (isGiven(tls[name])) context.report('MT0117', [name], '{} is not possible for ISTIO_MUTUAL: the mesh supplies the certificates');
      return;
    case 'PASSTHROUGH':
    case 'AUTO_PASSTHROUGH':
      if (mode === 'AUTO_PASSTHROUGH')
        context.report('MT0401', ['mode'], '{} AUTO_PASSTHROUGH is not implemented yet: the server has no routes');
      for (const name of sources)
        if (isGiven(tls[name])) context.report('MT0154', [name], `{} is not used: mode ${mode} does not end TLS here`);
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
  const given = [credentialName, credentialNames.length > 0, serverCertificate && privateKey, tlsCertificates.length > 0].filter(
    Boolean,
  ).length;
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
    if (list.length > 2) context.report('MT0154', [name], '{}: two certificates at most are used (one RSA, one ECDSA)');
  }
  if (credentialName || credentialNames.length > 0) return;
  if (tlsCertificates.length > 0)
    tlsCertificates.forEach((certificate, i) => {
      checkPair(certificate, mode, context.at(['tlsCertificates', i]));
    });
  else checkPair(tls, mode, context);
  const hasRoot =
    tls.caCertificates || tls.caCertCredentialName || (tlsCertificates.length > 0 && tlsCertificates.every((item) => item.caCertificates));
  if (mode !== 'SIMPLE' && !hasRoot) context.report('MT0117', ['caCertificates'], `{} is missing: mode ${mode} needs it to check clients`);
}

function checkPair(pair: { serverCertificate?: string; privateKey?: string }, mode: string, context: RuleContext): void {
  for (const name of ['serverCertificate', 'privateKey'] as const) {
    if (!pair[name]) context.report('MT0117', [name], `{} is missing: mode ${mode} needs a certificate and its key, or credentialName`);
  }
}

function isGiven(value: string | readonly unknown[] | undefined): boolean {
  return value !== undefined && value.length > 0;
}

/** https://istio.io/latest/docs/reference/config/networking/gateway/#ServerTLSSettings, field cipherSuites */
const knownSuites = [
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
      context.report('MT0158', ['cipherSuites', i], `{}: "${suite}" is not a cipher suite that is known; it is ignored`);
    else if (suites.indexOf(suite) < i) context.report('MT0158', ['cipherSuites', i], `{}: "${suite}" is listed twice`);
  });
}
