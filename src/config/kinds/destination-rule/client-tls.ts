// ClientTLSSettings: TLS towards the endpoints of a service.
import { boolean, enumOf, type Infer, list, message, noEffect, type RuleContext, string } from '../../schema/index.ts';

export const ClientTLSSettings = message(
  'ClientTLSSettings',
  {
    mode: enumOf(['DISABLE', 'SIMPLE', 'MUTUAL', 'ISTIO_MUTUAL']),
    clientCertificate: string,
    privateKey: string,
    caCertificates: string,
    credentialName: string,
    subjectAltNames: list(string),
    sni: string,
    insecureSkipVerify: boolean,
    caCrl: noEffect(string, 'revocation lists are not implemented yet'),
  },
  { rules: [checkCertificates, checkSkipVerify] },
);
export type ClientTLSSettings = Infer<typeof ClientTLSSettings>;

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

function checkSkipVerify(tls: ClientTlsFields, context: RuleContext): void {
  if (!tls.insecureSkipVerify) return;
  const useless: readonly (keyof ClientTlsFields)[] =
    tls.mode === 'SIMPLE'
      ? ['caCertificates', 'credentialName', 'subjectAltNames']
      : tls.mode === 'MUTUAL'
        ? ['caCertificates', 'subjectAltNames']
        : [];
  for (const name of useless) {
    const value = tls[name];
    if (value && value !== '' && !(Array.isArray(value) && value.length === 0))
      context.report('MT0117', [name], '{} cannot stand beside insecureSkipVerify: nothing would be verified with it');
  }
}
