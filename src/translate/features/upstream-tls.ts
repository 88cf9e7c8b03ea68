// TLS towards a cluster's endpoints: DestinationRule `tls`, or mutual TLS of the mesh where an endpoint's
// proxy can do it.
// https://istio.io/latest/docs/reference/config/networking/destination-rule/#ClientTLSSettings
import { create } from '@bufbuild/protobuf';
import {
  type Cluster_TransportSocketMatch,
  Cluster_TransportSocketMatchSchema,
} from '@meltemi/envoy-api/envoy/config/cluster/v3/cluster';
import { type TransportSocket, TransportSocketSchema } from '@meltemi/envoy-api/envoy/config/core/v3/base';
import {
  type UpstreamHttpProtocolOptions,
  UpstreamHttpProtocolOptionsSchema,
} from '@meltemi/envoy-api/envoy/config/core/v3/protocol';
import { RawBufferSchema } from '@meltemi/envoy-api/envoy/extensions/transport_sockets/raw_buffer/v3/raw_buffer';
import {
  type CertificateValidationContextSchema,
  TlsParameters_TlsProtocol,
  type TlsParametersSchema,
} from '@meltemi/envoy-api/envoy/extensions/transport_sockets/tls/v3/common';
import {
  type CommonTlsContextSchema,
  UpstreamTlsContextSchema,
} from '@meltemi/envoy-api/envoy/extensions/transport_sockets/tls/v3/tls';
import type { ClientTLSSettings, MeshConfig } from '../../config/index.ts';
import { systemRoots } from '../../mesh/index.ts';
import {
  credential,
  fileCertificate,
  fileRoots,
  localSecret,
  rootCertificates,
  workloadCertificate,
} from '../secrets.ts';
import { any, type Init } from '../wire.ts';
import { knownCiphers, knownCurves } from './tls-parameters.ts';

type CommonTls = Init<typeof CommonTlsContextSchema>;
type Validation = Init<typeof CertificateValidationContextSchema>;

export const tlsParameters = {
  tlsMinimumProtocolVersion: TlsParameters_TlsProtocol.TLSv1_2,
  tlsMaximumProtocolVersion: TlsParameters_TlsProtocol.TLSv1_3,
} as const;

export interface UpstreamTlsOptions {
  readonly http2: boolean;
  /** SNI of mesh TLS to this cluster. */
  readonly sni: string;
  /** Identities that endpoints of the cluster may have. */
  readonly subjectAltNames: readonly string[];
  /** Of the mesh, for TLS other than its own. */
  readonly defaults?: MeshConfig['tlsDefaults'];
}

/** The transport socket that a policy asks for; undefined for plain text. */
export function upstreamTls(
  tls: ClientTLSSettings,
  options: UpstreamTlsOptions,
): TransportSocket | undefined {
  switch (tls.mode) {
    case 'ISTIO_MUTUAL':
      return meshTls({
        ...options,
        sni: tls.sni || options.sni,
        subjectAltNames: tls.subjectAltNames?.length ? tls.subjectAltNames : options.subjectAltNames,
      });
    case 'SIMPLE':
    case 'MUTUAL':
      return originatedTls(tls, options);
    default:
      return undefined;
  }
}

/**
 * For endpoints that say `tlsMode: istio`; every other endpoint of the cluster is spoken to in plain text.
 */
export function automaticMeshTls(options: UpstreamTlsOptions): Cluster_TransportSocketMatch[] {
  return [
    create(Cluster_TransportSocketMatchSchema, {
      name: 'tlsMode-istio',
      match: { tlsMode: 'istio' },
      transportSocket: meshTls(options),
    }),
    create(Cluster_TransportSocketMatchSchema, {
      name: 'tlsMode-disabled',
      match: {},
      transportSocket: plainText,
    }),
  ];
}

export function meshTls(options: UpstreamTlsOptions): TransportSocket {
  return tlsSocket(options.sni, {
    tlsParams: tlsParameters,
    alpnProtocols: options.http2 ? ['istio', 'h2'] : ['istio'],
    tlsCertificateSdsSecretConfigs: [localSecret(workloadCertificate)],
    validationContextType: {
      case: 'combinedValidationContext',
      value: {
        defaultValidationContext: validation(options.subjectAltNames),
        validationContextSdsSecretConfig: localSecret(rootCertificates),
      },
    },
  });
}

function originatedTls(tls: ClientTLSSettings, options: UpstreamTlsOptions): TransportSocket {
  const names = tls.subjectAltNames?.length ? tls.subjectAltNames : options.subjectAltNames;
  const common: CommonTls = {
    tlsParams: { ...tlsParameters, ...defaultParameters(options.defaults) },
    alpnProtocols: options.http2 ? ['h2'] : [],
    tlsCertificateSdsSecretConfigs: tls.mode === 'MUTUAL' ? [clientCertificate(tls)] : [],
    validationContextType: trust(tls, names),
  };
  return tlsSocket(tls.sni ?? '', common);
}

/**
 * Without an SNI of its own, the Host of each request is the SNI, and also the name that the certificate must
 * bear.
 */
export function automaticNames(tls: ClientTLSSettings | undefined): UpstreamHttpProtocolOptions | undefined {
  if (!tls || tls.sni || (tls.mode !== 'SIMPLE' && tls.mode !== 'MUTUAL')) return undefined;
  const autoSanValidation = !tls.subjectAltNames?.length && !tls.insecureSkipVerify;
  return create(UpstreamHttpProtocolOptionsSchema, { autoSni: true, autoSanValidation });
}

/**
 * MeshConfig `tlsDefaults`:
 * https://istio.io/latest/docs/reference/config/istio.mesh.v1alpha1/#MeshConfig-TLSConfig
 */
export function defaultParameters(defaults: MeshConfig['tlsDefaults']): Init<typeof TlsParametersSchema> {
  return {
    ...(defaults?.minProtocolVersion === 'TLSV1_3'
      ? { tlsMinimumProtocolVersion: TlsParameters_TlsProtocol.TLSv1_3 }
      : {}),
    ecdhCurves: knownCurves(defaults?.ecdhCurves),
    cipherSuites: knownCiphers(defaults?.cipherSuites),
  };
}

function clientCertificate(tls: ClientTLSSettings): ReturnType<typeof localSecret> {
  return tls.credentialName
    ? credential(tls.credentialName)
    : fileCertificate(tls.clientCertificate ?? '', tls.privateKey ?? '');
}

function trust(tls: ClientTLSSettings, names: readonly string[]): CommonTls['validationContextType'] {
  if (tls.insecureSkipVerify) return { case: 'validationContext', value: {} };
  const own: Validation = {
    ...validation(names),
    crl: tls.caCrl ? { specifier: { case: 'filename', value: tls.caCrl } } : undefined,
  };
  const secret = tls.credentialName
    ? credential(`${tls.credentialName}-cacert`)
    : fileRoots(tls.caCertificates || systemRoots);
  return {
    case: 'combinedValidationContext',
    value: { defaultValidationContext: own, validationContextSdsSecretConfig: secret },
  };
}

function validation(names: readonly string[]): Validation {
  return { matchSubjectAltNames: names.map((name) => ({ matchPattern: { case: 'exact', value: name } })) };
}

function tlsSocket(sni: string, commonTlsContext: CommonTls): TransportSocket {
  return create(TransportSocketSchema, {
    name: 'envoy.transport_sockets.tls',
    configType: { case: 'typedConfig', value: any(UpstreamTlsContextSchema, { commonTlsContext, sni }) },
  });
}

export const plainText = create(TransportSocketSchema, {
  name: 'envoy.transport_sockets.raw_buffer',
  configType: { case: 'typedConfig', value: any(RawBufferSchema, {}) },
});
