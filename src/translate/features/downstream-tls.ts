// TLS that a proxy ends: mutual TLS of the mesh on the inbound side, and what a gateway's server says.
// https://istio.io/latest/docs/reference/config/networking/gateway/#ServerTLSSettings
import { create } from '@bufbuild/protobuf';
import { type TransportSocket, TransportSocketSchema } from '@meltemi/envoy-api/envoy/config/core/v3/base';
import {
  type TlsParametersSchema,
  TlsParameters_TlsProtocol as TlsProtocol,
  CertificateValidationContext_TrustChainVerification as TrustChainVerification,
} from '@meltemi/envoy-api/envoy/extensions/transport_sockets/tls/v3/common';
import {
  type CommonTlsContextSchema,
  DownstreamTlsContextSchema,
} from '@meltemi/envoy-api/envoy/extensions/transport_sockets/tls/v3/tls';
import type { MeshConfig, ServerTLSSettings } from '../../config/index.ts';
import type { MeshSettings } from '../../mesh/index.ts';
import {
  credential,
  fileCertificate,
  fileRoots,
  localSecret,
  rootCertificates,
  workloadCertificate,
} from '../secrets.ts';
import { any, type Init } from '../wire.ts';
import { knownCiphers, knownCurves, meshCiphers } from './tls-parameters.ts';
import { tlsParameters } from './upstream-tls.ts';

type CommonTls = Init<typeof CommonTlsContextSchema>;

/** Mutual TLS as proxies of the mesh speak it to each other; clients of every trusted domain may come. */
export function inboundMeshTls(settings: MeshSettings): TransportSocket {
  const { minProtocolVersion, cipherSuites } = settings.config.meshMTLS ?? {};
  const ciphers = knownCiphers(cipherSuites);
  return downstream(
    {
      tlsParams: {
        ...tlsParameters,
        tlsMinimumProtocolVersion:
          minProtocolVersion === 'TLSV1_3' ? TlsProtocol.TLSv1_3 : TlsProtocol.TLSv1_2,
        cipherSuites: ciphers.length > 0 ? ciphers : meshCiphers,
      },
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
export function serverTls(
  tls: ServerTLSSettings,
  http: boolean,
  defaults: MeshConfig['tlsDefaults'],
): TransportSocket {
  const alpnProtocols = http ? ['h2', 'http/1.1'] : [];
  if (tls.mode === 'ISTIO_MUTUAL') {
    return downstream(
      {
        tlsParams: parameters(tls, undefined),
        alpnProtocols,
        tlsCertificateSdsSecretConfigs: [localSecret(workloadCertificate)],
        validationContextType: {
          case: 'combinedValidationContext',
          value: {
            defaultValidationContext: names(tls),
            validationContextSdsSecretConfig: localSecret(rootCertificates),
          },
        },
      },
      true,
    );
  }
  const mutual = tls.mode === 'MUTUAL' || tls.mode === 'OPTIONAL_MUTUAL';
  return downstream(
    {
      tlsParams: parameters(tls, defaults),
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
    return tls.tlsCertificates.map((pair) =>
      fileCertificate(pair.serverCertificate ?? '', pair.privateKey ?? ''),
    );
  return [fileCertificate(tls.serverCertificate ?? '', tls.privateKey ?? '')];
}

function clientTrust(tls: ServerTLSSettings): CommonTls['validationContextType'] {
  const named = tls.caCertCredentialName || (tls.credentialName ? `${tls.credentialName}-cacert` : undefined);
  const roots = named ? credential(named) : fileRoots(tls.caCertificates ?? '');
  return {
    case: 'combinedValidationContext',
    value: { defaultValidationContext: names(tls), validationContextSdsSecretConfig: roots },
  };
}

function names(
  tls: ServerTLSSettings,
): Extract<
  NonNullable<CommonTls['validationContextType']>,
  { case: 'combinedValidationContext' }
>['value']['defaultValidationContext'] {
  return {
    matchSubjectAltNames: (tls.subjectAltNames ?? []).map((name) => ({
      matchPattern: { case: 'exact', value: name },
    })),
    verifyCertificateSpki: [...(tls.verifyCertificateSpki ?? [])],
    verifyCertificateHash: [...(tls.verifyCertificateHash ?? [])],
    crl: tls.caCrl ? { specifier: { case: 'filename', value: tls.caCrl } } : undefined,
    trustChainVerification: tls.insecureSkipVerify
      ? TrustChainVerification.ACCEPT_UNTRUSTED
      : TrustChainVerification.VERIFY_TRUST_CHAIN,
  };
}

function parameters(
  tls: ServerTLSSettings,
  defaults: MeshConfig['tlsDefaults'],
): Init<typeof TlsParametersSchema> {
  const minimum = tls.minProtocolVersion || defaults?.minProtocolVersion;
  const ciphers = tls.cipherSuites?.length ? tls.cipherSuites : defaults?.cipherSuites;
  return {
    tlsMinimumProtocolVersion: versions.get(minimum ?? '') ?? TlsProtocol.TLSv1_2,
    tlsMaximumProtocolVersion: versions.get(tls.maxProtocolVersion ?? '') ?? TlsProtocol.TLSv1_3,
    cipherSuites: knownCiphers(ciphers),
    ecdhCurves: knownCurves(defaults?.ecdhCurves),
  };
}

const versions: ReadonlyMap<string, TlsProtocol> = new Map([
  ['TLSV1_0', TlsProtocol.TLSv1_0],
  ['TLSV1_1', TlsProtocol.TLSv1_1],
  ['TLSV1_2', TlsProtocol.TLSv1_2],
  ['TLSV1_3', TlsProtocol.TLSv1_3],
]);

function downstream(commonTlsContext: CommonTls, requireClientCertificate: boolean): TransportSocket {
  return create(TransportSocketSchema, {
    name: 'envoy.transport_sockets.tls',
    configType: {
      case: 'typedConfig',
      value: any(DownstreamTlsContextSchema, { commonTlsContext, requireClientCertificate }),
    },
  });
}
