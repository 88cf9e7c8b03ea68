// TLS that a proxy ends: mutual TLS of the mesh on the inbound side, and what a gateway's server says.
// https://istio.io/latest/docs/reference/config/networking/gateway/#ServerTLSSettings
import { create } from '@bufbuild/protobuf';
import { type TransportSocket, TransportSocketSchema } from '@meltemi/envoy-api/envoy/config/core/v3/base';
import {
  type TlsParametersSchema,
  TlsParameters_TlsProtocol as TlsProtocol,
} from '@meltemi/envoy-api/envoy/extensions/transport_sockets/tls/v3/common';
import { type CommonTlsContextSchema, DownstreamTlsContextSchema } from '@meltemi/envoy-api/envoy/extensions/transport_sockets/tls/v3/tls';
import type { ServerTLSSettings } from '../../config/index.ts';
import type { MeshSettings } from '../../mesh/index.ts';
import { credential, fileCertificate, fileRoots, localSecret, rootCertificates, workloadCertificate } from '../secrets.ts';
import { any, type Init } from '../wire.ts';
import { tlsParameters } from './upstream-tls.ts';

type CommonTls = Init<typeof CommonTlsContextSchema>;

const meshCiphers = [
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'AES256-GCM-SHA384',
  'AES128-GCM-SHA256',
];

/** Mutual TLS as proxies of the mesh speak it to each other; clients of every trusted domain may come. */
export function inboundMeshTls(settings: MeshSettings): TransportSocket {
  const minimum = settings.config.meshMTLS?.minProtocolVersion === 'TLSV1_3' ? TlsProtocol.TLSv1_3 : TlsProtocol.TLSv1_2;
  return downstream(
    {
      tlsParams: { ...tlsParameters, tlsMinimumProtocolVersion: minimum, cipherSuites: meshCiphers },
      alpnProtocols: ['h2', 'http/1.1'],
      tlsCertificateSdsSecretConfigs: [localSecret(workloadCertificate)],
      validationContextType: {
        case: 'combinedValidationContext',
        value: {
          defaultValidationContext: {
            matchSubjectAltNames: [settings.trustDomain, ...settings.trustDomainAliases].map((domain) => ({
              matchPattern: { case: 'prefix', value: `spiffe://${domain}/` },
            })),
          },
          validationContextSdsSecretConfig: localSecret(rootCertificates),
        },
      },
    },
    true,
  );
}

/** The transport socket of a gateway's server that ends TLS itself. */
export function serverTls(tls: ServerTLSSettings, http: boolean): TransportSocket {
  const alpnProtocols = http ? ['h2', 'http/1.1'] : [];
  if (tls.mode === 'ISTIO_MUTUAL') {
    return downstream(
      {
        tlsParams: parameters(tls),
        alpnProtocols,
        tlsCertificateSdsSecretConfigs: [localSecret(workloadCertificate)],
        validationContextType: {
          case: 'combinedValidationContext',
          value: { defaultValidationContext: names(tls), validationContextSdsSecretConfig: localSecret(rootCertificates) },
        },
      },
      true,
    );
  }
  const mutual = tls.mode === 'MUTUAL' || tls.mode === 'OPTIONAL_MUTUAL';
  return downstream(
    {
      tlsParams: parameters(tls),
      alpnProtocols,
      tlsCertificateSdsSecretConfigs: certificates(tls),
      validationContextType: mutual ? clientTrust(tls) : { case: undefined },
    },
    tls.mode === 'MUTUAL',
  );
}

function certificates(tls: ServerTLSSettings): ReturnType<typeof localSecret>[] {
  if (tls.credentialNames?.length) return tls.credentialNames.map(credential);
  if (tls.credentialName) return [credential(tls.credentialName)];
  if (tls.tlsCertificates?.length)
    return tls.tlsCertificates.map((pair) => fileCertificate(pair.serverCertificate ?? '', pair.privateKey ?? ''));
  return [fileCertificate(tls.serverCertificate ?? '', tls.privateKey ?? '')];
}

function clientTrust(tls: ServerTLSSettings): CommonTls['validationContextType'] {
  const named = tls.caCertCredentialName || (tls.credentialName ? `${tls.credentialName}-cacert` : undefined);
  const roots = named ? credential(named) : fileRoots(tls.caCertificates ?? '');
  return { case: 'combinedValidationContext', value: { defaultValidationContext: names(tls), validationContextSdsSecretConfig: roots } };
}

function names(
  tls: ServerTLSSettings,
): Extract<NonNullable<CommonTls['validationContextType']>, { case: 'combinedValidationContext' }>['value']['defaultValidationContext'] {
  return {
    matchSubjectAltNames: (tls.subjectAltNames ?? []).map((name) => ({ matchPattern: { case: 'exact', value: name } })),
    verifyCertificateSpki: [...(tls.verifyCertificateSpki ?? [])],
    verifyCertificateHash: [...(tls.verifyCertificateHash ?? [])],
  };
}

function parameters(tls: ServerTLSSettings): Init<typeof TlsParametersSchema> {
  return {
    tlsMinimumProtocolVersion: versions.get(tls.minProtocolVersion ?? '') ?? TlsProtocol.TLSv1_2,
    tlsMaximumProtocolVersion: versions.get(tls.maxProtocolVersion ?? '') ?? TlsProtocol.TLSv1_3,
    cipherSuites: [...new Set((tls.cipherSuites ?? []).filter((cipher) => validCiphers.has(cipher)))],
  };
}

const versions: ReadonlyMap<string, TlsProtocol> = new Map([
  ['TLSV1_0', TlsProtocol.TLSv1_0],
  ['TLSV1_1', TlsProtocol.TLSv1_1],
  ['TLSV1_2', TlsProtocol.TLSv1_2],
  ['TLSV1_3', TlsProtocol.TLSv1_3],
]);

/** Those that Envoy's TLS library knows; others would make it refuse the listener. */
const validCiphers: ReadonlySet<string> = new Set([
  ...meshCiphers,
  'ECDHE-ECDSA-CHACHA20-POLY1305',
  'ECDHE-RSA-CHACHA20-POLY1305',
  'ECDHE-ECDSA-AES128-SHA',
  'ECDHE-RSA-AES128-SHA',
  'ECDHE-ECDSA-AES256-SHA',
  'ECDHE-RSA-AES256-SHA',
  'AES128-SHA',
  'AES256-SHA',
  'DES-CBC3-SHA',
]);

function downstream(commonTlsContext: CommonTls, requireClientCertificate: boolean): TransportSocket {
  return create(TransportSocketSchema, {
    name: 'envoy.transport_sockets.tls',
    configType: { case: 'typedConfig', value: any(DownstreamTlsContextSchema, { commonTlsContext, requireClientCertificate }) },
  });
}
